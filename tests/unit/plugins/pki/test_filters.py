"""A chain of certificates leads to the authority, or is refused; what ends too soon will not do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import pki
from ansible_collections.server_monitoring.cluster.plugins.filter.settings import problems
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)


class Owner:
    """Somebody with a key, and a certificate that another one signed."""

    def __init__(self, name: str, signer: Owner | None = None) -> None:
        """Make both."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        above, now = signer or self, datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder(above.name, self.name, self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(above.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def closed(self, passphrase: str) -> bytes:
        """Return the key, encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )


ROOT = Owner("root")
BETWEEN = Owner("between", ROOT)
LEAF = Owner("leaf", BETWEEN)
STRANGER = Owner("root")


@pytest.mark.parametrize(
    ("chain", "authority", "leads"),
    [
        ([BETWEEN], [ROOT], True),
        ([LEAF, BETWEEN], [ROOT], True),
        ([LEAF, STRANGER, BETWEEN, ROOT], [STRANGER, ROOT], True),
        ([LEAF], [ROOT], False),
        ([LEAF, BETWEEN], [STRANGER], False),
        ([ROOT, LEAF], [BETWEEN], False),
    ],
)
def test_chain_leads_to_its_authority_alone(
    chain: list[Owner], authority: list[Owner], *, leads: bool
) -> None:
    """By those between the two, in any order; another one of the same name signed nothing."""
    pems = ["".join(owner.pem for owner in owners) for owners in (chain, authority)]
    assert pki.is_signed_by(*pems) is leads


@pytest.mark.parametrize("text", ["", "no certificate", ROOT.pem[:100]])
def test_what_is_no_certificate_will_not_do(text: str) -> None:
    """It is made anew, or refused."""
    assert not pki.is_signed_by(text, ROOT.pem)
    assert not pki.is_signed_by(ROOT.pem, text)
    assert not pki.certificate_will_do(text, [ROOT.pem], "h", [], "0")
    assert not pki.request_is_for(text, "h", [])


@pytest.mark.parametrize(
    "spoil", ["nothing", "passphrase", "key", "open key", "open folder", "end", "file"]
)
def test_authority_will_do_only_as_a_closed_pair_that_lasts(tmp_path: Path, spoil: str) -> None:
    """Anything else is made, closed or refused by the tasks that are for it."""
    folder = tmp_path / "pki"
    folder.mkdir(mode=0o700)
    certificate, key = folder / "ca.pem", folder / "ca.key.pem"
    certificate.write_text(ROOT.pem)
    key.write_bytes((STRANGER if spoil == "key" else ROOT).closed("right"))
    key.chmod(0o640 if spoil == "open key" else 0o600)
    folder.chmod(0o755 if spoil == "open folder" else 0o700)
    if spoil == "file":
        certificate.unlink()
    passphrase = "wrong" if spoil == "passphrase" else "right"
    end = "9" if spoil == "end" else datetime.now(UTC).strftime("%Y%m%d%H%M%SZ")
    found = pki.authority_will_do(str(certificate), str(key), passphrase, end)
    assert found is (spoil == "nothing")


def test_settings_that_cannot_work_are_told_together() -> None:
    """A line for each, and none for what is well."""
    check = {"name": "x", "found": 1, "expected": "two", "ok": False}
    lines = problems([check, check | {"ok": True}, check | {"name": "y"}], "h1")
    assert lines == ["h1: x: found 1, expected two", "h1: y: found 1, expected two"]


BROKER, NAMES = "kafka-1", ["IP:172.29.0.1", "DNS:kafka-1"]


def request(name: str = BROKER, **changes: x509.ExtensionType | None) -> str:
    """Return a broker's request, with other extensions than it should have."""
    extensions: dict[str, x509.ExtensionType | None] = {
        "names": x509.SubjectAlternativeName(
            [x509.IPAddress(ip_address("172.29.0.1")), x509.DNSName("kafka-1")]
        ),
        "uses": x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        ),
        "usage": key_usage(sign=False),
        "basic": x509.BasicConstraints(ca=False, path_length=None),
    }
    subject = x509.Name.from_rfc4514_string(f"CN={name}")
    builder = x509.CertificateSigningRequestBuilder(subject)
    for extension in (extensions | changes).values():
        if extension is not None:
            builder = builder.add_extension(extension, critical=False)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def key_usage(*, sign: bool) -> x509.KeyUsage:
    """Return what a key is for: signatures, and perhaps those of certificates."""
    others = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    last = dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=True, key_cert_sign=sign, **others, **last)


def test_a_request_for_a_broker_s_own_names_is_signed() -> None:
    """As the role asks."""
    assert pki.request_is_for(request(), BROKER, NAMES)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("kafka-2", {}),
        ("kafka-1,CN=kafka-2", {}),
        (BROKER, {"names": x509.SubjectAlternativeName([x509.DNSName("kafka-1")])}),
        (
            BROKER,
            {
                "names": x509.SubjectAlternativeName(
                    [
                        x509.IPAddress(ip_address("172.29.0.1")),
                        x509.DNSName("kafka-1"),
                        x509.DNSName("kafka-2"),
                    ]
                )
            },
        ),
        (BROKER, {"basic": x509.BasicConstraints(ca=True, path_length=0)}),
        (BROKER, {"usage": key_usage(sign=True)}),
        (BROKER, {"uses": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])}),
        (BROKER, {"basic": None}),
        (BROKER, {"more": x509.OCSPNoCheck()}),
    ],
)
def test_a_request_for_anything_else_is_not(
    name: str, changes: dict[str, x509.ExtensionType]
) -> None:
    """Another subject, other names, an authority, another use, a further extension."""
    assert not pki.request_is_for(request(name, **changes), BROKER, NAMES)


@pytest.mark.parametrize(
    ("subjects", "certificate", "user"),
    [
        ({}, "CN=kafka-1,O=Other", "kafka-1"),
        ({"kafka-1": "CN=kafka-1,OU=a/b,O=Ex.ample"}, "CN=kafka-1,OU=a/b,O=Ex.ample", "kafka-1"),
        ({"kafka-1": "CN=kafka-1,OU=a/b,O=Ex.ample"}, "CN=kafka-1,OU=a/b,O=Exxample", None),
        ({"kafka-1": "CN=kafka-1,O=Ours"}, "CN=kafka-1", None),
        ({"kafka-1": "CN=kafka-1,O=Ours"}, "CN=kafka-1,O=Other", None),
        ({"kafka-1": "CN=b1,O=Ours", "kafka-2": "CN=b2,O=Ours"}, "CN=b2,O=Ours", "kafka-2"),
    ],
)
def test_a_broker_of_a_shared_authority_is_known_by_its_whole_subject(
    subjects: dict[str, str], certificate: str, user: str | None
) -> None:
    """Somebody else's CN=kafka-1 is no broker; read as Java reads properties and Kafka rules."""
    text = pki.principal_rules(subjects).replace("\\\\", "\\")
    assert text.endswith(",DEFAULT")
    for rule in re.split(r",(?=RULE:)", text.removesuffix(",DEFAULT")):
        parts = re.fullmatch(r"RULE:((?:\\/|[^/])*)/((?:\\/|[^/])*)/", rule)
        assert parts is not None
        match = re.fullmatch(parts[1].replace("\\/", "/"), certificate)
        if match:
            assert parts[2].replace("$1", match[1] if match.re.groups else "") == user
            return
    assert user is None
