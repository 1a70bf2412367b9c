"""The wire format, canonical numbers and the choice of the partition."""

import json
import math
import random
import re
import struct
from decimal import Decimal

import pytest
from kafka.partitioner.default import murmur2 as client_murmur2
from server_monitoring.model.batches import decode_values
from server_monitoring.model.values import (
    POSITIONAL_PATTERN,
    WIDE_MARKS,
    WIDE_PATTERN,
    canonical_double,
    canonical_value,
    check_record_id,
    check_server_id,
    decimal_text,
    is_wide,
)
from server_monitoring.model.wire import (
    decode_value,
    encode_value,
    murmur2,
    partition_for,
    row_number,
)

from tests.unit.app.model.no_objects import NO_OBJECTS


@pytest.mark.parametrize(
    ("headers", "row"),
    [
        ([("row", b"2")], 2),
        ([("run_id", b"r1"), ("row", b"0017"), ("other", None)], 17),
        ([("row", b"9" * 18)], 10**18 - 1),
    ],
)
def test_the_row_number_is_read_from_its_header(
    headers: list[tuple[str, bytes | None]], row: int
) -> None:
    """Wherever it stands among others."""
    assert row_number(headers) == row


@pytest.mark.parametrize("value", [None, b"", b"0", b"-2", b"2.0", b" 2", b"x", b"9" * 19, b"\xb2"])
def test_a_header_that_is_no_row_number_is_refused(value: bytes | None) -> None:
    """A later header of the same name does not mend it."""
    with pytest.raises(ValueError, match="no row number in the header row"):
        row_number([("row", value), ("row", b"2")])
    with pytest.raises(ValueError, match="no row number in the header row"):
        row_number([("run_id", b"2")])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (29.159114052953157, "29.159114052953157"),
        (5.0, "5.0"),
        (1e-05, "0.00001"),
        (1.5e-17, "0.000000000000000015"),
        (1e16, "10000000000000000.0"),
        (-0.0, "0.0"),
        (-2.5, "-2.5"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_a_double_prints_as_its_shortest_positional_decimal(value: float, text: str) -> None:
    """No exponent, a digit after the point, and no minus zero."""
    assert decimal_text(value) == text


def test_decimal_text_of_random_doubles_reads_back_as_the_same_double() -> None:
    """Over all bit patterns, the text is the double and has no more digits than repr."""
    rng = random.Random(47)
    for _ in range(20_000):
        value = struct.unpack("<d", rng.randbytes(8))[0]
        if value - value != 0:  # NaN or infinite
            continue
        text = decimal_text(value)
        assert float(text) == value
        assert "e" not in text
        assert Decimal(text) == Decimal(repr(value))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("42", "42.0"), ("+1.50", "1.5"), ("1e3", "1000.0"), (".5", "0.5"), ("7.", "7.0"),
     ("999999999999.9999", "999999999999.9999"), ("1e-18", "0.000000000000000001"),
     ("1e12", "1E+12"), ("-1000000000000", "-1E+12"), ("1.22488121344e+012", "1.22488121344E+12"),
     ("1e-19", "1E-19"), ("1.25e-17", "1.25E-17"), ("5e-324", "5E-324"), ("3e-324", "5E-324"),
     ("0.0012345678901234567", "1.2345678901234567E-3"), ("-1e-400", "0.0"),
     ("9.999999974752427e-07", "9.999999974752427E-7"), ("1e16", "1E+16"),
     ("1.7976931348623157e308", "1.7976931348623157E+308")],
)  # fmt: skip
def test_a_number_becomes_canonical(text: str, canonical: str) -> None:
    """Other spellings of a number end as the shortest text of its double."""
    assert canonical_value(text) == canonical


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "finite number"),
        ("abc", "finite number"),
        ("nan", "finite number"),
        ("inf", "finite number"),
        ("-Infinity", "finite number"),
        ("1e999", "finite number"),
        ("1_000", "finite number"),
        (" 1", "finite number"),
        ("\u0661", "finite number"),
        ("0x10", "finite number"),
        ("1.8e308", "finite number"),
    ],
)
def test_what_is_no_finite_number_is_refused(text: str, expected: str) -> None:
    """The error says what was expected."""
    with pytest.raises(ValueError, match=re.escape(expected)):
        canonical_value(text)


def test_the_canonical_text_of_any_double_is_it_and_matches_one_of_two_patterns() -> None:
    """Also at the edges; the wide ones alone have their mark."""
    rng = random.Random(47)
    edges = [1e12, 1e-18, 5e-324, 1.7976931348623157e308, 1e308, 9e307, 2.2250738585072014e-308]
    edges += [math.nextafter(edge, way) for edge in edges[:2] for way in (0, math.inf)]
    found = [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(20_000)]
    found += [rng.random() * 10.0 ** rng.randrange(-21, 16) for _ in range(20_000)]
    wide = 0
    for value in [*edges, *filter(math.isfinite, found)]:
        text = canonical_double(value)
        assert float(text) == value
        assert len(Decimal(text).as_tuple().digits) <= 18 or not is_wide(text)
        assert is_wide(text) == any(mark in text for mark in WIDE_MARKS)
        pattern = WIDE_PATTERN if is_wide(text) else POSITIONAL_PATTERN
        assert re.fullmatch(pattern, text), text
        wide += is_wide(text)
    assert wide > 20_000


