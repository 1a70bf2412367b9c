"""A step's line: from what units say, over the board, to what a person sees."""

import time
from pathlib import Path

import pytest
from ansible_collections.server_monitoring.cluster.plugins.action import pipeline_progress as plugin
from ansible_collections.server_monitoring.cluster.plugins.module_utils.pipeline import board
from server_monitoring.host import progress

from tests.unit.plugins.pipeline.progress_plays import (
    BROKEN,
    CONSUMER,
    ENDED,
    OTHER,
    PRODUCER,
    RUN,
    Scene,
    active,
    play,
    run,
    started,
    write_site,
)

PRODUCE, DRAIN = "step 3 of 6, produce", "step 4 of 6, drain"
TEXTS = {
    "p": ["sent 12000 of 25920 rows (48000 messages, 8000/s)"],
    "a": ["stored 11500 of topic-cpu, 11400 of topic-mem (4000/s)"],
    "b": ["stored 300 of topic-cpu, 200 of topic-mem (500/s)"],
    "c": ["stored 11800 of topic-net, 11700 of topic-disk (4000/s)"],
}


def shown(title: str, hosts: str, expected: dict[str, int], width: int = 0) -> str:
    """Return the line of a step with some of the hosts' entries."""
    step = board.step_of([board.Entry(texts=TEXTS[host]) for host in hosts], expected)
    text: str = board.line(title, step, width)
    return text


def test_line_of_sending_tells_rows_rate_time_left_and_rows_stored_of_all_hosts() -> None:
    """Of two hosts with one group the rows of a topic add up; 2,000 rows/s for 13,920 rows."""
    assert shown(PRODUCE, "pabc", {}) == (
        "step 3 of 6, produce: sent 12,000 of 25,920 rows, 2,000 rows/s, 7 s left; stored "
        "topic-cpu 11,800, topic-mem 11,600, topic-net 11,800, topic-disk 11,700"
    )


def test_line_of_draining_tells_how_many_rows_are_still_to_come() -> None:
    """1,680 rows of both topics at 4,000 a second."""
    assert shown(DRAIN, "a", {"topic-cpu": 12300, "topic-mem": 12280}) == (
        "step 4 of 6, drain: 4,000 rows/s, 0 s left; "
        "stored topic-cpu 11,500 of 12,300, topic-mem 11,400 of 12,280"
    )


def test_line_without_rows_says_so() -> None:
    """Neither a rate nor a time is made up."""
    assert shown(PRODUCE, "", {}) == "step 3 of 6, produce: waiting for the first rows"
    assert shown(DRAIN, "", {"t": 5}) == "step 4 of 6, drain: waiting for the first rows"


def test_line_fits_a_terminal_of_80_columns_with_all_four_topics() -> None:
    """Numbers are cut to thousands, and the word that all topics begin with goes."""
    assert shown(PRODUCE, "pac", {}, 79) == (
        "step 3: sent 12k/25k, 2000/s, 7 s left; stored cpu 11k mem 11k net 11k disk 11k"
    )
    assert shown(PRODUCE, "pac", {}, 40) == "step 3: sent 12k/25k, 2000/s, 7 s lef..."
    assert len(shown(PRODUCE, "pac", {}, 40)) == 40


def test_line_says_what_is_waited_for_and_makes_up_no_time() -> None:
    """What was sent before an outage says nothing of how long the rest takes."""
    text = "waiting for the broker, at most 14 s more: no acknowledgement"
    waits = [f"p1: {progress.waits(text)}"]
    step = board.step_of([board.Entry(texts=TEXTS["p"], waits=waits)], {})
    assert board.line(PRODUCE, step, 0) == (
        "step 3 of 6, produce: sent 12,000 of 25,920 rows; "
        "p1: waiting for the broker, at most 14 s more"
    )
    assert board.line(PRODUCE, step, 79) == (
        "step 3: sent 12k/25k; p1: waiting for the broker, at most 14 s more"
    )
    assert progress.waits("waiting for records of run r1") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (11220, "3 h 07 min"),
    ],
)
def test_duration_has_the_two_units_that_matter(seconds: float, text: str) -> None:
    """Seconds, minutes with seconds, hours with minutes."""
    assert board._duration(seconds) == text  # noqa: SLF001


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (0, "0"),
        (9999, "9999"),
        (10_000, "10k"),
        (9_999_999, "9999k"),
        (10**7, "10M"),
        (10**11, "100G"),
    ],
)
def test_count_has_at_most_four_digits(rows: int, text: str) -> None:
    """So that a line stays short whatever the run's size is."""
    assert board._count(rows) == text  # noqa: SLF001


def test_entry_comes_back_from_the_board_under_its_host_s_name(tmp_path: Path) -> None:
    """Whatever a host is called; the newer entry replaces the older one."""
    first, second = board.Board(tmp_path / "x"), board.Board(tmp_path / "x")
    first.write("a/../b", board.Entry(texts=["one"], written=1.0))
    first.write("a/../b", board.Entry("ended", ["two"], 2.0))
    second.write("c", board.Entry())
    assert second.read()["a/../b"] == board.Entry("ended", ["two"], 2.0)
    assert set(first.read()) == {"a/../b", "c"}
    assert time.time() - first.read()["c"].written < 60
    assert [path.parent.name for path in tmp_path.rglob("*.json")] == ["x", "x"]


SCENES: dict[str, list[Scene]] = {
    PRODUCER: [
        active("sending 40 rows of x.csv"),
        active("sent 10 of 40 rows (40 messages, 40/s)"),
        active("sent 20 of 40 rows (80 messages, 40/s)"),
        ENDED,
    ],
    CONSUMER: [active("stored 9 of topic-cpu, 8 of topic-mem (17/s)")] * 6 + [ENDED],
    OTHER: [active("stored 5 of topic-net, 4 of topic-disk (9/s)")] * 5 + [ENDED],
}


