"""The command as it runs, its broker away, and the sender by a client that fails at will."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from server_monitoring.agent import agent, config, row, sender
from server_monitoring.agent.counters import CountersFile
from server_monitoring.agent.row import COLUMNS, Row
from server_monitoring.errors import (
    AuthenticationError,
    BrokerError,
    CredentialsError,
    UnreachableError,
)
from server_monitoring.model.wire import decode_value, partition_for

from tests.support.app_settings import write_settings
from tests.support.project import PROJECT
from tests.unit.app.agent.agent_spool import Held, files
from tests.unit.app.agent.agent_spool import row as made
from tests.unit.app.agent.test_config import VALUES

BROKEN = "the broker is broken"
NUMBERS = dict.fromkeys(COLUMNS, 1.5)


class Future:
    """A record that is decided at once."""

    def __init__(self, error: Exception | None) -> None:
        """Be there, or have failed."""
        self.error = error
        self.is_done = True
        self.value = SimpleNamespace(offset=0)

    def failed(self) -> bool:
        """Return whether it failed."""
        return self.error is not None

    def get(self, timeout: float) -> object:
        """Return where it is, or raise."""
        assert timeout > 0
        if self.error is not None:
            raise self.error
        return self.value


class FakeClient:
    """A client whose broker does what a list says at each attempt to connect, then works."""

    ERROR, TIMEOUT = KeyError, TimeoutError

    def __init__(self, attempts: list[Exception | int]) -> None:
        """Raise an error on connecting, or fail after so many records."""
        self.attempts = attempts
        self.left: int | None = None
        self.got: list[tuple[str, int]] = []

    @contextlib.contextmanager
    def open_reader(self, _: object) -> Iterator[Any]:
        """Return what knows three partitions of each topic."""
        if self.attempts and isinstance(self.attempts[0], Exception):
            raise self.attempts.pop(0)  # type: ignore[misc]
        yield SimpleNamespace(partitions=lambda _: 3)

    @contextlib.contextmanager
    def open_producer(self, *_: object) -> Iterator["FakeClient"]:
        """Return itself."""
        found = self.attempts.pop(0) if self.attempts else None
        self.left = found if isinstance(found, int) else None
        yield self

    @contextlib.contextmanager
    def translated(self, *_: object) -> Iterator[None]:
        """Turn an error into one that the app knows."""
        try:
            yield
        except KeyError as error:
            raise BrokerError(BROKEN) from error

    def send(
        self, topic: str, value: bytes, key: bytes, headers: list[Any], partition: int
    ) -> Future:
        """Take a record, or let it fail."""
        if self.left == 0:
            return Future(KeyError("x"))
        self.left = None if self.left is None else self.left - 1
        reading = decode_value(value, dict(zip(TOPICS, COLUMNS, strict=True))[topic])
        assert key == reading.server_id.encode()
        assert partition == partition_for(reading.server_id, 3)
        assert [name for name, _ in headers] == ["run_id", "row"]
        self.got.append((topic, int(headers[1][1])))
        return Future(None)


TOPICS = tuple(VALUES["topics"].values())


def sending(
    tmp_path: Path, client: FakeClient, held: Held, monkeypatch: pytest.MonkeyPatch
) -> sender.Sender:
    """Return a sender of a spool by a client."""
    monkeypatch.setattr(sender, "client_for", lambda _: client)
    loaded = config.load(write_settings(tmp_path / "agent.yml", VALUES))
    return sender.Sender(loaded, held.spool, None, held.told.append, least_pause=0.01)


def wait_for(what: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_broker_that_fails_again_and_again_gets_every_row_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not acknowledged as a chunk is sent again as a whole; each trouble is told."""
    monkeypatch.setattr(sender, "ROWS_PER_CHUNK", 3)
    held = Held(tmp_path / "data")
    client = FakeClient([UnreachableError("away"), 5, 7, 16])
    held.append(*range(10))
    at_work = sending(tmp_path, client, held, monkeypatch)
    at_work.start()
    wait_for(lambda: held.spool.waiting == 0)
    held.append(10)
    wait_for(lambda: held.spool.waiting == 0)
    at_work.stop(30)
    assert at_work.failure is None
    for topic in TOPICS:
        seconds = [second - made(0).second for name, second in client.got if name == topic]
        assert list(dict.fromkeys(seconds)) == list(range(11))
    broken = f"waiting for the broker: {BROKEN}"
    assert held.told[:2] == ["waiting for the broker: away", broken]
    assert held.told[-1] == "connected"


