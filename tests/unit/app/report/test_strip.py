"""The heat strip of a server, and of all of them."""

from server_monitoring.report.strip import BINS, Strip

from tests.unit.app.app_incidents import FULL, HOT, merged


def test_a_strip_shows_the_worst_of_each_stretch() -> None:
    """An incident fills exactly the stretches it shares time with, one at least."""
    strip = Strip(0, BINS * 10)
    mild, bad = merged((0, HOT, "81", "0"), (20, FULL, "0", "99"))
    assert strip.levels([mild]) == "111" + "0" * (BINS - 3)
    assert strip.levels([bad, mild]) == "11444" + "0" * (BINS - 5)
    assert strip.counts([mild, bad])[:6] == [1, 1, 1, 1, 1, 0]
    late = merged((BINS * 10 - 1, HOT, "81", "0"))
    assert strip.levels(late).rstrip("0").endswith("01")
    assert len(strip.levels(late)) == BINS
