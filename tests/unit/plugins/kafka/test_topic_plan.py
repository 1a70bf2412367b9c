"""Decisions of the role kafka_topics, without a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

GROUPS = {"cpu_mem": ["topic-cpu", "topic-mem"]}


def declared(**changes: object) -> dict[str, Any]:
    """Return a sound declaration with some keys changed."""
    return {"name": "topic-cpu", "partitions": 3, "replication_factor": 1, "configs": {}} | changes


def topic(
    plan_module: ModuleType, name: str = "topic-cpu", partitions: int = 3, **rest: Any
) -> Any:
    """Return a topic of the cluster."""
    replicas = rest.pop("replication_factor", 1)
    return plan_module.Topic(name, partitions, replicas, rest.pop("configs", {}))


def planned(plan_module: ModuleType, wanted: list[Any], found: list[Any], **rest: Any) -> Any:
    """Return the plan that leads from the found topics to the wanted ones."""
    groups = rest.pop("groups", {})
    return plan_module.make_plan(wanted, {t.name: t for t in found}, groups, **rest)


def test_sound_declarations_have_no_problem(plan_module: ModuleType) -> None:
    """The role's default form passes, with and without configs."""
    bare = {"name": "b", "partitions": 1, "replication_factor": 1}
    assert plan_module.declaration_problems([declared(), bare], brokers=1) == []


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (declared(name="a b"), "name: found 'a b'"),
        (declared(name=".."), "name: found '..'"),
        (declared(name=""), "name: found ''"),
        (declared(name="x" * 250), "name: found 'xxx"),
        (declared(name=7), "name: found 7"),
        (declared(partitions=0), "partitions: found 0"),
        (declared(partitions=-3), "partitions: found -3"),
        (declared(partitions="3"), "partitions: found '3'"),
        (declared(partitions=2.5), "partitions: found 2.5"),
        (declared(partitions=True), "partitions: found True"),
        (declared(replication_factor=0), "replication_factor: found 0"),
        (declared(replication_factor=2), "expected at most 1, the number of brokers"),
        (declared(configs=["a"]), "configs: found ['a']"),
        (declared(configs={"a": None}), "configs: found a setting without value"),
        (declared(retention=3), "found the key 'retention'"),
        ({"name": "a", "partitions": 1}, "replication_factor: found None"),
        ("topic-cpu", "found 'topic-cpu', expected a map"),
    ],
)
def test_a_bad_declaration_is_named_in_one_line(
    plan_module: ModuleType, entry: object, named: str
) -> None:
    """Each fault gives exactly one line, which says what was found."""
    problems = plan_module.declaration_problems([entry], brokers=1)
    assert len(problems) == 1
    assert named in problems[0]
    assert "\n" not in problems[0]


def test_a_name_declared_twice_is_refused(plan_module: ModuleType) -> None:
    """Two declarations of one topic could contradict each other."""
    problems = plan_module.declaration_problems([declared(), declared()], brokers=1)
    assert problems == ["topic topic-cpu: declared twice, expected once: remove one of the two"]


def test_config_values_become_kafka_s_own_text(plan_module: ModuleType) -> None:
    """YAML's booleans and numbers compare equal to what the broker reports."""
    (parsed,) = plan_module.parse([declared(configs={"a": True, "b": 86400000, "c": "x"})])
    assert parsed.configs == {"a": "true", "b": "86400000", "c": "x"}


def test_a_null_configs_counts_as_none_declared(plan_module: ModuleType) -> None:
    """A declaration without configs asks for no settings of its own."""
    (parsed,) = plan_module.parse([{"name": "b", "partitions": 1, "replication_factor": 1}])
    assert parsed.configs == {}


def test_topics_as_declared_need_nothing(plan_module: ModuleType) -> None:
    """A second run has an empty plan."""
    same = topic(plan_module, configs={"retention.ms": "1"})
    plan = planned(plan_module, [same], [same])
    assert not plan.changed
    assert plan.refusals == []


def test_a_missing_topic_is_created(plan_module: ModuleType) -> None:
    """It is planned with its own partitions, replicas and settings."""
    wanted = topic(plan_module, configs={"a": "1"})
    plan = planned(plan_module, [wanted], [])
    assert plan.create == [wanted]
    assert plan.changed


def test_an_undeclared_topic_is_left_alone(plan_module: ModuleType) -> None:
    """Nothing in the plan names it."""
    plan = planned(plan_module, [], [topic(plan_module, "other", configs={"a": "1"})])
    assert plan == plan_module.Plan()


