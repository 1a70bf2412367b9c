"""The two forms of time stamps, told apart by their text alone."""

from datetime import UTC, datetime, timedelta

import pytest
from server_monitoring.model.timestamps import (
    CLOCK,
    ISO,
    TimeForm,
    _form_of,
    canonical_time,
    epoch_time,
    form_of,
    offset_of,
    seconds_of,
    zone_of,
)


@pytest.mark.parametrize(
    ("text", "form", "second"),
    [
        ("00:00:00", CLOCK, 0),
        ("09:05:59", CLOCK, 32_759),
        ("23:59:59", CLOCK, 86_399),
        ("1970-01-01T00:00:00Z", ISO, 0),
        ("2024-05-01T20:52:00Z", ISO, 1_714_596_720),
        ("2024-05-01T22:52:00+02:00", ISO, 1_714_596_720),
        ("2024-05-01T15:22:00-05:30", ISO, 1_714_596_720),
        ("2024-02-29T00:00:00+00:00", ISO, 1_709_164_800),
    ],
)
def test_a_text_has_one_form_and_one_second(text: str, form: TimeForm, second: int) -> None:
    """Zones are counted in."""
    assert form_of(text) is form
    assert form.to_seconds(text) == second


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24:00:00",
        "12:60:00",
        "12:00:60",
        "1:00:00",
        "12:00",
        "12:00:00 ",
        "\uff11\uff12:00:00",
        "12:00:00\n",
        "2024-05-01T20:52:00",
        "2024-05-01 20:52:00Z",
        "2024-05-01T20:52:00z",
        "2024-05-01T20:52Z",
        "2024-05-01T20:52:00.5Z",
        "2024-05-01T24:00:00Z",
        "2024-05-01T20:52:60Z",
        "2024-05-01T20:52:00+0200",
        "2024-05-01T20:52:00+24:00",
        "2024-05-01T20:52:00Z\n",
        "2024-02-30T20:52:00Z",
        "2023-02-29T20:52:00Z",
        "2024-13-01T20:52:00Z",
        "2024-W18-3T20:52:00Z",
        "20240501T205200Z",
        "1969-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_has_no_form(text: str) -> None:
    """Also digits of other scripts, surrounding blanks, times without a zone, and no such day."""
    assert form_of(text) is None


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+02:00", "-05:30", "+13:45", "-23:59"])
def test_the_zone_and_its_offset_are_those_of_the_text(zone: str) -> None:
    """As Python itself reads them."""
    text = f"2024-05-01T20:52:00{zone}"
    assert zone_of(text) == zone
    local = datetime(2024, 5, 1, 20, 52, tzinfo=UTC)
    assert timedelta(seconds=offset_of(zone)) == local - datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("20:52:00", "20:52:00"),
        ("20:52:00.999999", "20:52:00"),
        ("2026-01-31T20:52:00Z", "2026-01-31T20:52:00Z"),
        ("2026-01-31T20:52:00.123456789Z", "2026-01-31T20:52:00Z"),
        ("2026-01-31T20:52:59,9+01:00", "2026-01-31T20:52:59+01:00"),
        ("2026-01-31 20:52:00+0100", "2026-01-31T20:52:00+01:00"),
        ("2026-01-31 20:52:00-03", "2026-01-31T20:52:00-03:00"),
        ("2026-01-31t20:52:00z", "2026-01-31T20:52:00Z"),
    ],
)
def test_a_time_as_others_write_it_becomes_canonical(text: str, canonical: str) -> None:
    """What comes out has a form, and stays as it is."""
    assert canonical_time(text) == canonical
    assert form_of(canonical) is not None
    assert canonical_time(canonical) == canonical
    assert seconds_of(canonical) == seconds_of(text) if form_of(text) else True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20:52",
        "20:52:00.",
        " 20:52:00",
        "20:52:00Z",
        "2026-02-30T20:52:00Z",
        "2026-01-31T20:52:60Z",
        "2026-01-31  20:52:00Z",
        "2026-01-31T20:52:00 +01:00",
        "2026-01-31T20:52:00+1",
        "2026-01-31T20:52:00+24:00",
        "1969-12-31T23:59:59Z",
        "\uff12026-01-31T20:52:00Z",
    ],
)
def test_what_is_no_time_is_none_in_any_way_to_write_it(text: str) -> None:
    """Without a reason beside that."""
    with pytest.raises(ValueError, match=r"^$"):
        canonical_time(text)


@pytest.mark.parametrize("text", ["2026-01-31T20:52:00", "2026-01-31 20:52:00.5"])
def test_a_missing_zone_is_said(text: str) -> None:
    """It cannot be guessed."""
    with pytest.raises(ValueError, match="the zone is missing"):
        canonical_time(text)


@pytest.mark.parametrize(
    ("text", "per_second", "canonical"),
    [
        ("0", 1, "1970-01-01T00:00:00Z"),
        ("1769892720", 1, "2026-01-31T20:52:00Z"),
        ("1769892720.999", 1, "2026-01-31T20:52:00Z"),
        ("1769892720999", 1000, "2026-01-31T20:52:00Z"),
        ("1769892720999.5", 1000, "2026-01-31T20:52:00Z"),
        ("32503679999", 1, "2999-12-31T23:59:59Z"),
    ],
)
def test_counts_since_1970_become_times_in_utc(text: str, per_second: int, canonical: str) -> None:
    """Floored to whole seconds."""
    assert epoch_time(text, per_second) == canonical


@pytest.mark.parametrize("text", ["", "-1", "1e9", "32503680000", "9" * 15, "20:52:00", " 1"])
def test_what_is_no_count_of_seconds_is_refused(text: str) -> None:
    """Also one after the year 2999."""
    with pytest.raises(ValueError, match=r"^$"):
        epoch_time(text, 1)


def test_no_long_text_is_kept_by_the_cache() -> None:
    """A record may say what it likes about its time."""
    before = _form_of.cache_info()
    assert form_of("2" * 100_000) is None
    assert _form_of.cache_info() == before
