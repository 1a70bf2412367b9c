"""What the measurements are made of: the throttle, watched processes, other tools' words."""

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.bench import faults
from tests.bench.lab import SHIPPED, write_dataset
from tests.bench.perf_tools import read_rate, sent_rate
from tests.bench.processes import ProcessFailedError, Watched, peak_mib
from tests.bench.throttle import Link, throttled
from tests.kafka.kafka_broker import free_port

SENT = "5000 records sent, 99.1 records/sec (0.1 MB/sec), 1.0 ms avg latency, 2.0 ms 50th\n"
READ = (
    "start.time, end.time, data.consumed.in.MB, MB.sec, fetch.nMsg.sec\n"
    "2026-01-01 00:00:00:000, 2026-01-01 00:00:01:000, 1.0, 2.0, 450123.5\n"
)


def watch(code: str) -> Watched:
    """Run a line of Python."""
    return Watched([sys.executable, "-c", code], os.environ)


def test_a_link_lets_bytes_through_at_its_speed() -> None:
    """All connections share it."""
    link = Link(8_000_000)
    began = time.monotonic()
    threads = [threading.Thread(target=link.pass_through, args=(50_000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.2 <= time.monotonic() - began < 10


def test_a_throttled_port_passes_everything_on_both_ways() -> None:
    """As slowly as it was asked to."""
    port, size = free_port(), 100_000
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        throttled(port, server.getsockname()[1], 8_000_000),
        socket.create_connection(("127.0.0.1", port)) as near,
    ):
        far, _ = server.accept()
        began = time.monotonic()
        sender = threading.Thread(target=near.sendall, args=(b"x" * size,))
        sender.start()
        found = b""
        while len(found) < size:
            found += far.recv(size)
        took = time.monotonic() - began
        sender.join()
        far.sendall(b"back")
        assert near.recv(10) == b"back"
        near.close()
        assert far.recv(1) == b""
        far.close()
    assert found == b"x" * size
    assert 0.08 <= took < 10


def test_a_process_is_watched_to_its_end() -> None:
    """Its lines with their times, its output, its peak memory."""
    process = watch(
        "import sys; print('ready: x', file=sys.stderr, flush=True); a = b'x' * (64 << 20); "
        "import time; time.sleep(0.3); print('out')"
    )
    assert process.began < process.moment("ready: ") < time.monotonic()
    assert process.wait(20) >= 0.3
    assert process.out == "out\n"
    assert 64 < process.peak < 200
    assert not process.running()


def test_a_process_that_fails_or_says_something_else_is_an_error() -> None:
    """With the end of what it said."""
    process = watch("import sys; sys.exit('wrong')")
    with pytest.raises(ProcessFailedError, match="did not say 'ready: ': wrong"):
        process.moment("ready: ")
    with pytest.raises(ProcessFailedError, match="status 1: wrong"):
        process.wait(20)


def test_a_process_that_takes_too_long_is_ended() -> None:
    """It is killed, and that is an error."""
    process = watch("import time; time.sleep(60)")
    with pytest.raises(ProcessFailedError, match=r"not over after 0\.1 s"):
        process.wait(0.1)
    process.end()
    assert not process.running()


def test_the_memory_of_a_process_that_is_gone_is_nothing() -> None:
    """It may end between two looks."""
    assert peak_mib(2**22 + 1) == 0.0
    assert peak_mib(os.getpid()) > 1


def test_rates_are_read_from_what_kafkas_tools_print() -> None:
    """By their names, not their places."""
    assert sent_rate(f"1 records sent, 7.0 records/sec\n{SENT}\n") == 99.1
    assert read_rate(f"WARN x\n{READ}") == 450123.5


@pytest.mark.parametrize("read", [sent_rate, read_rate])
def test_tools_that_print_something_else_are_an_error(read: object) -> None:
    """With what was found."""
    assert callable(read)
    with pytest.raises(ProcessFailedError, match=r"found 'a, b\\n1, 2', expected"):
        read("a, b\n1, 2")


def test_the_data_set_is_the_shipped_one_with_other_servers_each_time(tmp_path: Path) -> None:
    """So that its values are real ones, and spread over partitions."""
    shipped = SHIPPED.read_text().splitlines()
    rows = len(shipped) - 1
    write_dataset(tmp_path / "d.csv", rows + 1)
    found = (tmp_path / "d.csv").read_text().splitlines()
    assert len(found) == rows + 2
    assert found[0] == shipped[0]
    assert found[1].split(",")[2:] == shipped[1].split(",")[2:]
    assert found[1].split(",")[1] == shipped[1].split(",")[1] + "-0"
    assert found[-1].split(",")[1] == shipped[1].split(",")[1] + "-1"


def test_restarts_wait_as_long_as_the_units_say() -> None:
    """The pause is part of the recovery."""
    assert faults.restart_seconds("consume") == faults.restart_seconds("produce") == 1.0
    assert faults.restart_seconds("kafka") == 2.0


def test_a_supervised_process_comes_back_until_it_is_closed() -> None:
    """After its pause."""
    started: list[Watched] = []

    def start() -> Watched:
        code = "import sys, time; print('ready: x', file=sys.stderr, flush=True); time.sleep(60)"
        started.append(watch(code))
        return started[-1]

    part = faults.Supervised(start, 0.05)
    part.ready()
    part.kill()
    deadline = time.monotonic() + 20
    while len(started) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    part.close()
    assert len(started) == 2
    assert not any(process.running() for process in started)


def pipeline_of(directory: Path) -> Any:
    """Make a pipeline's files without its processes."""
    groups = {"cpu_mem": {"metrics": [{"topic": "topic-cpu"}]}}
    return SimpleNamespace(values={"groups": groups}, run_directory=lambda _run_id: directory)


def store(directory: Path, topic: str, rows: int) -> None:
    """Write a sidecar as a consumer does, as far as the measurement reads it."""
    path = directory / "raw" / topic / "0.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"topic": topic, "rows": rows}))


def test_a_killed_consumer_is_back_with_a_row_of_its_own_group(tmp_path: Path) -> None:
    """Not with one of the other group."""
    store(tmp_path, "topic-cpu", 5)
    anew = faults.after_rows(pipeline_of(tmp_path), "cpu_mem")
    store(tmp_path, "topic-disk", 9)
    assert not anew()
    store(tmp_path, "topic-cpu", 6)
    assert anew()


def test_rows_read_before_the_broker_was_killed_are_no_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come at once; the next ones after a gap."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    store(tmp_path, "topic-cpu", 5)
    anew = faults.after_a_gap(pipeline_of(tmp_path))
    now = 101.0
    store(tmp_path, "topic-cpu", 6)
    assert not anew()
    now = 102.5
    assert not anew()
    store(tmp_path, "topic-cpu", 7)
    assert not anew()
    now = 110.0
    store(tmp_path, "topic-cpu", 8)
    assert anew()
