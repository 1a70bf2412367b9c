"""The client of ZeroTier Central: where its token may go, TLS, proxies, and use by threads."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import central_http
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.central import (
    Central,
)
from central_server import FakeCentral
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.central_client import MEMBER, TOKEN, UNKNOWN, WANTED, client, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.central_client import Clock


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Return the PEM file, certificate and key, of a 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake central")])
    now = dt.datetime.now(dt.timezone.utc)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "authority.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def secure(authority: Path) -> Iterator[FakeCentral]:
    """Serve a fake Central by HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    serving = FakeCentral(TOKEN, context=context)
    yield serving
    serving.close()


@pytest.mark.parametrize("token", ["", "  ", f"{TOKEN}\n{TOKEN}", f"x{TOKEN} y", f"{TOKEN}é"])
def test_token_that_is_none_is_refused_unseen(token: str) -> None:
    """An empty token, or two lines of a file, is refused before anything shows it."""
    line = refusal(lambda: Central(token))
    assert line.startswith("ZeroTier Central: the token is empty or has characters (blanks, ")
    assert "zerotier_central_token" in line


def test_line_break_at_the_end_of_a_token_is_no_part(fake: FakeCentral) -> None:
    """A token read from a file works with the file's last line break."""
    assert Central(TOKEN + "\n", fake.url, 5).networks() == []


def test_token_is_in_no_representation(fake: FakeCentral) -> None:
    """What a debugger or a log prints of the client does not show the token."""
    central = client(fake)
    assert TOKEN not in repr(central) + str(central) + repr(vars(central))


@pytest.mark.parametrize(
    "url", ["http://api.zerotier.com/api/v1", "ftp://127.0.0.1/", "http://10.0.0.1"]
)
def test_token_does_not_travel_in_the_clear(url: str) -> None:
    """Plain http is refused for every host but loopback, before anything is sent."""
    line = refusal(lambda: Central(TOKEN, url))
    assert f"url: found {url!r}, expected https://...: the token would travel in the clear" in line
    assert "zerotier_central_url" in line


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost"])
def test_loopback_may_be_plain(host: str) -> None:
    """A host that is this machine may be asked by plain http."""
    Central(TOKEN, f"http://{host}:8080/api/v1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.zerotier.com",
        "https://",
        "https://u:secret@host/",
        "https://h/?a=1",
        "https://h:x/",
    ],
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    """What is no address is named with what is expected, and a password in it is not shown."""
    line = refusal(lambda: Central(TOKEN, url))
    assert "secret" not in line
    assert "url: expected https://host[:port]/path, without a user, query or fragment" in line


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_timeouts_that_are_none_are_refused(timeout: float) -> None:
    """No time at all is no timeout."""
    line = refusal(lambda: Central(TOKEN, timeout=timeout))
    assert f"timeout: found {timeout}, expected more than 0 seconds" in line


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(fake: FakeCentral, status: int) -> None:
    """Another host gets no request, so no token; the line names it without what follows."""
    other = FakeCentral(TOKEN)
    target = {"Location": f"{other.url}/network?code={TOKEN}"}
    fake.fail(".*", status=status, headers=target)
    for call in (client(fake).networks, lambda: client(fake).save_network(UNKNOWN, {})):
        line = refusal(call)
        assert f"to http://127.0.0.1 ({status}), where the token is not sent" in line
    other.close()
    assert other.requests == []
    assert len(fake.requests) == 2


def test_certificate_of_an_unknown_authority(secure: FakeCentral) -> None:
    """An authority that nobody trusts ends at once, with ca_file and its variable."""
    line = refusal(client(secure).networks)
    assert "cannot be trusted: TLS failed (self" in line
    assert "ca_file (zerotier_central_ca_file, PEM)" in line
    assert "SSL_CERT_FILE" in line
    assert secure.requests == []


def test_certificate_of_a_named_authority(secure: FakeCentral, authority: Path) -> None:
    """With the authority's file the same host is trusted."""
    assert client(secure, ca_file=str(authority)).networks() == []
    assert secure.sent() == ["GET /network"]


def test_certificate_of_another_host(secure: FakeCentral, authority: Path) -> None:
    """A certificate for another name is not trusted, whoever vouches for it."""
    url = secure.url.replace("127.0.0.1", "localhost")
    line = refusal(lambda: Central(TOKEN, url, 5, str(authority)).networks())
    assert "TLS failed (Hostname mismatch" in line


def test_port_without_tls(fake: FakeCentral) -> None:
    """A server that speaks plain http is no HTTPS server, and is asked once."""
    line = refusal(lambda: Central(TOKEN, fake.url.replace("http:", "https:"), 5).networks())
    assert "TLS failed (" in line


def test_environment_names_authorities(
    secure: FakeCentral, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE, which the message names, works."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert client(secure).networks() == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authority_file_that_is_none(tmp_path: Path, content: str | None) -> None:
    """A missing file, or one that holds no certificate, is named before anything is sent."""
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content, "utf-8")
    line = refusal(lambda: Central(TOKEN, ca_file=str(file)))
    assert f"ca_file: {file} cannot be used (" in line
    assert "zerotier_central_ca_file" in line


@pytest.mark.usefixtures("_no_proxies")
def test_loopback_takes_no_proxy(
    fake: FakeCentral, secure: FakeCentral, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment never sees a request, and so a token, in the clear."""
    proxy = FakeCentral(TOKEN)
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("https_proxy", proxy.url)
    assert client(fake).networks() == client(secure, ca_file=str(authority)).networks() == []
    proxy.close()
    assert proxy.requests == []


@pytest.mark.usefixtures("_no_proxies")
def test_proxy_is_asked_for_https(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy gets a CONNECT without the token; what it forbids ends at once."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(f"{self.requestline} {self.headers}")
            self.send_error(403)

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_address[1]}")
    line = refusal(lambda: Central(TOKEN, "https://central.invalid/api/v1", 60).networks())
    proxy.shutdown()
    proxy.server_close()
    assert "(0 s, tries: 1): its proxy says: Tunnel connection failed: 403 Forbidden; " in line
    assert "https_proxy" in line
    assert clock.slept == []
    assert asked[0].startswith("CONNECT central.invalid:443 ")
    assert TOKEN not in asked[0]


def test_several_threads_use_one_client(fake: FakeCentral, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty requests at once, some of them refused at first, each end as if they were alone."""
    monkeypatch.setattr(central_http, "_FIRST_PAUSE", 0.01)
    central = client(fake, timeout=30)
    network = central.create_network(WANTED)["id"]
    fake.fail("POST .*", status=429, headers={"Retry-After": "0"}, times=15)

    def authorize(number: int) -> str:
        address = f"{number:010x}"
        saved = central.save_member(network, address, {"name": address, "authorized": True})
        return str(saved["name"])

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(authorize, range(40)))
    assert names == [f"{number:010x}" for number in range(40)]
    assert [member["name"] for member in central.members(network)] == names
    assert central.member(network, MEMBER) is None
