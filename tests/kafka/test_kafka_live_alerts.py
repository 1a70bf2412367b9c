"""Following live alerts of a real broker, and how live mode stands, as a node is asked for it."""

import itertools
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from server_monitoring.consume.alert_log import tell_books
from server_monitoring.remote.following import Following
from server_monitoring.remote.node import Node
from server_monitoring.settings.config import load

from tests.kafka.kafka_broker import PATIENCE
from tests.kafka.live_rows import BEGIN, LiveMode, Sample, abnormal, samples

FAR = """
import itertools, shlex, subprocess, sys
script = next(text for text in shlex.split(sys.argv[1]) if "--json" in text)
words = shlex.split(script.rstrip(";"))
command = {command!r} + words[words.index("--json") + 1:]
process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
for line in itertools.islice(process.stdout, 15):
    print(line, end="", flush=True)
process.kill()
"""
"""What takes the place of ssh: it runs the node's command here, and breaks after some lines."""


def follow(live: LiveMode, *options: str) -> subprocess.Popen[str]:
    """Start to follow, and wait until it reads."""
    process = subprocess.Popen(
        live.pipeline.command("alerts", "--live", "--json", *options),
        stdout=subprocess.PIPE,
        text=True,
        env=live.pipeline.environment(),
    )
    live.processes.append(process)
    return process


def told(process: subprocess.Popen[str], count: int) -> tuple[list[Any], dict[str, int]]:
    """Return so many windows of the lines, and from where to go on."""
    assert process.stdout is not None
    windows, positions = [], {}
    for line in process.stdout:
        found = json.loads(line)
        if found["kind"] == "position":
            positions = found["positions"]
            assert found["units"]["avg_cpu"] == "%"
        else:
            positions[str(found["partition"])] = found["offset"] + 1
        if found["kind"] == "window":
            windows.append(found)
        if len(windows) == count:
            break
    return windows, positions


def test_each_alert_is_followed_once_and_from_any_place(live: LiveMode) -> None:
    """From now on, from a time, and from where another reader ended; Ctrl-C is no error."""
    sent = samples(random.Random(5), BEGIN, 120)
    live.start()
    live.send(sent[:300])
    live.await_windows(abnormal(sent[:300]))
    before = len(live.windows())
    first = follow(live)
    assert first.stdout is not None
    positions = json.loads(first.stdout.readline())["positions"]
    assert sum(positions.values()) > 0
    live.send(sent[300:])
    live.await_windows(abnormal(sent))
    count = len(abnormal(sent)) - before
    windows, ends = told(first, count)
    assert len({w["id"] for w in windows}) == count
    first.send_signal(2)
    assert first.wait(PATIENCE) == 0
    since = follow(live, "--since", "2020-01-01T00:00:00Z")
    assert len(told(since, len(abnormal(sent)))[0]) == len(abnormal(sent))
    again = follow(live, "--from", json.dumps(positions))
    assert [w["id"] for w in sorted(told(again, count)[0], key=_place)] == [
        w["id"] for w in sorted(windows, key=_place)
    ]
    beyond = dict.fromkeys(ends, 10**9)
    assert told(follow(live, "--from", json.dumps(beyond)), before)[0]


def _place(window: dict[str, Any]) -> tuple[int, int]:
    return window["partition"], window["offset"]


def test_a_connection_that_ends_loses_and_repeats_nothing(live: LiveMode, tmp_path: Path) -> None:
    """The node's command is killed after some lines, again and again."""
    sent = samples(random.Random(6), BEGIN, 120)
    live.start()
    live.send(sent)
    live.await_windows(abnormal(sent))
    ssh = tmp_path / "ssh.py"
    ssh.write_text(FAR.format(command=live.pipeline.command("alerts", "--live", "--json")))
    said: list[str] = []
    node = Node("n1", (sys.executable, str(ssh)))
    following = Following(node, "2020-01-01T00:00:00Z", said.append)
    records = following.records(lambda _: time.sleep(0.1))
    windows = []
    for record in records:
        if record["kind"] == "window":
            windows.append(record["id"])
        if len(windows) == len(abnormal(sent)):
            break
    assert len(set(windows)) == len(abnormal(sent))
    assert sum("nothing was missed" in line for line in said) > 1


def test_the_status_has_servers_what_fires_and_what_is_behind(live: LiveMode) -> None:
    """Also a server that is listed and never sent, and one of a group without rows."""
    now = int(time.time())
    live.configure(late_hours=2, servers=["high", "low", "never"])
    high = [Sample("high", now - 60 + n, "99.5", "1.0") for n in range(40)]
    low = [Sample("low", now - 60 + n, "1.0", "1.0") for n in range(40)]
    live.start()
    live.send(itertools.chain(high, low), at=now)
    live.wait_for(lambda: any(t["kind"] == "transition" for t in live.told()), "firing")
    live.wait_for(lambda: status(live)["lag"][_topic(live)] == 0, "no lag")
    found = status(live)
    servers = {s["server_id"]: s for s in found["servers"] if s["group"] == "cpu_mem"}
    assert [f["label"] for f in servers["high"]["firing"]] == ["CPU spike suspected"]
    assert servers["low"]["firing"] == []
    assert 20 <= servers["low"]["behind_seconds"] <= 20 + time.time() - now + 12
    assert (servers["never"]["last_sample"], servers["never"]["behind_seconds"]) == (None, None)
    assert set(found["lag"].values()) == {0}
    assert found["books"] == []
    live.processes[-1].kill()
    live.send(low[:1], at=now)
    assert status(live)["lag"][_topic(live)] == 1


def _topic(live: LiveMode) -> str:
    topic: str = live.pipeline.values["groups"]["cpu_mem"]["metrics"][0]["topic"]
    return topic


def status(live: LiveMode) -> dict[str, Any]:
    """Return what a node says of live mode."""
    done = live.pipeline.run("alerts", "--live", "--json", "--status")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_books_that_differ_are_an_alert_until_they_agree(live: LiveMode) -> None:
    """Told once each time, by each host for itself; detectors pass over it."""
    live.configure(consumers={"index": 1, "hosts": 2})
    config = load(live.pipeline.config)
    group = config.group("cpu_mem")
    windows: list[dict[str, Any]] = [
        {"kind": "only live", "group": of, "server_id": f"s{n}", "window_start": "w", "live": []}
        for n in range(30)
        for of in ("net_disk", "cpu_mem")
    ]

    def tell(count: int) -> None:
        tell_books(config, group, "2026-11-30", count, windows[: 2 * count], lambda: BEGIN + count)

    tell(0)
    assert live.told() == []
    for _ in "ab":
        tell(30)
    (fired,) = live.told()
    expected = {"server_id": "", "state": "firing", "day": "2026-11-30", "differences": 30}
    assert expected.items() <= fired.items()
    assert [w["server_id"] for w in fired["named"]] == [f"s{n}" for n in range(20)]
    assert [(b["group"], b["day"]) for b in status(live)["books"]] == [("cpu_mem", "2026-11-30")]
    live.start()
    for count in (2, 0, 0, 2):
        tell(count)
    told = live.told()
    assert [(t["state"], t["differences"]) for t in told] == [
        ("firing", 30),
        ("firing", 2),
        ("resolved", 0),
        ("firing", 2),
    ]
    assert [t["since"] for t in told[:3]] == [fired["since"]] * 3
    assert len({t["id"] for t in told}) == 4
    live.processes[-1].send_signal(2)
    _, said = live.processes[-1].communicate(timeout=PATIENCE)
    assert live.processes[-1].returncode == 0, said