def test_pipe_gets_plain_lines_before_ansible_s_own(tmp_path: Path) -> None:
    """A line at once, none for each poll, one at the end; the producer alone has changed."""
    done = run(tmp_path, SCENES)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    told = [text for text in lines if text.startswith("step 3 of 6")]
    assert 2 <= len(told) <= 3, done.stdout
    assert told[-1] == "step 3 of 6, produce: all 40 rows sent"
    task = next(i for i, text in enumerate(lines) if "[pipeline : Send the data set" in text)
    assert lines.index(told[-1]) < task
    assert sorted(lines[task + 1 : task + 4]) == ["changed: [p1]", "ok: [c1]", "ok: [c2]"]
    assert "step 4 of 6, drain: every consumer has reached its end offsets" in lines
    assert "\x1b" not in done.stdout
    assert (tmp_path / "calls").read_text(encoding="utf-8").count("start --no-block") == 1


def test_pipe_gets_a_line_while_the_step_goes_on(tmp_path: Path) -> None:
    """Output is not held back until a buffer is full or the next task begins."""
    # Later than all workers have begun: with each, what was printed so far comes out anyhow.
    scenes = {**SCENES, PRODUCER: [*[SCENES[PRODUCER][0]] * 3, *[SCENES[PRODUCER][1]] * 9, ENDED]}
    with started(tmp_path, scenes) as process:
        assert process.stdout is not None
        lines = []
        for text in process.stdout:
            lines.append(text)
            if text.startswith(b"step 3 of 6, produce: sent 10 of 40 rows"):
                break
        assert process.poll() is None, lines


def test_terminal_gets_one_line_in_place(tmp_path: Path) -> None:
    """Each state begins at the line's start and erases the rest; the last one ends the line."""
    done = run(tmp_path, SCENES, terminal=True)
    assert done.returncode == 0, done.stdout
    drawn = [part for part in done.stdout.split("\r") if part.startswith("step 3")]
    assert [part for part in drawn if "sent 10 of 40" in part or "sent 10/40" in part]
    assert [part for part in drawn if "sent 20 of 40" in part or "sent 20/40" in part]
    assert all(part.endswith("\x1b[K") for part in drawn)
    assert drawn[-1] == "step 3 of 6, produce: all 40 rows sent\x1b[K"
    assert f"{drawn[-1]}\r\n" in done.stdout
    assert max(len(part) for part in drawn) < 80 + len("\x1b[K")


@pytest.mark.parametrize("terminal", [False, True])
def test_consumer_that_fails_while_rows_are_sent_stops_the_run_at_once(
    tmp_path: Path, *, terminal: bool
) -> None:
    """Its reason stands on a line of its own, and every unit is stopped."""
    scenes = {**SCENES, PRODUCER: SCENES[PRODUCER][:3], OTHER: [SCENES[OTHER][0], BROKEN]}
    done = run(tmp_path, scenes, terminal=terminal)
    assert done.returncode == 2, done.stdout
    assert "c2: consumer of net_disk" in done.stdout
    assert "topic-cpu: gone; provision" in done.stdout
    assert "stopped in step produce" in done.stdout
    fatal = [text for text in done.stdout.split("\n") if "fatal:" in text]
    assert fatal
    assert all(text.startswith("fatal:") for text in fatal), fatal
    assert "stop server-monitoring-*@r1.service" in (tmp_path / "calls").read_text("utf-8")


def test_consumer_that_fails_before_its_end_names_itself(tmp_path: Path) -> None:
    """Also in step 4, where no one leads; the other consumer does not wait for ever."""
    scenes = {**SCENES, CONSUMER: SCENES[CONSUMER][:1], OTHER: [SCENES[OTHER][0]] * 15 + [BROKEN]}
    done = run(tmp_path, scenes)
    assert done.returncode == 2, done.stdout
    assert f"c2: consumer ({OTHER}): topic-cpu: gone; provision" in done.stdout


def test_summary_that_is_not_there_is_an_error_in_one_line(tmp_path: Path) -> None:
    """What the host answered, and which file was expected."""
    environment = write_site(tmp_path, SCENES)
    summary = tmp_path / "data" / "runs" / RUN / "produce.json"
    summary.write_text('{"rows":', encoding="utf-8")
    done = play(tmp_path, environment)
    assert done.returncode == 2, done.stdout
    assert f'found {{"rows":, expected JSON in {summary}' in done.stdout
    assert "stopped in step produce" in done.stdout


def test_fewer_forks_than_hosts_end_all_the_same(tmp_path: Path) -> None:
    """With one worker at a time each host has its turn, and none waits for those behind it."""
    began = time.monotonic()
    done = run(tmp_path, SCENES, "--forks=1")
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - began < plugin.PATIENCE


@pytest.mark.parametrize(
    ("told", "seconds", "over"),
    [(["c1"], 1.0, False), (["c1", "c2"], 1.0, True), (["c1"], 3_600.0, True)],
)
def test_a_step_is_not_over_before_every_host_has_told(
    told: list[str], seconds: float, *, over: bool
) -> None:
    """A host that is slow to begin counts; one that never tells is not waited for without end."""
    action = plugin.ActionModule.__new__(plugin.ActionModule)
    action.args, action.draws, action.hosts = {"leader": ""}, True, {"c1", "c2"}
    action.together = True
    entries = {host: board.Entry(board.ENDED) for host in told}
    assert action._over(entries, seconds, ended=True) is over  # noqa: SLF001 -- no host is asked
    action.together = False  # with fewer workers than hosts, one that has not begun may wait for us
    assert action._over(entries, 1.0, ended=True)  # noqa: SLF001