def test_systemd_hears_at_once_that_rows_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever provisions a host waits for it; the next status line may be an hour away."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        held = Held(tmp_path / "data")
        held.append(1)
        at_work = sending(tmp_path, FakeClient([UnreachableError("a\nb")]), held, monkeypatch)
        at_work.start()
        assert listener.recv(1000) == b"STATUS=waiting for the broker: a\\u000ab"
        assert listener.recv(1000) == b"STATUS=connected"
        at_work.stop(30)


def test_a_refused_user_waits_but_one_who_was_let_in_before_needs_a_new_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new password comes with it."""
    held = Held(tmp_path / "data")
    client = FakeClient([AuthenticationError("no"), 0, AuthenticationError("changed")])
    held.append(1)
    at_work = sending(tmp_path, client, held, monkeypatch)
    at_work.start()
    wait_for(lambda: at_work.failure)
    assert isinstance(at_work.failure, CredentialsError)
    assert held.told[0] == "waiting for the broker: no"
    assert held.spool.waiting == 1


def test_what_is_left_is_sent_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before `stop` returns."""
    held = Held(tmp_path / "data")
    client = FakeClient([])
    at_work = sending(tmp_path, client, held, monkeypatch)
    at_work.start()
    held.append(*range(3))
    at_work.stop(60)
    assert held.spool.waiting == 0


class Process:
    """The command, with a source that is a file, and a broker that nobody is."""

    def __init__(self, directory: Path) -> None:
        """Write its configuration."""
        self.data = directory / "data"
        self.source = directory / "numbers.json"
        more = {"data_dir": str(self.data), "source": "file", "source_file": str(self.source)}
        values = VALUES | more | {"interval_seconds": 1}
        self.config = write_settings(directory / "agent.yml", values)
        self.source.write_text(json.dumps(NUMBERS))
        self.err = ""

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        command = [sys.executable, "-m", "server_monitoring", "agent", "--config", str(self.config)]
        env = {"PYTHONPATH": str(PROJECT / "app" / "src"), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
        threading.Thread(target=self._read, daemon=True).start()
        wait_for(lambda: "ready: sampling each 1 s" in self.err)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.err += line

    def rows(self) -> list[Row]:
        """Return what it has spooled."""
        lines = b"".join(file.read_bytes() for file in files(self.data)).split(b"\n")[:-1]
        return [row.decode(line) for line in lines]


def test_the_command_samples_without_a_broker_and_says_so(tmp_path: Path) -> None:
    """Bad content of its source is told once and counted; SIGTERM ends it in order."""
    ran = Process(tmp_path)
    ran.start()
    try:
        wait_for(lambda: len(ran.rows()) >= 2)
        wait_for(lambda: "waiting for the broker: broker 127.0.0.1:9: " in ran.err)
        ran.source.write_text("{}")
        wait_for(lambda: "no sample: " in ran.err)
        ran.source.write_text(json.dumps(NUMBERS))
        wait_for(lambda: "samples again" in ran.err)
        before = len(ran.rows())
        wait_for(lambda: len(ran.rows()) > before)
        ran.process.send_signal(signal.SIGTERM)
        assert ran.process.wait(60) == 0
    finally:
        ran.process.kill()
    rows = ran.rows()
    wait_for(lambda: f"stopped; {len(rows)} rows wait for the next start" in ran.err)
    assert [one.second for one in rows] == sorted({one.second for one in rows})
    assert {one.values for one in rows} == {("1.5",) * 4}
    counters = CountersFile(ran.data / "counters.json", print).counters
    assert counters.unreadable > 0
    assert (counters.dropped, counters.torn) == (0, 0)
    assert "Traceback" not in ran.err


def test_a_sender_that_fails_for_good_ends_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its reason; what was sampled stays in the spool."""
    client = FakeClient([ZeroDivisionError("a fault of the app's own")])
    monkeypatch.setattr(sender, "client_for", lambda _: client)
    more = VALUES | {"data_dir": str(tmp_path / "data"), "interval_seconds": 1}
    loaded = config.load(write_settings(tmp_path / "agent.yml", more))
    with pytest.raises(ZeroDivisionError, match="a fault of the app's own"):
        agent.run(loaded, None, threading.Event().wait)
