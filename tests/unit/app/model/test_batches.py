"""Values at once are what they are one by one, or are left to be looked at one by one."""

import json
import math
import random
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_monitoring.model.batches import (
    canonical_column,
    canonical_texts,
    decode_values,
    row_numbers,
)
from server_monitoring.model.values import VALUE_LIMIT, canonical_double, canonical_value
from server_monitoring.model.wire import decode_value, encode_value, row_number

from tests.unit.app.model.no_objects import NO_OBJECTS

RUN = ("run_id", b"r1")
USUAL = encode_value("20:52:00", '"a"', "cpu_pct", "12.5")


def doubles(count: int) -> Iterator[float]:
    """Yield doubles of all bit patterns and of the usual ranges."""
    rng = random.Random(47)
    for _ in range(count):
        bits: float = struct.unpack("<d", rng.randbytes(8))[0]
        yield from (
            bits,
            rng.uniform(0, 100),
            round(rng.uniform(-1e4, 1e4), rng.randrange(6)),
            rng.uniform(-1e12, 1e12),
            rng.random() * 10.0 ** rng.randrange(-20, 12),
        )


def test_texts_of_doubles_are_those_made_one_by_one() -> None:
    """Each alone, so that none hides behind another; many of them are not left over."""
    taken = 0
    for number in doubles(20_000):
        texts = None if math.isnan(number) else canonical_texts([number])
        if texts is not None:
            assert texts == [canonical_double(number)]
            taken += 1
    assert taken > 60_000


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        [1.0, float("nan")],
        [float("nan"), 1.0],
        [1.0, float("inf")],
    ],
)
def test_a_batch_without_numbers_or_with_one_that_is_not_finite_is_left_over(
    numbers: list[float],
) -> None:
    """It is refused: that is found out one by one."""
    assert canonical_texts(numbers) is None


@pytest.mark.parametrize(
    "number",
    [
        -float(VALUE_LIMIT),
        float(VALUE_LIMIT),
        -0.0,
        1e-7,
        1.234567890123456e-5,
        5e-324,
        1e16,
        1e308,
    ],
)
def test_an_unusual_double_is_written_as_one_by_one_beside_usual_ones(number: float) -> None:
    """And the others stay as they are."""
    assert canonical_texts([1.0, number, -0.25]) == ["1.0", canonical_double(number), "-0.25"]


TEXTS = st.one_of(
    st.from_regex(r"[+-]?[0-9]{0,14}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.sampled_from(["", " 1", "1_0", "nan", "-inf", "\u0661", "1,2", "0x1", "1e999", "5"]),
    st.floats(allow_nan=False).map(repr),
)


@given(st.lists(TEXTS, max_size=5))
def test_a_column_is_what_its_fields_are_one_by_one(texts: list[str]) -> None:
    """Or it is left over; with a field that is refused, it always is."""
    found = canonical_column(texts)
    if found is not None:
        assert found == [text and canonical_value(text) for text in texts]


def test_a_column_of_numbers_with_gaps_is_not_left_over() -> None:
    """Other spellings of a number too."""
    assert canonical_column(["5", "", "+1.50", "7.", ""]) == ["5.0", "", "1.5", "7.0", ""]
    assert canonical_column(["", ""]) == ["", ""]


def headers(row: bytes | None, run: tuple[str, bytes] = RUN) -> list[tuple[str, bytes | None]]:
    """Return a record's headers."""
    return [run, ("row", row)]


def test_row_numbers_of_a_whole_batch_are_read() -> None:
    """Ascending above the last one that is stored."""
    batch = [headers(b"%d" % row) for row in (8, 9, 12)]
    assert row_numbers(batch, RUN, 7) == [8, 9, 12] == [row_number(each) for each in batch]


@pytest.mark.parametrize(
    "batch",
    [
        [],
        [headers(b"8"), headers(b"9", ("run_id", b"r0"))],
        [headers(b"8"), headers(b"9", ("other", b"r1"))],
        [headers(b"7")],
        [headers(b"8"), headers(b"8")],
        [headers(b"9"), headers(b"8")],
        [headers(b"8"), headers(None)],
        [headers(b"8"), headers(b"")],
        [headers(b"8"), headers(b" 9")],
        [headers(b"8"), headers(b"1_0")],
        [headers(b"8"), headers(b"9" * 19)],
        [headers(b"8"), [("row", b"9"), RUN]],
        [headers(b"8"), [RUN]],
        [headers(b"8"), []],
        [headers(b"8"), [*headers(b"9"), ("row", b"3")]],
        [headers(b"8"), [RUN, ("rows", b"9")]],
    ],
)
def test_a_batch_that_is_not_all_new_rows_of_one_run_is_left_over(
    batch: list[list[tuple[str, bytes | None]]],
) -> None:
    """Foreign, sent twice, or without a row number: that is counted one by one."""
    assert row_numbers(batch, RUN, 7) is None


def test_values_of_a_batch_are_decoded_as_one_by_one() -> None:
    """Ids that JSON escapes, other writers' spacing and order too."""
    ids = ["a", 'b"c', "d,e", "f\ng", "Zürich \U0001f4a1"]
    values = [encode_value("20:52:00", json.dumps(name), "cpu_pct", "12.5") for name in ids]
    values.append(b'{"cpu_pct":0.25, "more":[1],"server_id":"a","ts":"2024-05-01T20:52:00Z"}')
    assert decode_values(values, "cpu_pct") == [decode_value(v, "cpu_pct") for v in values]


@pytest.mark.parametrize(
    "value",
    [
        *NO_OBJECTS,
        USUAL.replace(b"12.5", b"NaN"),
        USUAL.replace(b"12.5", b"7"),
        USUAL.replace(b"12.5", b"true"),
        USUAL.replace(b"12.5", b'"12.5"'),
        USUAL.replace(b"12.5", b"1e999"),
        USUAL.replace(b"12.5", b"1.0}, {"),
        USUAL.replace(b"cpu_pct", b"mem_pct"),
        USUAL.replace(b"20:52:00", b"20:52:60"),
        USUAL.replace(b'"20:52:00"', b"7"),
        USUAL.replace(b'"20:52:00"', b"[]"),
        USUAL.replace(b'"a"', b'""'),
        USUAL.replace(b'"a"', b"7"),
        USUAL.replace(b'"a"', b"{}"),
        USUAL.replace(b'"a"', b'"\\u0000"'),
        USUAL.replace(b'"a"', b'"\\ud800"'),
    ],
)
def test_a_batch_with_an_unusual_value_is_left_over(value: bytes | None) -> None:
    """Wherever it stands in the batch."""
    assert decode_values([USUAL], "cpu_pct") == [("20:52:00", "a", "12.5")]
    assert decode_values([USUAL, value], "cpu_pct") is None
    assert decode_values([value, USUAL], "cpu_pct") is None


@pytest.mark.parametrize(
    "text", [" 1", "1 ", "1_0", "\u0661", "infinity", "nan", "0x1", "1,2", "1\n"]
)
def test_a_column_with_a_text_that_only_python_takes_for_a_number_is_left_over(text: str) -> None:
    """It is refused one by one; the others must not hide it."""
    assert canonical_column(["1.5", text]) is None
