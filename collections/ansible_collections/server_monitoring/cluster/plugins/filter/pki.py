"""Whether keys and certificates that are there will do, so that nothing need be signed anew."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

# As playbooks write the ends of certificates.
_TIME = "%Y%m%d%H%M%SZ"
_CLOSED, _OWN = 0o600, 0o700


def authority_will_do(certificate: str, key: str, passphrase: str, end_from: str) -> bool:
    """Tell whether an authority's certificate and key are a pair, closed, and valid long enough.

    `certificate` and `key` are files of the control machine, `end_from` the earliest end.
    """
    try:
        found = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
        private = load_pem_private_key(Path(key).read_bytes(), passphrase.encode())
        is_authority = found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    rights = (_rights(Path(key)), _rights(Path(key).parent))
    return (
        is_authority
        and rights == (_CLOSED, _OWN)
        and private.public_key() == found.public_key()
        and found.not_valid_after_utc.strftime(_TIME) >= end_from
    )


def certificate_will_do(
    pem: str, authority: str, host: str, names: Sequence[str], end_from: str
) -> bool:
    """Tell whether a broker's certificate is the one that would be signed now.

    `names` are its alternative names, as C(IP:172.29.0.1) and C(DNS:kafka-1).
    """
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        signer = x509.load_pem_x509_certificate(authority.encode())
        found.verify_directly_issued_by(signer)
        extensions = found.extensions
        there = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    addresses = [f"IP:{address}" for address in there.get_values_for_type(x509.IPAddress)]
    hosts = [f"DNS:{name}" for name in there.get_values_for_type(x509.DNSName)]
    subject = [name.value for name in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return (
        sorted(addresses + hosts) == sorted(names)
        and len(list(there)) == len(names)
        and subject == [host]
        and set(uses) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
        and usage.digital_signature
        and not is_authority
        and found.not_valid_after_utc.strftime(_TIME) >= end_from
    )


def is_signed_by(chain: str, authority: str) -> bool:
    """Tell whether the first certificate of a chain leads, by the others, to the authority's."""
    try:
        current, *others = x509.load_pem_x509_certificates(chain.encode())
        roots = x509.load_pem_x509_certificates(authority.encode())
    except ValueError:
        return False
    while not any(_is_issued(current, root) for root in roots):
        above = [one for one in others if _is_issued(current, one)]
        if not above:
            return False
        current = above[0]
        others.remove(current)
    return True


def _is_issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class FilterModule:
    """The filters of the role pki."""

    def filters(self) -> dict[str, Any]:
        """Return the filters; in tasks each has its name after ``pki_``."""
        offered = (authority_will_do, certificate_will_do, is_signed_by)
        return {f"pki_{offer.__name__}": offer for offer in offered}
