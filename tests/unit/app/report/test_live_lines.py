"""Live alerts as lines for people."""

from typing import Any

import pytest
from server_monitoring.report.live_lines import live_line

FIRED: dict[str, Any] = {
    "kind": "transition",
    "state": "firing",
    "group": "net_disk",
    "server_id": "web-1",
    "alert": "Possible DDoS",
    "since": "2026-11-30T00:00:00Z",
    "at": "2026-11-30T00:00:30Z",
    "peak": {"max_net_in": "4000.00", "max_disk_io": "9.50"},
    "windows": 1,
}
UNITS = {"max_net_in": "kB/s", "max_disk_io": "kB/s"}


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {},
            (
                "2026-11-30T00:00:30Z  FIRING    web-1  net_disk  Possible DDoS  "
                "max_net_in 4000.00 kB/s, max_disk_io 9.50 kB/s"
            ),
        ),
        (
            {"state": "resolved", "at": "2026-11-30T00:05:10Z"},
            (
                "2026-11-30T00:05:10Z  resolved  web-1  net_disk  Possible DDoS  after 5 min 10 s, "
                "peak max_net_in 4000.00 kB/s, max_disk_io 9.50 kB/s"
            ),
        ),
        (
            {"alert": "no data", "peak": {}},
            "2026-11-30T00:00:30Z  FIRING    web-1  net_disk  no data",
        ),
        (
            {"alert": "no data", "peak": {}, "state": "resolved"},
            "2026-11-30T00:00:30Z  resolved  web-1  net_disk  no data  after 30 s",
        ),
        (
            {"alert": "books differ", "server_id": "", "day": "2026-11-29", "differences": 2},
            "2026-11-30T00:00:30Z  FIRING    day 2026-11-29  net_disk  books differ  2 differences",
        ),
        (
            {"peak": {"own": "7"}, "alert": "a\nb\033[2J"},
            "2026-11-30T00:00:30Z  FIRING    web-1  net_disk  a\\u000ab\\u001b[2J  own 7",
        ),
    ],
)
def test_a_transition_is_a_line(changed: dict[str, Any], line: str) -> None:
    """Time, state, server, group, label; values with units, or how long and the peak."""
    assert live_line(FIRED | changed, UNITS, colour=False) == line


def test_colour_is_of_the_state_alone() -> None:
    """Red and green."""
    line = live_line(FIRED, UNITS, colour=True)
    assert line is not None
    assert "  \033[1;31mFIRING  \033[0m  web-1" in line
    line = live_line(FIRED | {"state": "resolved"}, UNITS, colour=True)
    assert line is not None
    assert "  \033[32mresolved\033[0m  web-1" in line


@pytest.mark.parametrize("told", [{"kind": "window"}, {}, {"kind": "position"}])
def test_what_is_no_transition_is_no_line(told: dict[str, Any]) -> None:
    """Windows are too many for people."""
    assert live_line(told, {}, colour=False) is None


@pytest.mark.parametrize(
    "broken", [{"at": None}, {"since": 5}, {"peak": []}, {"peak": None}, {"alert": None}]
)
def test_a_record_of_another_shape_is_a_line_too(broken: dict[str, Any]) -> None:
    """Whoever wrote it, reading goes on."""
    assert live_line(FIRED | broken | {"state": "resolved"}, UNITS, colour=False)