@pytest.mark.parametrize("text", ["5E-324", "1E+16", "-1.22488121344E+12"])
def test_a_wide_value_travels_as_a_json_number(text: str) -> None:
    """Other clients read it as the same double."""
    made = encode_value("20:52:00", '"a"', "cpu_pct", text)
    assert json.loads(made)["cpu_pct"] == float(text)
    assert decode_value(made, "cpu_pct").value == text
    assert decode_values([made], "cpu_pct") == [("20:52:00", "a", text)]


@pytest.mark.parametrize(
    "server_id", ["server-1", 'a"b\\c', "Zürich", "a,b\nc", "\U0001f4a1", "\x07"]
)
def test_a_value_is_byte_for_byte_what_json_dumps_writes(server_id: str) -> None:
    """The reference implementation's format, including the escaping of the server id."""
    made = encode_value("20:52:00", json.dumps(server_id), "cpu_pct", "12.5")
    whole = json.dumps({"ts": "20:52:00", "server_id": server_id, "cpu_pct": 12.5})
    assert made == whole.encode()
    assert decode_value(made, "cpu_pct") == ("20:52:00", server_id, "12.5")


@pytest.mark.parametrize(
    "value",
    [
        *NO_OBJECTS,
        b"{}",
        b'"ts"',
        b"[" * 100_000,
        b'{"ts": "20:52:00", "server_id": "a"}',
        b'{"ts": "20:52:00", "server_id": "a", "mem_pct": 1.0}',
        b'{"ts": "20:52:00", "server_id": "a", "cpu_pct": "1.0"}',
        b'{"ts": "20:52:00", "server_id": "a", "cpu_pct": true}',
        b'{"ts": "20:52:00", "server_id": "a", "cpu_pct": NaN}',
        b'{"ts": "20:52:00", "server_id": "a", "cpu_pct": 1e999}',
        b'{"ts": "20:52:60", "server_id": "a", "cpu_pct": 1.0}',
        b'{"ts": 205200, "server_id": "a", "cpu_pct": 1.0}',
        b'{"ts": "20:52:00", "server_id": "", "cpu_pct": 1.0}',
        b'{"ts": "20:52:00", "server_id": "\\ud800", "cpu_pct": 1.0}',
        b'{"ts": "20:52:00", "server_id": ["a"], "cpu_pct": 1.0}',
    ],
)
def test_a_malformed_value_is_refused_with_a_value_error(value: bytes | None) -> None:
    """Whatever the bytes are, the consumer has one exception to count."""
    with pytest.raises(ValueError, match=r"."):
        decode_value(value, "cpu_pct")


def test_whole_numbers_and_exponents_of_other_writers_become_canonical() -> None:
    """A JSON number need not have been written by this producer."""
    value = b'{"cpu_pct": 1e-05, "server_id": "a", "ts": "00:00:00", "more": [1]}'
    assert decode_value(value, "cpu_pct").value == "0.00001"
    assert decode_value(value.replace(b"1e-05", b"7"), "cpu_pct").value == "7.0"


@pytest.mark.parametrize("server_id", ["", "a\0b", "\udcff", "a" * 256])
def test_a_server_id_that_cannot_travel_is_refused(server_id: str) -> None:
    """Empty, with NUL, not UTF-8, or too long: so caches are bounded in bytes."""
    for check in (check_server_id, check_record_id):
        with pytest.raises(ValueError, match="server id"):
            check(server_id)


def test_a_record_of_an_older_version_may_have_a_line_end_in_its_id() -> None:
    """A run that it began goes on; a data set may no longer have one."""
    value = json.dumps({"ts": "20:52:00", "server_id": "a\nb ", "cpu_pct": 1.0}).encode()
    assert decode_value(value, "cpu_pct").server_id == "a\nb "
    assert decode_values([value], "cpu_pct") == [("20:52:00", "a\nb ", "1.0")]
    with pytest.raises(ValueError, match="without line ends"):
        check_server_id("a\nb")


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        # The vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_equals_kafkas_own_vectors(key: bytes, hashed: int) -> None:
    """As signed 32-bit numbers, the way Java prints them."""
    assert murmur2(key) == hashed % 2**32


def test_partitions_equal_those_of_the_client_for_keys_of_every_length() -> None:
    """The client library's default partitioner would choose the same."""
    rng = random.Random(47)
    for length in range(1, 300):
        key = "".join(rng.choice("abcäöü€\U0001f4a1") for _ in range(length))
        chosen = (client_murmur2(key.encode()) & 0x7FFFFFFF) % 7
        assert partition_for(key, 7) == chosen
