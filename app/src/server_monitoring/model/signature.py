"""Signatures of records, so that a host that was broken into speaks for itself alone.

The header `signature` is the base64 text of HMAC-SHA256, by a key that one server and the readers
share, over topic, key and value with a NUL between them, which neither topic nor key can hold.
Readers have the keys of all servers, so one of them could sign as any; it is they that decide
what a row means anyway. A record that is sent again as it was is a row that is there twice.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping

SIGNATURE_HEADER = "signature"
KEY_BYTES = 32
GOOD, UNSIGNED, FOREIGN = "good", "unsigned", "foreign"


def parse_key(text: str) -> bytes:
    """Return the key that is written as 64 hexadecimal digits.

    Raises:
        ValueError: something else; the text does not quote it.

    """
    text = text.strip()
    if len(text) != 2 * KEY_BYTES or not text.isascii() or not text.isalnum():
        raise ValueError("a key of 64 hexadecimal digits")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("a key of 64 hexadecimal digits") from None


def sign(key: bytes, topic: str, record_key: bytes, value: bytes) -> bytes:
    """Return the signature of a record by `key`."""
    return b64encode(
        hmac.digest(key, b"%b\0%b\0%b" % (topic.encode(), record_key, value), "sha256")
    )


def check(
    keys: Mapping[str, bytes],
    server_id: str,
    topic: str,
    record_key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> str:
    """Return whether a record is what the server signed.

    Args:
        keys: of the servers, by id.
        server_id: that the record's value names, and for which it would count.
        topic: where it was read.
        record_key: its key.
        value: its value.
        headers: its headers.

    Returns:
        GOOD; UNSIGNED where there is no signature; FOREIGN where it is not that server's, or
        nobody knows a key of it.

    """
    found = next((content for name, content in headers if name == SIGNATURE_HEADER), None)
    if found is None:
        return UNSIGNED
    key = keys.get(server_id)
    if key is None or record_key != server_id.encode():
        return FOREIGN
    wanted = sign(key, topic, record_key, value or b"")
    return GOOD if hmac.compare_digest(wanted, found) else FOREIGN
