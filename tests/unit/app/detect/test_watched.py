"""Servers that are listed: those that never spoke, and those that are watched no more."""

import json
from typing import Any

import pytest
from server_monitoring.detect.engine import Engine, Output
from server_monitoring.detect.rules import Rules
from server_monitoring.model.live import read_key, utc_text
from server_monitoring.model.wire import partition_for

from tests.unit.app.detect.detect_rows import DAY, Given, feed, numbered, rules

NOW = DAY + 1_000


def states(of: Rules, given: list[Given], ticks: tuple[int, ...] = ()) -> Output:
    """Return what an engine wrote of rows of both metrics, and of silence."""
    engine = Engine(of)
    feed(engine, [numbered(given)] * 2)
    for tick in ticks:
        engine.tick(tick)
    return engine.output()


def begun(of: Rules, written: Output) -> Engine:
    """Return an engine that takes over these states at NOW, of the one partition there is."""
    engine = Engine(of)
    for key, out in written.states.items():
        _, server_id, label = read_key(key)
        engine.restore(out.partition, server_id, label, out.value)
    engine.begin({0}, 1, NOW)
    return engine


def transitions(output: Output) -> list[dict[str, Any]]:
    """Return the transitions among what is told."""
    found = [json.loads(out.value or b"") for out in output.alerts]
    return [told for told in found if told["kind"] == "transition"]


def test_a_listed_server_that_never_spoke_has_no_data() -> None:
    """Once it had the time to speak, and once; its first row ends that."""
    of = rules(servers=("never", "speaks"))
    engine = begun(of, Output())
    row = numbered([Given(NOW + 5, "speaks", "1.0")])
    engine.take(0, 0, row)
    engine.tick(NOW)
    engine.tick(NOW + 36)
    output = engine.output()
    (fired,) = transitions(output)
    assert {
        "server_id": "never",
        "state": "firing",
        "since": utc_text(NOW),
    }.items() <= fired.items()
    again = begun(of, output)
    again.tick(NOW + 100)
    assert {t["server_id"] for t in transitions(again.output())} == set()
    again.take(0, 0, numbered([Given(NOW + 110, "never", "1.0")]))
    (ended,) = transitions(again.output())
    assert (ended["server_id"], ended["state"], ended["since"]) == (
        "never",
        "resolved",
        utc_text(NOW),
    )


@pytest.mark.parametrize("server_id", ["a", "b", "c", "d"])
def test_each_detector_waits_for_the_servers_of_its_own_partitions(server_id: str) -> None:
    """So that one alone tells."""
    for partition in range(3):
        engine = Engine(rules(servers=(server_id,)))
        engine.begin({partition}, 3, NOW)
        assert bool(engine.servers) == (partition_for(server_id, 3) == partition)


def test_a_server_that_had_spoken_but_closed_no_window_is_not_silent_since_1970() -> None:
    """A row that was refused says only that the silence is over."""
    of = rules(servers=("a",))
    ahead = [Given(DAY + 5_000, "a", "1.0", DAY + 100)]
    engine = begun(of, Output())
    engine.tick(NOW)
    engine.tick(NOW + 36)
    engine.take(0, 0, numbered([r._replace(arrived=NOW + 40) for r in ahead]))
    again = begun(of, engine.output())
    again.tick(NOW)
    again.tick(NOW + 36)
    assert [t["since"] for t in transitions(again.output())] == [utc_text(NOW)]


def test_a_server_that_is_listed_no_more_is_forgotten_and_what_fires_is_over() -> None:
    """In one output: a tombstone of each state, and a resolved of each that fires."""
    high = [Given(DAY + n, "gone", "99.0") for n in range(40)]
    kept = [Given(DAY + n, "kept", "99.0") for n in range(40)]
    written = states(rules(), high + kept, (DAY, DAY + 500))
    assert {read_key(k)[1:] for k in written.states} >= {("gone", ""), ("gone", "no data")}
    engine = begun(rules(servers=("kept",)), written)
    assert set(engine.servers) == {"kept"}
    output = engine.output()
    labels = {"", "no data", "High CPU + Memory stress"}
    assert {read_key(k)[1:]: out.value for k, out in output.states.items()} == {
        ("gone", label): None for label in labels
    }
    over = {(t["server_id"], t["alert"], t["state"], t["at"]) for t in transitions(output)}
    assert over == {("gone", label, "resolved", utc_text(NOW)) for label in labels - {""}}
    assert not begun(rules(servers=("kept",)), output).output()


def test_without_a_list_every_server_stays() -> None:
    """As before there was one."""
    written = states(rules(), [Given(DAY + n, "a", "99.0") for n in range(40)])
    engine = begun(rules(), written)
    assert set(engine.servers) == {"a"}
    assert not engine.output()
