"""Decisions of the role kafka_topics, without a broker."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import topic_plan

GROUPS = {"cpu_mem": ["topic-cpu", "topic-mem"]}


def declared(**changes: object) -> dict[str, Any]:
    """Return a sound declaration with some keys changed."""
    return {"name": "topic-cpu", "partitions": 3, "replication_factor": 1, "configs": {}} | changes


def topic(name: str = "topic-cpu", partitions: int = 3, **rest: Any) -> Any:
    """Return a topic of the cluster."""
    replicas = rest.pop("replication_factor", 1)
    return topic_plan.Topic(name, partitions, replicas, rest.pop("configs", {}))


def planned(wanted: list[Any], found: list[Any], **rest: Any) -> Any:
    """Return the plan that leads from the found topics to the wanted ones."""
    groups = rest.pop("groups", {})
    return topic_plan.make_plan(wanted, {t.name: t for t in found}, groups, **rest)


def test_sound_declarations_have_no_problem() -> None:
    """The role's default form passes, with and without configs."""
    bare = {"name": "b", "partitions": 1, "replication_factor": 1}
    assert topic_plan.declaration_problems([declared(), bare], brokers=1) == []


def test_replicas_may_be_left_to_the_broker() -> None:
    """A topic is then made by its default, and one that is there keeps what it has."""
    probe = declared(name="probe", replication_factor=topic_plan.ANY)
    assert topic_plan.declaration_problems([probe], brokers=1) == []
    wanted = topic_plan.parse([probe])
    assert not planned(wanted, [topic("probe", replication_factor=3)]).changed
    assert [made.replication_factor for made in planned(wanted, []).create] == [-1]


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
        ("topic-cpu", "found 'topic-cpu', expected a map"),
    ],
)
def test_a_bad_declaration_is_named_in_one_line(entry: object, named: str) -> None:
    """Each fault gives exactly one line, which says what was found."""
    problems = topic_plan.declaration_problems([entry], brokers=1)
    assert len(problems) == 1
    assert named in problems[0]
    assert "\n" not in problems[0]


def test_keys_that_are_no_text_are_told_as_others_are() -> None:
    """YAML has numbers as keys too."""
    problems = topic_plan.declaration_problems([declared(retention=3) | {7: 1}], brokers=1)
    assert [problem.partition(", ")[0] for problem in problems] == [
        "topic topic-cpu: found the key 7",
        "topic topic-cpu: found the key 'retention'",
    ]


def test_entries_that_are_no_maps_are_counted_among_the_others() -> None:
    """So that each is found by its number, and told in its turn."""
    entries = ["a", declared(), 5, declared()]
    told = topic_plan.declaration_problems(entries, brokers=1)
    assert [problem.partition(",")[0] for problem in told] == [
        "topic 1: found 'a'",
        "topic 3: found 5",
        "topic topic-cpu: declared twice",
    ]


def test_a_name_declared_twice_is_refused() -> None:
    """Two declarations of one topic could contradict each other."""
    problems = topic_plan.declaration_problems([declared(), declared()], brokers=1)
    assert problems == ["topic topic-cpu: declared twice, expected once: remove one of the two"]


def test_config_values_become_kafka_s_own_text() -> None:
    """YAML's booleans and numbers compare equal to what the broker reports."""
    (parsed,) = topic_plan.parse([declared(configs={"a": True, "b": 86400000, "c": "x"})])
    assert parsed.configs == {"a": "true", "b": "86400000", "c": "x"}


def test_a_null_configs_counts_as_none_declared() -> None:
    """A declaration without configs asks for no settings of its own."""
    (parsed,) = topic_plan.parse([{"name": "b", "partitions": 1, "replication_factor": 1}])
    assert parsed.configs == {}


def test_topics_as_declared_need_nothing() -> None:
    """A second run has an empty plan."""
    same = topic(configs={"retention.ms": "1"})
    plan = planned([same], [same])
    assert not plan.changed
    assert plan.refusals == []


