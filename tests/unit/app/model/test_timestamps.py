"""The two forms of time stamps, told apart by their text alone."""

from datetime import UTC, datetime, timedelta

import pytest
from server_monitoring.model.timestamps import CLOCK, ISO, TimeForm, form_of, offset_of, zone_of


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
