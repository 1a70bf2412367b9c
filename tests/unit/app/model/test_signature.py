"""Signatures: a good one, none, and whatever somebody else made of it."""

import hashlib
import hmac
from base64 import b64encode

import pytest
from server_monitoring.model.signature import (
    FOREIGN,
    GOOD,
    SIGNATURE_HEADER,
    UNSIGNED,
    check,
    parse_key,
    sign,
)

KEYS = {"a": bytes(range(32)), "b": bytes(32)}
TOPIC, VALUE = "topic-cpu", b'{"ts": "2024-06-01T12:00:00Z", "server_id": "a", "cpu_pct": 1.0}'


def headers(signature: bytes | None) -> list[tuple[str, bytes | None]]:
    """Return a record's headers."""
    return [("run_id", b"live"), ("row", b"1"), (SIGNATURE_HEADER, signature)]


def test_a_signature_is_what_it_is_documented_to_be() -> None:
    """So that a program in another language can make or check it."""
    content = b"topic-cpu\0a\0" + VALUE
    wanted = b64encode(hmac.new(KEYS["a"], content, hashlib.sha256).digest())
    assert sign(KEYS["a"], TOPIC, b"a", VALUE) == wanted
    assert check(KEYS, "a", TOPIC, b"a", VALUE, headers(wanted)) == GOOD


def test_a_record_without_a_signature_is_unsigned() -> None:
    """Of a server with a key, or of one without."""
    for server_id in ("a", "c"):
        assert check(KEYS, server_id, TOPIC, b"a", VALUE, headers(None)[:2]) == UNSIGNED


@pytest.mark.parametrize(
    "other",
    [
        {"topic": "topic-mem"},
        {"value": VALUE + b" "},
        {"value": None},
        {"server_id": "b"},
        {"server_id": "b", "record_key": b"b"},
        {"record_key": b"b"},
        {"record_key": None},
        {"headers": headers(b"")},
        {"headers": headers(b"\xff")},
        {"headers": headers(sign(KEYS["b"], TOPIC, b"a", VALUE))},
        {"keys": {}},
        {"keys": {"a": KEYS["b"]}},
    ],
)
def test_a_record_that_the_server_did_not_sign_is_foreign(other: dict[str, object]) -> None:
    """Another topic, value, name or key; a server may not speak in the name of another one."""
    good = {
        "keys": KEYS,
        "server_id": "a",
        "topic": TOPIC,
        "record_key": b"a",
        "value": VALUE,
        "headers": headers(sign(KEYS["a"], TOPIC, b"a", VALUE)),
    }
    assert check(**good) == GOOD  # type: ignore[arg-type]
    assert check(**(good | other)) == FOREIGN  # type: ignore[arg-type]


def test_a_server_that_signs_another_ones_name_by_its_own_key_is_foreign() -> None:
    """Its key stands for its name, whatever the value says."""
    signature = sign(KEYS["b"], TOPIC, b"b", VALUE)
    assert check(KEYS, "a", TOPIC, b"b", VALUE, headers(signature)) == FOREIGN
    signature = sign(KEYS["a"], TOPIC, b"b", VALUE)
    assert check(KEYS, "a", TOPIC, b"b", VALUE, headers(signature)) == FOREIGN


def test_a_key_is_64_hexadecimal_digits() -> None:
    """With a line end, in either case."""
    assert parse_key("0F" * 32 + "\n") == b"\x0f" * 32
    for text in ("", "0f" * 31, "0f" * 33, "0g" * 32, "0f " * 32, "\u0660" * 64):
        with pytest.raises(ValueError, match=r"^a key of 64 hexadecimal digits$"):
            parse_key(text)
