"""The plan of a storm over live mode: whom it meets, and that its seed repeats it."""

from itertools import chain, islice

from tests.live.kill_plan import AGENT, AIM_SECONDS, BROKER, CONSUMER, DETECTOR, Kill, Victims, plan

UNITS = {AGENT: ["a", "b", "c"], CONSUMER: ["c1", "c2"], DETECTOR: ["d1", "d2"]}
VICTIMS = Victims(UNITS, ["1", "2", "3"])


def first(count: int, seed: int = 47) -> list[Kill]:
    """Return the first kills of a plan."""
    return list(islice(plan(VICTIMS, seed), count))


def test_each_turn_has_each_kind_and_each_kind_after_a_broker() -> None:
    """Two units of a kind are two; every agent and broker is met before long."""
    for turn in (first(20)[:10], first(20)[10:]):
        for kind, units in UNITS.items():
            names = [kill.node for kill in turn if kill.kind == kind]
            assert len(names) == len(set(names)) == 2
            (after,) = (kill for kill in turn if kill.kind == f"{BROKER}, then {kind}")
            assert after.node in units
            assert after.peer in VICTIMS.brokers
        assert [kill.node for kill in turn if kill.kind == BROKER] == [""]
    assert {kill.node for kill in first(100)} == {"", *chain(*UNITS.values())}
    assert {kill.peer for kill in first(100)} == {"", *VICTIMS.brokers}


def test_half_of_the_kills_of_units_alone_are_aimed_at_the_moment_of_a_sample() -> None:
    """The others may happen at any moment."""
    alone = [kill for kill in first(1_000) if not kill.peer]
    aimed = [kill.aimed for kill in alone if kill.aimed is not None]
    assert 0.4 < len(aimed) / len(alone) < 0.6
    assert all(0 <= after <= AIM_SECONDS for after in aimed)


def test_a_seed_repeats_kinds_victims_and_moments() -> None:
    """Another one does not."""
    assert first(40) == first(40) != first(40, seed=48)
