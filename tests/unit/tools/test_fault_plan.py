"""The plan of a storm: its victims are the inventory's, and its seed repeats it."""

from itertools import islice

import pytest

from tests.pipeline.fault_plan import (
    BROKER,
    CONSUMER,
    CONTROLLER,
    KINDS,
    LINK,
    PRODUCER,
    Fault,
    Lab,
    lab,
    plan,
)

ONE, THREE = "inventory/lab", "inventory/lab-ha"


@pytest.fixture
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return the lab of an inventory."""
    monkeypatch.setenv("ANSIBLE_INVENTORY", request.param)
    return lab()


def first(found: Lab, count: int, seed: int = 47, without: tuple[str, ...] = ()) -> list[Fault]:
    """Return the first faults of a plan."""
    return list(islice(plan(found, seed, without), count))


@pytest.mark.parametrize("found", [ONE], indirect=True)
def test_with_one_broker_everything_is_killed_in_turn(found: Lab) -> None:
    """Nothing breaks that needs another broker meanwhile."""
    for turn in (first(found, 8)[:4], first(found, 8)[4:]):
        assert {(fault.kind, fault.node) for fault in turn} == {
            (PRODUCER, "producer-1"),
            (CONSUMER, "consumer-1"),
            (CONSUMER, "consumer-2"),
            (BROKER, "kafka-1"),
        }


@pytest.mark.parametrize("found", [THREE], indirect=True)
def test_with_three_brokers_each_kind_occurs_and_each_broker_is_met(found: Lab) -> None:
    """The controller is nobody yet; a link has two ends."""
    faults = first(found, 80)
    assert {fault.kind for fault in faults[:8]} == set(KINDS)
    assert {fault.node for fault in faults if fault.kind == BROKER} == set(found.brokers)
    assert {fault.node for fault in faults if fault.kind == CONTROLLER} == {""}
    links = [fault for fault in faults if fault.kind == LINK]
    assert all({link.node, link.peer} < set(found.brokers) for link in links)
    assert all(link.node != link.peer for link in links)


@pytest.mark.parametrize("found", [THREE], indirect=True)
def test_a_seed_repeats_kinds_victims_and_moments(found: Lab) -> None:
    """Another one does not; what is left out leaves the others as they were."""
    assert first(found, 40) == first(found, 40) != first(found, 40, seed=48)
    rest = [fault for fault in first(found, 80) if fault.kind != LINK]
    assert first(found, len(rest), without=(LINK,)) == rest