def test_more_declared_partitions_grow_the_topic(plan_module: ModuleType) -> None:
    """The plan has the new total."""
    plan = planned(plan_module, [topic(plan_module, partitions=5)], [topic(plan_module)])
    assert plan.grow == {"topic-cpu": 5}
    assert plan.refusals == []


def test_fewer_declared_partitions_are_refused(plan_module: ModuleType) -> None:
    """The reason names found and declared numbers."""
    plan = planned(plan_module, [topic(plan_module, partitions=2)], [topic(plan_module)])
    assert plan.grow == {}
    assert "partitions: found 3, declared 2" in plan.refusals[0]


def test_another_replication_factor_is_refused(plan_module: ModuleType) -> None:
    """The reason names found and declared numbers."""
    wanted = topic(plan_module, replication_factor=2)
    plan = planned(plan_module, [wanted], [topic(plan_module)])
    assert "replication_factor: found 1, declared 2" in plan.refusals[0]


def test_settings_are_set_changed_and_dropped(plan_module: ModuleType) -> None:
    """Only what differs is in the plan."""
    wanted = topic(plan_module, configs={"new": "1", "other": "2", "same": "3"})
    found = topic(plan_module, configs={"other": "0", "same": "3", "gone": "4"})
    plan = planned(plan_module, [wanted], [found])
    assert plan.set_configs == {"topic-cpu": {"new": "1", "other": "2"}}
    assert plan.drop_configs == {"topic-cpu": ["gone"]}


def test_growing_during_a_run_is_refused_with_its_unit(plan_module: ModuleType) -> None:
    """The reason names host and unit."""
    running = ["consumer-1: server-monitoring-consume-cpu_mem@r1.service"]
    plan = planned(
        plan_module, [topic(plan_module, partitions=5)], [topic(plan_module)], running=running
    )
    assert "a run is active (consumer-1: server-monitoring-consume-cpu_mem@r1" in plan.refusals[0]


def test_settings_change_during_a_run(plan_module: ModuleType) -> None:
    """Only growing disturbs the consumers."""
    wanted = topic(plan_module, configs={"a": "1"})
    plan = planned(plan_module, [wanted], [topic(plan_module)], running=["h: u"])
    assert plan.changed
    assert plan.refusals == []


def test_growing_one_topic_of_a_group_is_refused(plan_module: ModuleType) -> None:
    """The other topic counts with what the cluster has, even if it is not declared."""
    plan = planned(
        plan_module,
        [topic(plan_module, partitions=4)],
        [topic(plan_module), topic(plan_module, "topic-mem")],
        groups=GROUPS,
    )
    assert "cpu_mem: partitions: found topic-cpu 4, topic-mem 3" in plan.refusals[0]


def test_growing_both_topics_of_a_group_is_accepted(plan_module: ModuleType) -> None:
    """Equal numbers keep a server's rows on one consumer."""
    names = ["topic-cpu", "topic-mem"]
    plan = planned(
        plan_module,
        [topic(plan_module, name, 4) for name in names],
        [topic(plan_module, name) for name in names],
        groups=GROUPS,
    )
    assert plan.refusals == []
    assert plan.grow == {"topic-cpu": 4, "topic-mem": 4}


def test_the_diff_shows_only_topics_that_change(plan_module: ModuleType) -> None:
    """Before and after hold the changed topic alone, with its settings as they will be."""
    wanted = topic(plan_module, partitions=4, configs={"new": "1"})
    same = topic(plan_module, "same")
    found = [topic(plan_module, configs={"gone": "4"}), same]
    plan = planned(plan_module, [wanted, same], found)
    before, after = plan_module.diff(plan, {t.name: t for t in found})
    assert before == {
        "topic-cpu": {"partitions": 3, "replication_factor": 1, "configs": {"gone": "4"}}
    }
    assert after == {
        "topic-cpu": {"partitions": 4, "replication_factor": 1, "configs": {"new": "1"}}
    }


def test_the_diff_of_a_new_topic_has_no_before(plan_module: ModuleType) -> None:
    """A creation shows in the second half only."""
    plan = planned(plan_module, [topic(plan_module)], [])
    before, after = plan_module.diff(plan, {})
    assert before == {}
    assert after == {"topic-cpu": {"partitions": 3, "replication_factor": 1, "configs": {}}}