def test_a_missing_topic_is_created() -> None:
    """It is planned with its own partitions, replicas and settings."""
    wanted = topic(configs={"a": "1"})
    plan = planned([wanted], [])
    assert plan.create == [wanted]
    assert plan.changed


def test_an_undeclared_topic_is_left_alone() -> None:
    """Nothing in the plan names it."""
    plan = planned([], [topic("other", configs={"a": "1"})])
    assert plan == topic_plan.Plan()


def test_more_declared_partitions_grow_the_topic() -> None:
    """The plan has the new total."""
    plan = planned([topic(partitions=5)], [topic()])
    assert plan.grow == {"topic-cpu": 5}
    assert plan.refusals == []


def test_fewer_declared_partitions_are_refused() -> None:
    """The reason names found and declared numbers."""
    plan = planned([topic(partitions=2)], [topic()])
    assert plan.grow == {}
    assert "partitions: found 3, declared 2" in plan.refusals[0]


def test_another_number_of_copies_is_another_module_s() -> None:
    """The topic is as it shall be in all else, so there is nothing to do."""
    assert planned([topic(replication_factor=2)], [topic()]) == topic_plan.Plan()
    (bare,) = topic_plan.parse([{"name": "b", "partitions": 1}])
    assert bare.replication_factor == topic_plan.ANY


def test_settings_are_set_changed_and_dropped() -> None:
    """Only what differs is in the plan."""
    wanted = topic(configs={"new": "1", "other": "2", "same": "3"})
    found = topic(configs={"other": "0", "same": "3", "gone": "4"})
    plan = planned([wanted], [found])
    assert plan.set_configs == {"topic-cpu": {"new": "1", "other": "2"}}
    assert plan.drop_configs == {"topic-cpu": ["gone"]}


def test_growing_during_a_run_is_refused_with_its_unit() -> None:
    """The reason names host and unit."""
    running = ["consumer-1: server-monitoring-consume-cpu_mem@r1.service"]
    plan = planned([topic(partitions=5)], [topic()], running=running)
    assert "a run is active (consumer-1: server-monitoring-consume-cpu_mem@r1" in plan.refusals[0]


def test_settings_change_during_a_run() -> None:
    """Only growing disturbs the consumers."""
    wanted = topic(configs={"a": "1"})
    plan = planned([wanted], [topic()], running=["h: u"])
    assert plan.changed
    assert plan.refusals == []


def test_growing_one_topic_of_a_group_is_refused() -> None:
    """The other topic counts with what the cluster has, even if it is not declared."""
    plan = planned(
        [topic(partitions=4)],
        [topic(), topic("topic-mem")],
        groups=GROUPS,
    )
    assert "cpu_mem: partitions: found topic-cpu 4, topic-mem 3" in plan.refusals[0]


def test_growing_both_topics_of_a_group_is_accepted() -> None:
    """Equal numbers keep a server's rows on one consumer."""
    names = ["topic-cpu", "topic-mem"]
    plan = planned(
        [topic(name, 4) for name in names],
        [topic(name) for name in names],
        groups=GROUPS,
    )
    assert plan.refusals == []
    assert plan.grow == {"topic-cpu": 4, "topic-mem": 4}


def test_the_diff_shows_only_topics_that_change() -> None:
    """Before and after hold the changed topic alone, with its settings as they will be."""
    wanted = topic(partitions=4, configs={"new": "1"})
    same = topic("same")
    found = [topic(configs={"gone": "4"}), same]
    plan = planned([wanted, same], found)
    before, after = topic_plan.diff(plan, {t.name: t for t in found})
    assert before == {
        "topic-cpu": {"partitions": 3, "replication_factor": 1, "configs": {"gone": "4"}}
    }
    assert after == {
        "topic-cpu": {"partitions": 4, "replication_factor": 1, "configs": {"new": "1"}}
    }


def test_the_diff_of_a_new_topic_has_no_before() -> None:
    """A creation shows in the second half only."""
    plan = planned([topic()], [])
    before, after = topic_plan.diff(plan, {})
    assert before == {}
    assert after == {"topic-cpu": {"partitions": 3, "replication_factor": 1, "configs": {}}}
