"""Detection with a real broker: each alert once, whatever is killed and whoever takes over."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.kafka.kafka_broker import PATIENCE, Broker, running_broker
from tests.kafka.live_rows import BEGIN, LiveMode, Sample, abnormal, make_live, samples
from tests.support.app_settings import write_settings


def test_alerts_are_those_of_exact_arithmetic_also_after_a_stop(live: LiveMode) -> None:
    """A detector that is stopped in order, and one that is killed, leave nothing to do twice."""
    sent = samples(random.Random(1), BEGIN, 300)
    first = live.start()
    live.send(sent[:700])
    live.await_windows(abnormal(sent[:700]))
    first.send_signal(signal.SIGTERM)
    _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, said
    live.send(sent[700:1000])
    second = live.start()
    live.await_windows(abnormal(sent[:1000]))
    second.kill()
    live.send(sent[1000:])
    live.start()
    live.await_windows(abnormal(sent))
    assert live.windows() == abnormal(sent)


def test_a_share_goes_from_one_detector_to_two_which_end_the_first(live: LiveMode) -> None:
    """Even while it still runs: it says who took over, and leaves by a status of its own."""
    sent = samples(random.Random(2), BEGIN, 200)
    first = live.start()
    live.send(sent[:500])
    live.await_windows(abnormal(sent[:500]))
    live.configure(consumers={"index": 1, "hosts": 2})
    live.start()
    live.send(sent[500:750])
    _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 12, said
    assert "took over" in said.splitlines()[-1]
    live.configure(consumers={"index": 0, "hosts": 2})
    live.start()
    live.send(sent[750:])
    live.await_windows(abnormal(sent))
    assert live.windows() == abnormal(sent)


def test_a_second_detector_of_the_same_share_ends_the_first(live: LiveMode) -> None:
    """As when a host that was believed dead comes back: one alone writes."""
    sent = samples(random.Random(3), BEGIN, 100)
    first = live.start()
    live.send(sent[:250])
    live.await_windows(abnormal(sent[:250]))
    live.start()
    live.send(sent[250:])
    _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 12, said
    live.await_windows(abnormal(sent))
    assert live.windows() == abnormal(sent)


def test_a_silent_server_has_no_data_until_it_is_back(live: LiveMode) -> None:
    """By the clock, over a restart; one whose clock is ahead is not silent, and touches nobody."""
    live.configure(silence_seconds=3)
    now = int(time.time())
    live.send([Sample("silent", now, "1.0", "1.0"), Sample("back", now, "1.0", "1.0")], at=now)
    live.start()
    firing = [("back", "firing"), ("silent", "firing")]
    live.wait_for(lambda: live.transitions() == firing, "no data")
    live.processes[-1].kill()
    live.start()
    at = time.time()
    live.send([Sample("back", int(at), "1.0", "1.0")], at=at)
    resolved = ("back", "resolved")
    live.wait_for(lambda: resolved in live.transitions(), "resolved")
    assert live.transitions()[:2] == [("back", "firing"), resolved]
    assert live.transitions().count(("silent", "firing")) == 1
    states = {key: value["state"] for key, value in live.states().items() if key[2] == "no data"}
    assert states["cpu_mem", "silent", "no data"] == "firing"


def test_without_its_section_or_topics_it_says_what_is_missing_in_one_line(live: LiveMode) -> None:
    """And leaves with the status of the configuration, or of a topic."""
    live.configure(state_topic="nowhere")
    done = live.pipeline.run("detect", "--group", "cpu_mem")
    assert done.returncode == 5
    assert "topic nowhere: not found on broker" in done.stderr.splitlines()[-1]
    del live.pipeline.values["live"]
    write_settings(live.pipeline.config, live.pipeline.values)
    done = live.pipeline.run("detect", "--group", "cpu_mem")
    assert done.returncode == 3
    assert done.stderr.startswith("server-monitoring: error: live: missing")
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_nothing_is_lost_or_told_twice_whatever_is_killed(tmp_path: Path, client: str) -> None:
    """Detectors at random moments, and once the broker, which comes back."""
    rng = random.Random(4)
    directory = tmp_path / "mortal"
    directory.mkdir()
    sent = samples(rng, BEGIN, 1_200)
    with running_broker(Broker, directory) as mortal:
        live = make_live(mortal, tmp_path, client)
        try:
            live.start()
            parts = 12
            for part in range(parts):
                live.send(sent[part * len(sent) // parts : (part + 1) * len(sent) // parts])
                if part == parts // 2:
                    mortal.stop(hard=True)
                    live.processes[-1].kill()
                    mortal.start()
                else:
                    time.sleep(rng.uniform(0, 1.5))
                    live.processes[-1].kill()
                live.start(ready=rng.random() < 0.5)
            live.processes[-1].kill()
            live.start()
            live.await_windows(abnormal(sent))
            assert live.windows() == abnormal(sent)
        finally:
            live.end()
