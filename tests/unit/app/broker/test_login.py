"""What a login makes of a broker's answers, over a pair of sockets; real ones: tests/kafka."""

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from server_monitoring.broker import login, tls
from server_monitoring.broker.cluster import Cluster, Credentials

USER = Credentials("u", "a-secret")
Answering = Callable[..., None]


def answer(code: int, content: bytes = b"") -> bytes:
    """Return an answer as it is sent: length, correlation, error code, content."""
    return struct.pack(">iih", 6 + len(content), 1, code) + content


def said(text: bytes) -> bytes:
    """Return an answer of SaslAuthenticate: no reason, and a message of the exchange."""
    return answer(0, struct.pack(">hi", -1, len(text)) + text)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Return a function that says what each connection in turn gets, before it ends."""
    brokers = []

    def arrange(*connections: bytes) -> None:
        clients = []
        for content in connections:
            client, broker = socket.socketpair(socket.AF_UNIX)
            broker.sendall(content)
            broker.shutdown(socket.SHUT_WR)
            clients.append(client)
            brokers.append(broker)
        monkeypatch.setattr(tls, "connect", lambda *_: clients.pop(0))

    yield arrange
    for broker in brokers:
        broker.close()


def ask() -> str | None:
    """Try one login."""
    return login.refusal("a:1", ssl.create_default_context(), USER)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (answer(33, b"\0\0\0\0"), "it does not support SCRAM-SHA-512"),
        (answer(34, b"\0\0\0\0"), "this listener takes no passwords"),
        (answer(0, b"\0\0\0\0") + answer(58, b"\xff\xff\0\0\0\0"), login.WRONG_PASSWORD),
    ],
)
def test_a_refusal_is_told_by_its_reason(answering: Answering, answers: bytes, reason: str) -> None:
    """In whichever step it comes."""
    answering(answers)
    assert ask() == reason


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (answer(35), "error code 35"),
        (b"HTTP/1.1 400 Bad Request\r\n", "an answer of 1213486160 bytes"),
        (struct.pack(">i", -1), "an answer of -1 bytes"),
        (struct.pack(">ii", 4, 1), "no answer of a broker"),
        (answer(0) + answer(0), "no answer of a broker"),
        (answer(0) + said(b"s=AAAA,i=4096"), "no answer of a broker"),
        (answer(0) + said(b"r=of-somebody-else,s=AAAA,i=4096"), "nonce"),
    ],
)
def test_what_no_broker_answers_is_not_taken_for_a_refusal(
    answering: Answering, answers: bytes, error: str
) -> None:
    """Nor for being let in."""
    answering(answers)
    with pytest.raises(ValueError, match=error):
        ask()


@pytest.mark.parametrize("answers", [b"", answer(0)[:-1], answer(0)])
def test_a_connection_that_ends_is_not_taken_for_a_refusal(
    answering: Answering, answers: bytes
) -> None:
    """A broker may end just now."""
    answering(answers)
    with pytest.raises(ConnectionResetError, match="the connection was closed"):
        ask()


def test_the_first_broker_that_refuses_the_credentials_is_heard(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not answer is passed over; in plain text nobody is asked."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
    cluster = Cluster(("a:1", "b:1"), Path("/ca.pem"), USER)
    answering(b"", answer(34))
    assert login.refused_credentials(cluster) == "this listener takes no passwords"
    answering(b"", answer(35))
    assert login.refused_credentials(cluster) is None
    answering()
    assert login.refused_credentials(Cluster(("a:1",))) is None


def test_a_broker_that_takes_the_credentials_speaks_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others, one of which may be silent, are not asked."""
    asked: list[str] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
    monkeypatch.setattr(login, "refusal", lambda server, *_: asked.append(server))
    assert login.refused_credentials(Cluster(("a:1", "b:1"), Path("/ca.pem"), USER)) is None
    assert asked == ["a:1"]
