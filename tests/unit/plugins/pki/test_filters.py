"""A chain of certificates leads to the authority, or is refused; what ends too soon will not do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import pki
from ansible_collections.server_monitoring.cluster.plugins.filter.settings import problems
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
    assert not pki.certificate_will_do(text, ROOT.pem, "h", [], "0")


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
