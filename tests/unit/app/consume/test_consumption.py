"""A group's part of a run, from the first poll to the summary."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from server_monitoring.consume import consumption
from server_monitoring.consume.consumer import Waits
from server_monitoring.errors import BrokerError, UnreachableError
from server_monitoring.host.runs import Run
from server_monitoring.settings import config

from tests.unit.app.app_answers import CPU, MEM, Answers, record, value

Consume = Callable[[Callable[[], bool]], Run]
RECORDS = {CPU: [record(CPU, 10, value("cpu_pct"))], MEM: [record(MEM, 10, value("mem_pct"))]}


@pytest.fixture
def consume(
    values: dict[str, Any], write: Callable[[object], Path], monkeypatch: pytest.MonkeyPatch
) -> Consume:
    """Return a function that consumes two records of cpu_mem which end at offset 11."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    client = SimpleNamespace(
        open_reader=lambda *_: Answers([RECORDS]), description=lambda: "a client"
    )
    monkeypatch.setattr(consumption, "client_for", lambda _: client)
    loaded = config.load(write({**values, "broker_timeout": 120}))
    run = Run(loaded.data_dir, "r1")
    run.create()
    run.end_offsets.write_text(json.dumps({"topic-cpu": {"0": 11}, "topic-mem": {"0": 11}}))

    def start(stopping: Callable[[], bool]) -> Run:
        consumption.consume(loaded, run, loaded.group("cpu_mem"), stopping)
        return run

    return start


def test_at_the_end_offsets_there_is_a_summary(
    consume: Consume, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what was stored, after a line for whoever waits."""
    run = consume(lambda: False)
    summary = json.loads((run.directory / "consume-cpu_mem.json").read_text())
    assert (summary["run_id"], summary["group"], summary["client"]) == ("r1", "cpu_mem", "a client")
    assert summary["rows"] == {"topic-cpu": 1, "topic-mem": 1}
    assert summary["partitions"] == {"topic-cpu": [0], "topic-mem": [0]}
    assert summary["foreign"] == summary["malformed"] == summary["duplicates"] == 0
    said = capsys.readouterr().err
    assert said.startswith("ready: waiting for records of run r1\n")
    assert "stored 1 of topic-cpu, 1 of topic-mem (" in said


def test_whoever_stops_before_the_end_leaves_no_summary(
    consume: Consume, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would say that all is there."""
    run = consume(lambda: True)
    assert not (run.directory / "consume-cpu_mem.json").exists()
    assert "stopped before the end; stored 0 of topic-cpu" in capsys.readouterr().err


def test_a_consumer_that_fails_leaves_the_reason_until_it_is_started_again(
    consume: Consume, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the analysis on this host, which waits for its summary."""
    monkeypatch.setattr(consumption, "Waits", lambda *_: Waits(0.05, 60))
    ends = Path(values["data_dir"], "runs", "r1", "end_offsets.json")
    good = ends.read_text()
    ends.write_text(json.dumps({"topic-cpu": {"0": 10**9}, "topic-mem": {"0": 11}}))
    with pytest.raises(BrokerError, match="partition 0 stands at offset 11 of 1000000000"):
        consume(lambda: False)
    failed = ends.with_name("consume-cpu_mem.failed")
    assert "stands at offset 11" in json.loads(failed.read_text())["reason"]
    ends.write_text(good)
    run = consume(lambda: False)
    assert not run.failed("cpu_mem").exists()


def test_a_broker_that_is_away_at_the_start_is_waited_for(
    consume: Consume, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as after the boot of a whole site; within one process."""
    away = [UnreachableError("no answer")] * 2

    def open_reader(*_: Any) -> Answers:
        if away:
            raise away.pop()
        return Answers([RECORDS])

    client = SimpleNamespace(open_reader=open_reader, description=lambda: "a client")
    monkeypatch.setattr(consumption, "client_for", lambda _: client)
    monkeypatch.setattr("server_monitoring.broker.patience.PAUSE_SECONDS", 0.01)
    run = consume(lambda: False)
    assert run.consumed("cpu_mem").exists()
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "waiting for the broker, at most 120 s more: no answer"
    assert said[2].startswith("ready: ")
