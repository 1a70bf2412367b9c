"""Whether keys and certificates that are there will do, so that nothing need be signed anew."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from ..plugin_utils.filters import PublicFunctions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    pem: str, authorities: Sequence[str], host: str, names: Sequence[str], end_from: str
) -> bool:
    """Tell whether a broker's certificate is one that would be signed now.

    Args:
        pem: the certificate.
        authorities: certificates of which one has signed it.
        host: its subject.
        names: its alternative names, as C(IP:172.29.0.1) and C(DNS:kafka-1).
        end_from: the earliest end.

    """
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        signers = [x509.load_pem_x509_certificate(one.encode()) for one in authorities]
    except ValueError:
        return False
    return (
        any(_is_issued(found, signer) for signer in signers)
        and _is_for(found, host, names)
        and found.not_valid_after_utc.strftime(_TIME) >= end_from
    )


def request_is_for(pem: str, host: str, names: Sequence[str]) -> bool:
    """Tell whether a request asks for a broker's certificate of that host, and for no more.

    It comes from the node, and what is signed is what it says.
    """
    try:
        found = x509.load_pem_x509_csr(pem.encode())
        asked = {extension.oid for extension in found.extensions}
    except ValueError:
        return False
    return found.is_signature_valid and asked == _ASKED and _is_for(found, host, names)


_ASKED = {
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.BASIC_CONSTRAINTS,
}


def _is_for(
    found: x509.Certificate | x509.CertificateSigningRequest, host: str, names: Sequence[str]
) -> bool:
    """Tell whether a certificate or a request is of a broker with this name and these others."""
    try:
        extensions = found.extensions
        there = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        return False
    addresses = [f"IP:{address}" for address in there.get_values_for_type(x509.IPAddress)]
    hosts = [f"DNS:{name}" for name in there.get_values_for_type(x509.DNSName)]
    subject = [(name.oid, name.value) for name in found.subject]
    return (
        sorted(addresses + hosts) == sorted(names)
        and len(list(there)) == len(names)
        and subject == [(NameOID.COMMON_NAME, host)]
        and set(uses) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
        and usage.digital_signature
        and not usage.key_cert_sign
        and not is_authority
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


def subject_of(pem: str) -> str:
    """Return a certificate's whole subject, in the form of RFC 2253."""
    return x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string()


def principal_rules(subjects: Mapping[str, str]) -> str:
    """Return Kafka's `ssl.principal.mapping.rules`, as a properties file has it.

    `subjects` are those of brokers, by host, in the form of RFC 2253; with none of them a
    certificate's owner is known by the common name.
    """
    rules = [
        f"RULE:^{re.escape(subject).replace('/', chr(92) + '/')}$/{host}/"
        for host, subject in subjects.items()
    ] or ["RULE:^CN=([^,]+)(,.*)?$/$1/"]
    return ",".join([*rules, "DEFAULT"]).replace("\\", "\\\\")


def _is_issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class FilterModule(PublicFunctions):
    """The filters of the role pki."""

    prefix = "pki_"
