"""A data set's way to the topics, from its validation to the summary."""

import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from server_monitoring.commands.common import open_dataset
from server_monitoring.errors import DatasetError
from server_monitoring.host.runs import Run
from server_monitoring.produce import bad_rows, producer, sending
from server_monitoring.settings import config

from tests.unit.app.app_topics import FakeProducer, KilledError, Topics

Send = Callable[..., Run]
ROWS = ["20:52:00,a,1,2,3,4", "20:52:10,b,1,,3,4", "20:52:20,c,x,2,3,4", "20:52:30,d,1,2,3,4"]


@pytest.fixture
def send(
    values: dict[str, Any],
    write: Callable[[object], Path],
    write_csv: Callable[[str | bytes], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Send:
    """Return a function that sends ROWS once, and is killed after some records."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    topics, loaded = Topics(), config.load(write(values))
    header = "ts,server_id,cpu_pct,mem_pct,net_in,disk_io"
    path = write_csv("\n".join([header, *ROWS]) + "\n")

    def start(on_bad_row: str = bad_rows.SKIP, kill_after: int | None = None) -> Run:
        client = SimpleNamespace(
            ERROR=KeyError,
            TIMEOUT=TimeoutError,
            open_producer=FakeProducer(topics, random.Random(1), kill_after).open,
            open_reader=lambda *_: topics,
            translated=lambda *_: contextlib.nullcontext(),
            refusal=lambda *_: None,
            description=lambda: "a client",
        )
        for module in (producer, sending):
            monkeypatch.setattr(module, "client_for", lambda _: client)
        run = Run(loaded.data_dir, "r1")
        with open_dataset(path, loaded) as dataset:
            sending.send(loaded, run, dataset, sending.Options(on_bad_row))
        return run

    return start


def summary(run: Run) -> dict[str, Any]:
    """Return what was left for who runs the pipeline."""
    found: dict[str, Any] = json.loads((run.directory / "produce.json").read_text())
    return found


def test_the_summary_counts_what_was_sent_and_what_was_left_out(
    send: Send, capsys: pytest.CaptureFixture[str]
) -> None:
    """By topic: a bad row goes nowhere, a missing value only not to its topic."""
    run = send()
    found = summary(run)
    assert found["dataset"]["name"] == "metrics.csv"
    assert (found["run_id"], found["client"], found["on_bad_row"]) == ("r1", "a client", "skip")
    assert (found["dataset"]["rows"], found["bad_rows"], found["missing"]["mem_pct"]) == (3, 1, 1)
    assert (found["dataset"]["lines"], found["dataset"]["empty_lines"]) == (5, 0)
    assert found["bad_rows_file"] == str(run.directory / "bad-rows.csv")
    assert found["rows"] == {"topic-cpu": 3, "topic-mem": 2, "topic-net": 3, "topic-disk": 3}
    assert set(found["sent_before"].values()) == {0}
    assert sum(found["end_offsets"]["topic-mem"].values()) == 2
    assert (run.directory / "bad-rows.csv").exists()
    said = capsys.readouterr().err
    assert said.startswith("ready: sending 3 rows of metrics.csv\n")
    assert "sent 3 of 3 rows (12 messages, " in said


def test_a_bad_row_that_is_not_to_be_skipped_stops_all(send: Send, values: dict[str, Any]) -> None:
    """Before the run has so much as a folder."""
    with pytest.raises(DatasetError, match="1 bad row in 5 lines, nothing was sent: line 4"):
        send(bad_rows.STOP)
    assert not Path(values["data_dir"]).exists()


def test_a_second_start_goes_on_and_a_third_has_nothing_to_do(
    send: Send, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each says so, and the last one leaves the summary as it is."""
    with pytest.raises(KilledError):
        send(kill_after=5)
    run = send()
    found = summary(run)
    assert found["rows"]["topic-cpu"] == 3
    send(kill_after=0)
    assert summary(run) == found
    said = capsys.readouterr().err
    assert "sending 3 rows of metrics.csv, going on where an earlier start was broken off" in said
    assert "run r1 was sent before, whole; nothing to do" in said
