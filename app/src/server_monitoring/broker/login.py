"""Whether a broker takes a user's password: asked from here, as clients do not always tell.

One of them retries forever where a password is refused, and only reports that no answer came.
Here the broker is asked once: SaslHandshake (version 1) and SaslAuthenticate (version 0), as
https://kafka.apache.org/protocol describes them, carry kafka-python's SCRAM-SHA-512; the password
itself is never sent.
"""

import contextlib
import ssl
import struct
from io import BufferedRWPair

from server_monitoring.broker import tls
from server_monitoring.broker.cluster import MECHANISM, Cluster, Credentials

WRONG_PASSWORD = "the user or the password is wrong"  # noqa: S105 - says so of one
_HANDSHAKE, _AUTHENTICATE = 17, 36
_REASONS = {
    33: f"it does not support {MECHANISM}",
    34: "this listener takes no passwords",
    58: WRONG_PASSWORD,
}
_MAX_ANSWER = 65_536


class _CodeError(ValueError):
    """The broker answers with an error code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error code {code}")
        self.code = code


def refused_credentials(cluster: Cluster) -> str | None:
    """Return why the brokers do not take the credentials; None where that is not known.

    They have one list of users: the first that answers speaks for all.
    """
    if cluster.ca_file is None:
        return None
    context = tls.context(cluster)
    for server in cluster.servers:
        # It is away, or is no broker: others find out.
        with contextlib.suppress(OSError, ValueError):
            return refusal(server, context, cluster.identity)
    return None


def refusal(
    server: str,
    context: ssl.SSLContext,
    credentials: Credentials,
    timeout: float = tls.SECONDS,
) -> str | None:
    """Return why a broker does not let a user in, such as WRONG_PASSWORD; None if it does.

    Args:
        server: host:port of a listener for users.
        context: whom to trust.
        credentials: who to be.
        timeout: seconds that each answer may take.

    Raises:
        OSError: the broker cannot be asked.
        ValueError: it answers with another error, or is no broker.

    """
    # Only where a login is tried: who uses another client need not load this one.
    from kafka.net.sasl.scram import ScramClient  # noqa: PLC0415

    name = credentials.username.replace("=", "=3D").replace(",", "=2C")
    scram = ScramClient(name, credentials.password, MECHANISM)
    mechanism = MECHANISM.encode()
    with tls.connect(server, context, timeout) as sock, sock.makefile("rwb") as stream:
        try:
            _ask(stream, _HANDSHAKE, 1, struct.pack(">h", len(mechanism)) + mechanism)
            scram.process_server_first_message(_say(stream, scram.first_message()))
            # The broker proves that it knows the password too.
            scram.process_server_final_message(_say(stream, scram.final_message()))
        except _CodeError as error:
            if error.code not in _REASONS:
                raise
            return _REASONS[error.code]
        except (KeyError, struct.error) as error:
            raise ValueError(f"no answer of a broker: {error}") from error
    return None


def _say(stream: BufferedRWPair, content: bytes) -> bytes:
    """Send a message of the exchange; return the answer to it."""
    answer = _ask(stream, _AUTHENTICATE, 0, struct.pack(">i", len(content)) + content)
    (skipped,) = struct.unpack_from(">h", answer)
    place = 2 + max(skipped, 0)
    (length,) = struct.unpack_from(">i", answer, place)
    return answer[place + 4 : place + 4 + length]


def _ask(stream: BufferedRWPair, api: int, version: int, body: bytes) -> bytes:
    """Send a request; return what follows the answer's error code, which is none."""
    request = struct.pack(">hhih", api, version, 1, -1) + body
    stream.write(struct.pack(">i", len(request)) + request)
    stream.flush()
    (length,) = struct.unpack(">i", _read(stream, 4))
    if not 0 <= length <= _MAX_ANSWER:
        raise ValueError(f"an answer of {length} bytes")
    answer = _read(stream, length)
    (code,) = struct.unpack_from(">h", answer, 4)
    if code:
        raise _CodeError(code)
    return answer[6:]


def _read(stream: BufferedRWPair, count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise ConnectionResetError("the connection was closed")
    return found
