"""Messages to systemd and their stand-in on standard error."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_monitoring.host import notify


@pytest.fixture(params=["path", "abstract"])
def listener(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """Listen as systemd does, in either kind of name space."""
    name = str(tmp_path / "n") if request.param == "path" else f"\0sm-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        yield sock


def test_ready_and_status_reach_systemd_and_nothing_is_printed(
    listener: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    """READY comes with the first status."""
    notify.ready("waiting")
    assert listener.recv(1000) == b"READY=1\nSTATUS=waiting"
    notify.Status().tell("stored 5")
    assert listener.recv(1000) == b"STATUS=stored 5"
    assert capsys.readouterr().err == ""


def test_without_systemd_the_same_lines_go_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person sees the progress."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify.ready("waiting")
    notify.Status().tell("stored 5")
    assert capsys.readouterr().err == "ready: waiting\nstored 5\n"


def test_a_status_is_one_line_that_controls_no_terminal(listener: socket.socket) -> None:
    """Nor can it say more to systemd, such as READY."""
    notify.ready("\x1b[2Jwaiting\nREADY=1")
    assert listener.recv(1000) == b"READY=1\nSTATUS=\\u001b[2Jwaiting\\u000aREADY=1"
    notify.Status().tell("a\u202eb")
    assert listener.recv(1000) == b"STATUS=a\\u202eb"


def test_a_socket_that_is_gone_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Telling is never worth a failure."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent/notify")
    notify.Status().tell("stored 5")
    assert capsys.readouterr().err == "stored 5\n"


def test_a_status_is_due_once_an_interval() -> None:
    """Not on every poll."""
    now = 10.0
    status = notify.Status(1.0, lambda: now)
    assert status.due()
    status.tell("x")
    assert not status.due()
    now = 11.0
    assert status.due()
