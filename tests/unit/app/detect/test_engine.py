"""What an engine says of servers that are silent, late, ahead, or not what they should be."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from server_monitoring.detect import engine as engine_module
from server_monitoring.detect.engine import Engine
from server_monitoring.detect.rules import Rules
from server_monitoring.model.live import CLOCK_SECONDS, NO_DATA, read_key, utc_text
from server_monitoring.model.windows import Windows

from tests.unit.app.detect.detect_rows import DAY, Given, feed, numbered, rules

HIGH, LOW = "99.0", "1.0"


def steady(server_id: str, first: int, last: int, value: str = HIGH, **of: Any) -> list[Given]:
    """Return a row of each second from `first` to `last` of the day."""
    return [Given(DAY + second, server_id, value, **of) for second in range(first, last + 1)]


def fed(of: Rules, given: list[Given]) -> Engine:
    """Return an engine that took the same rows of both metrics."""
    engine = Engine(of)
    feed(engine, [numbered(given), numbered(given)])
    return engine


def told(engine: Engine, kind: str) -> list[dict[str, Any]]:
    """Return what the engine has to tell of a kind."""
    records = [json.loads(out.value or b"") for out in engine.output().alerts]
    return [record for record in records if record["kind"] == kind]


def restored(engine: Engine, of: Rules) -> Engine:
    """Return a new engine with the states that this one wrote."""
    new = Engine(of)
    for key, out in engine.output().states.items():
        _, server_id, label = read_key(key)
        new.restore(out.partition, server_id, label, out.value)
    return new


def test_the_sample_at_a_windows_end_closes_it() -> None:
    """And none before; its record says all that there is to say of it."""
    engine = fed(rules(), steady("a", 0, 28))
    assert [at.start - DAY for _, at, _ in engine.output().windows] == [-20, -10]
    feed(engine, [numbered(steady("a", 29, 29), 29)] * 2)
    (window,) = told(engine, "window")
    assert window == {
        "kind": "window",
        "id": window["id"],
        "group": "cpu_mem",
        "server_id": "a",
        "window_start": utc_text(DAY),
        "window_end": utc_text(DAY + 30),
        "alert": "High CPU + Memory stress",
        "values": {"avg_cpu": "99.00", "avg_mem": "99.00"},
        "thresholds": {"cpu_pct": "82.1", "mem_pct": "80.02"},
    }


def test_a_silent_server_has_no_data_until_a_row_comes_and_its_windows_wait() -> None:
    """Silence closes nothing: what was spooled meanwhile makes whole windows."""
    of = rules()
    engine = fed(of, steady("a", 0, 33, LOW))
    engine.output()
    assert not engine.due(DAY + 34)
    assert not engine.due(DAY + 34 + 35)
    assert engine.due(DAY + 34 + 36)
    engine.tick(DAY + 34 + 36)
    assert not engine.due(DAY + 34 + 37)
    output = engine.output()
    assert output.windows == []
    (fired,) = (json.loads(out.value or b"") for out in output.alerts)
    expected = {"alert": NO_DATA, "state": "firing", "since": utc_text(DAY + 33), "windows": 0}
    assert expected.items() <= fired.items()
    spooled = [row._replace(arrived=DAY + 1000) for row in steady("a", 34, 999, LOW)]
    feed(engine, [numbered(spooled, 34)] * 2)
    output = engine.output()
    (resolved,) = (json.loads(out.value or b"") for out in output.alerts)
    assert (resolved["state"], resolved["since"]) == ("resolved", fired["since"])
    assert [at.start - DAY for _, at, _ in output.windows] == list(range(10, 980, 10))
    assert not engine.counted()


def test_a_server_that_a_restart_finds_silent_is_told_once() -> None:
    """Known from the states alone; rows that are read again do not end it."""
    of, rows = rules(), steady("a", 0, 33, LOW)
    engine = restored(fed(of, rows), of)
    assert not engine.due(DAY + 10_000)
    assert not engine.due(DAY + 10_035)
    engine.tick(DAY + 10_036)
    assert [t["state"] for t in told(engine, "transition")] == ["firing"]
    engine = fed(of, rows)
    engine.tick(DAY)
    engine.tick(DAY + 100)
    again = restored(engine, of)
    feed(again, [numbered(rows)] * 2)
    again.tick(DAY + 10_000)
    again.tick(DAY + 20_000)
    assert told(again, "transition") == []


def test_a_clock_that_is_ahead_touches_no_other_server() -> None:
    """Its rows are counted and raise nothing; it is not silent either."""
    ahead = [row._replace(second=row.second + 3600) for row in steady("ahead", 0, 99)]
    given = [row for pair in zip(ahead, steady("b", 0, 99), strict=True) for row in pair]
    engine = fed(rules(), [r if r.server_id == "b" else r._replace(arrived=DAY) for r in given])
    assert engine.servers["ahead"].counts == {"future": 200}
    assert {t["server_id"] for t in told(engine, "window")} == {"b"}
    engine.tick(DAY)
    assert not engine.due(DAY + 30)


def test_windows_for_which_no_row_is_taken_any_more_close() -> None:
    """Two hours after their end, and not before; rows of then are late."""
    of = rules(silence_seconds=86_400)
    engine = fed(of, steady("a", 0, 29))
    end = DAY + 30 + of.late_seconds + CLOCK_SECONDS
    assert len(told(engine, "window")) == 3
    assert engine.needed() == {(0, 0): 10, (1, 0): 10}
    assert not engine.due(end + 9)
    for at, start in ((end + 10, 10), (end + 20, 20)):
        assert engine.due(at)
        engine.tick(at)
        assert [t["window_start"] for t in told(engine, "window")] == [utc_text(DAY + start)]
    assert engine.needed() == {}
    feed(engine, [numbered(steady("a", 30, 30, arrived=end + 20), 30)] * 2)
    assert engine.counted() == {"late": 2}


def test_a_server_of_one_metric_has_no_windows_and_is_bounded() -> None:
    """As in the batch, where both must have a value; its rows go when they are too old."""
    of = rules(silence_seconds=86_400)
    engine = Engine(of)
    engine.take(0, 0, numbered(steady("a", 0, 99)))
    assert engine.output().windows == []
    engine.tick(DAY + 100_000)
    assert engine.needed() == {}
    assert engine.output().windows == []


def test_rows_that_do_not_count_are_counted_once_also_when_read_again() -> None:
    """By reason, of their server."""
    engine = fed(rules(), steady("a", 0, 30))
    given = [*steady("a", 25, 30, LOW), *steady("a", 3, 3)]
    engine.take(0, 0, numbered(given, 31))
    assert engine.servers["a"].counts == {"duplicate": 6, "late": 1}
    again = fed(rules(), steady("a", 0, 30))
    again.take(0, 0, numbered(given, 31), known_to=31 + len(given))
    assert not again.counted()


def test_thresholds_of_a_server_or_a_pattern_go_before_the_general_ones() -> None:
    """The first that names server and column."""
    own = {
        "db-1": {"cpu_pct": Decimal(100)},
        "db-*": {"cpu_pct": Decimal(98), "mem_pct": Decimal(99)},
    }
    of = rules(thresholds=own)
    given = [*steady("db-1", 0, 29), *steady("db-2", 0, 29), *steady("web", 0, 29)]
    labels = {t["server_id"]: t["alert"] for t in told(fed(of, given), "window")}
    assert labels == {"db-2": "CPU spike suspected", "web": "High CPU + Memory stress"}
    assert of.limits("db-1").texts == {"cpu_pct": "100", "mem_pct": "99"}


@pytest.mark.parametrize(("length", "slide", "starts"), [(20, 10, [30]), (60, 20, [20])])
def test_with_other_windows_an_open_one_goes_on(length: int, slide: int, starts: list[int]) -> None:
    """The first that holds all its rows, and ends after the last that was closed."""
    before, rows = rules(), steady("a", 0, 39)
    engine = fed(before, rows)
    needed = engine.needed()[0, 0]
    assert needed == 20
    after = replace(before, windows=Windows(length, slide, None))
    again = restored(engine, after)
    feed(again, [numbered([*rows[needed:], *steady("a", 40, 79)], needed)] * 2)
    assert [at.start - DAY for _, at, _ in again.output().windows][: len(starts)] == starts


def test_flapping_values_fire_and_resolve_once() -> None:
    """With `for` and `clear` at 3: peaks and counts are of the windows with the label."""
    of = rules(for_windows=3, clear_windows=3)
    of = replace(of, windows=Windows(10, 10, None))
    pattern = "L H L H H L H H H L H L L H L L L H L L"
    given: list[Given] = []
    for at, mark in enumerate(pattern.split()):
        value = LOW if mark == "L" else f"{90 + at}.5"
        given += steady("a", 10 * at, 10 * at + 9, value)
    moved = [
        (t["state"], t["since"], t["at"], t["peak"], t["windows"])
        for t in told(fed(of, given), "transition")
    ]
    since = utc_text(DAY + 60)
    peaks = [{"avg_cpu": f"{top}.50", "avg_mem": f"{top}.50"} for top in (98, 103)]
    assert moved == [
        ("firing", since, utc_text(DAY + 90), peaks[0], 3),
        ("resolved", since, utc_text(DAY + 170), peaks[1], 5),
    ]


def test_made_up_servers_end_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are known go on."""
    monkeypatch.setattr(engine_module, "MOST_SERVERS", 2)
    engine = fed(rules(), [*steady("a", 0, 1), *steady("b", 0, 1), *steady("c", 0, 1)])
    assert set(engine.servers) == {"a", "b"}
    assert engine.counted() == {"refused": 4}
