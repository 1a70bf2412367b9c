"""Clocks, spools and midnights: each server's windows are right, whatever others do."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_monitoring.broker.limits import CONFLUENT
from server_monitoring.model.live import NO_DATA, utc_second, utc_text

from tests.kafka.kafka_broker import Broker
from tests.kafka.live_rows import LIMIT, LiveMode, Sample, abnormal, live_mode
from tests.live.ledger import Ledger, calm

HOUR, STEP = 3_600, 10
MORNING = utc_second("2026-03-01T10:00:00Z")
MIDNIGHT = utc_second("2026-03-02T00:00:00Z")
BOOKED = {"count": 0, "windows": []}


@pytest.fixture
def live(mortal: Broker, tmp_path: Path) -> Iterator[LiveMode]:
    """Return live mode that takes rows of any time."""
    with live_mode(mortal, tmp_path, CONFLUENT) as made:
        yield made


def wild(rng: random.Random, server_id: str, seconds: range) -> list[Sample]:
    """Return samples of which one in two is above the threshold, each metric for itself."""
    return [
        Sample(server_id, second, *(repr(LIMIT + rng.uniform(-30, 30)) for _ in "cm"))
        for second in seconds
    ]


def await_closed(live: LiveMode, second: int) -> None:
    """Wait until the windows of server a that end at a second are closed."""

    def closed() -> bool:
        state = live.states().get(("cpu_mem", "a", ""))
        return state is not None and state["closed_up_to"] == utc_text(second)

    live.wait_for(closed, f"windows up to {utc_text(second)}")


@pytest.mark.long
def test_a_clock_ahead_and_an_hour_of_spool_touch_no_other_servers_windows(live: LiveMode) -> None:
    """The others' are told as their rows come; the spooled ones equal the books in the end."""
    live.configure(late_hours=2)
    rng, ledger = random.Random(5), Ledger(live)
    sent: list[Sample] = []
    rows = 0
    # So late that windows of the whole hour are still open for whoever was cut off.
    begin = int(time.time()) // STEP * STEP - HOUR - HOUR // 4
    last = begin + HOUR - STEP
    for quarter in range(begin, begin + HOUR, HOUR // 4):
        seconds = range(quarter, quarter + HOUR // 4, STEP)
        sent += [sample for server in ("a", "b,c") for sample in wild(rng, server, seconds)]
        ahead = range(seconds.start + HOUR, seconds.stop + HOUR, STEP)
        live.send(wild(rng, "ahead", ahead), later=-HOUR)
        live.send(sent[rows:])
        rows = len(sent)
        live.await_windows(abnormal(sent))
        assert live.windows() == abnormal(sent)
    spooled = wild(rng, "cut off", range(begin, begin + HOUR, STEP)) + calm("cut off", last, STEP)
    live.send(spooled, at=last + 2 * STEP)
    sent += [sample for server in ("a", "b,c") for sample in calm(server, last, STEP)]
    live.send(sent[rows:])
    sent += spooled
    live.await_windows(abnormal(sent))
    assert live.windows() == abnormal(sent)
    ledger.stop(len(sent) + HOUR // STEP)
    books = [
        ledger.close(day) for day in sorted({utc_text(at)[:10] for at in (begin, last + HOUR)})
    ]
    assert all(of_day["differences"] == BOOKED for of_day in books)
    late = {window["server_id"] for of_day in books for window in of_day["late"]["windows"]}
    assert late == {"ahead"}
    assert sum(of_day["alerts_live"]["cpu_mem"] for of_day in books) == len(live.windows())


@pytest.mark.long
def test_a_window_that_spans_midnight_is_of_the_day_in_which_it_starts(live: LiveMode) -> None:
    """Live and in the batch: both days' books are equal, and each window is in one of them."""
    rng, ledger = random.Random(6), Ledger(live)
    first, last = MIDNIGHT - 120, MIDNIGHT + 119
    sent = [
        sample
        for server in ("a", "Zürich 💡")
        for sample in wild(rng, server, range(first, last + 1)) + calm(server, last)
    ]
    sent += [Sample("b,c", second, "99.25", "7.5") for second in range(first, last)]
    sent += calm("b,c", last - 1)
    live.send(sorted(sent, key=lambda sample: sample.second))
    live.await_windows(abnormal(sent))
    assert live.windows() == abnormal(sent)
    ledger.stop(len(sent))
    told = {(row[0], row[1]) for row in live.windows()}
    spanning = {("b,c", utc_text(MIDNIGHT - before)) for before in (10, 20)}
    assert spanning <= told
    found = set()
    for day in ("2026-03-01", "2026-03-02"):
        books = ledger.close(day)
        assert books["differences"] == books["late"] == BOOKED
        of_day = {place for place in told if place[1].startswith(day)}
        assert books["alerts_live"] == books["alerts_batch"] == {"cpu_mem": len(of_day)}
        found |= {(row[0], row[1]) for row in ledger.table(day) if row[-1]}
    assert found == told


def test_values_that_flap_fire_once_and_resolve_once(live: LiveMode) -> None:
    """With `for` and `clear` at 3, also where the detector is killed between two windows."""
    live.pipeline.values |= {"window_seconds": STEP, "slide_seconds": STEP}
    live.configure(for_windows=3, clear_windows=3)
    pattern = "x.xx.x.xxx.x..x.xx..x" + "." * 4
    sent = [
        Sample("a", MORNING + STEP * at, "99.0" if high == "x" else "1.0", "1.0")
        for at, high in enumerate(pattern)
    ]
    for part in (sent[:9], sent[9:14], sent[14:]):
        live.start()
        live.send(part)
        await_closed(live, part[-1].second)
        live.processes[-1].kill()
    label = next(told["alert"] for told in live.told())
    assert live.transitions(label) == [("a", "firing"), ("a", "resolved")]
    assert len(live.windows()) == pattern.count("x")
    assert live.transitions(NO_DATA) == []
