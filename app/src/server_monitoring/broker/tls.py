"""TLS to a broker: what is demanded of it, and why a connection failed.

A client only reports that no answer came. So after a failure the broker is asked once more from
here, with the standard library alone, and the answer becomes one line about the certificate or the
protocol.
"""

import socket
import ssl
import struct
from typing import Any

from server_monitoring.broker.cluster import SASL_SSL, Cluster
from server_monitoring.errors import ConfigError, TlsError, one_line

SECONDS = 3
"""How long an answer may take to what is asked from here."""
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which the standard library has no name.
_NO_CHECK_TIME = 0x200000
_WRONG_HOST = {62, 64}
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_NOT_YET, _EXPIRED = 9, 10
# A request for the API versions, version 0, correlation id 7, no client id: any broker answers it.
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 7, -1)


def context(cluster: Cluster) -> ssl.SSLContext:
    """Return what is demanded of a broker, see `trusting`.

    Raises:
        ConfigError: the file with the authorities cannot be used.

    """
    try:
        return trusting(cluster)
    except ssl.SSLError as error:
        raise ConfigError(
            f"kafka_security.ca_file: {cluster.ca_file}: no certificate in PEM form found "
            f"({error.reason}); provision this host"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"kafka_security.ca_file: {cluster.ca_file}: {error.strerror}; provision this host"
        ) from error


def trusting(cluster: Cluster) -> ssl.SSLContext:
    """Demand TLS 1.3, a certificate of the cluster's authorities, and the name that was asked for.

    Raises:
        OSError: the file with the authorities cannot be used.

    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.load_verify_locations(cluster.ca_file)
    return made


def handshake_error(cluster: Cluster) -> TlsError | None:
    """Return why no connection can be made, as far as TLS is to blame; None if it is not."""
    for server in cluster.servers:
        found = _handshake_problem(cluster, server)
        if found is not None:
            return TlsError(f"broker {server}: {found}")
    return None


def _handshake_problem(cluster: Cluster, server: str) -> str | None:
    if cluster.ca_file is None:
        return _plain_problem(server)
    try:
        _handshake(server, context(cluster))
    except ssl.SSLCertVerificationError as error:
        return _certificate_problem(cluster, server, error)
    except TimeoutError:
        return None  # Nobody is there; a listener for plain text would have ended the connection.
    except OSError as error:
        if _speaks_plain_text(server):
            return (
                f"answers in plain text, but {SASL_SSL} is expected; nothing was sent; check that "
                "the port is that of the TLS listener, and provision the broker"
            )
        # Where the stream just ends, the broker is starting or stopping.
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            reason = one_line(str(error.reason).replace("_", " ").lower(), 120)
            return f"the TLS handshake failed: {reason}; expected TLS 1.3, see the broker's log"
    return None


def _plain_problem(server: str) -> str | None:
    if _certificate_bytes(server) is None:
        return None
    return (
        "expects TLS, but this host is configured for plain text; set kafka_security.protocol to "
        f"{SASL_SSL} by provisioning"
    )


def _certificate_problem(cluster: Cluster, server: str, error: ssl.SSLCertVerificationError) -> str:
    facts = _certificate(server)
    if error.verify_code in _WRONG_HOST:
        names = ", ".join(f"{kind}:{name}" for kind, name in facts.get("subjectAltName", ()))
        found = one_line(names or "no name at all", 200)
        what = f"its certificate is for {found}, not for {host(server)}"
        return f"{what}; provision the broker, or ask it by another name"
    if error.verify_code == _EXPIRED:
        ended = facts.get("notAfter", "an unknown day")
        return f"its certificate expired on {ended}; provision the broker, which renews it"
    if error.verify_code == _NOT_YET:
        begins = facts.get("notBefore", "an unknown day")
        return f"its certificate is not valid before {begins}; set the clocks of both hosts"
    issuer = one_line(_name(facts.get("issuer", ())) or "an unknown authority", 120)
    reason = one_line(error.verify_message, 120)
    return (
        f"its certificate is not trusted: issued by {issuer}, and {cluster.ca_file} does not "
        f"vouch for it ({reason}); provision both hosts, or find out who else answers there"
    )


def host(server: str) -> str:
    """Return the host of host:port."""
    return server.rpartition(":")[0].strip("[]")


def open_socket(server: str, timeout: float = SECONDS) -> socket.socket:
    """Connect to host:port; each answer may take `timeout` seconds."""
    address = host(server), int(server.rpartition(":")[2])
    return socket.create_connection(address, timeout)


def connect(server: str, demanded: ssl.SSLContext, timeout: float = SECONDS) -> ssl.SSLSocket:
    """Connect to host:port by TLS; each answer may take `timeout` seconds.

    Raises:
        OSError: nobody answers, or not as is demanded.

    """
    with open_socket(server, timeout) as sock:
        return demanded.wrap_socket(sock, server_hostname=host(server))


def _handshake(server: str, demanded: ssl.SSLContext) -> tuple[dict[str, Any], bytes | None]:
    """Return the certificate's facts, where it is verified, and its bytes."""
    with connect(server, demanded) as sock:
        return sock.getpeercert() or {}, sock.getpeercert(binary_form=True)


def _certificate_bytes(server: str) -> bytes | None:
    """Return the certificate that is presented, whatever it is; None where there is none."""
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname = False
    anything.verify_mode = ssl.CERT_NONE  # Nothing is sent or trusted: it is only looked at.
    try:
        return _handshake(server, anything)[1]
    except OSError:
        return None


def _certificate(server: str) -> dict[str, Any]:
    """Return what the certificate says of itself: only a verified one is decoded, so trust it."""
    shown = _certificate_bytes(server)
    if shown is None:
        return {}
    itself = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    itself.check_hostname = False
    itself.load_verify_locations(cadata=shown)
    itself.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    try:
        return _handshake(server, itself)[0]
    except OSError:
        return {}


def _name(parts: Any) -> str:
    """Return a distinguished name as text."""
    return ", ".join(f"{key}={value}" for part in parts for key, value in part)


def _speaks_plain_text(server: str) -> bool:
    try:
        with open_socket(server) as sock:
            sock.sendall(_API_VERSIONS)
            answer = sock.recv(8)
    except OSError:
        return False
    return len(answer) == struct.calcsize(">ii") and answer[4:] == _API_VERSIONS[8:12]
