"""Shares of partitions, comparisons of counts, and the validation of settings."""

from pathlib import Path

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import pipeline
from ansible_collections.server_monitoring.cluster.plugins.filter import pipeline_config as config
from ansible_collections.server_monitoring.cluster.plugins.plugin_utils import filters

from tests.support.app_settings import settings


@pytest.mark.parametrize("hosts", [1, 2, 3, 5])
def test_each_partition_has_exactly_one_host(hosts: int) -> None:
    """Whatever the number of hosts and partitions, every partition is consumed once."""
    groups = {"consumers_cpu_mem": [f"host-{i}" for i in range(hosts)]}
    shares = [pipeline.share("cpu_mem", groups, host) for host in groups["consumers_cpu_mem"]]
    for partition in range(64):
        owners = [s for s in shares if partition % s["hosts"] == s["index"]]
        assert len(owners) == 1


def test_share_does_not_depend_on_the_inventory_s_order() -> None:
    """Listing the hosts in another order moves no partition."""
    for order in (["a", "b"], ["b", "a"]):
        groups = {"consumers_x": order}
        assert pipeline.share("x", groups, "b") == {"index": 1, "hosts": 2}


def test_facts_of_all_hosts_are_one_list() -> None:
    """In the inventory's order; a host that has none adds nothing."""
    hostvars = {"a": {"found": [1, 2]}, "b": {}, "c": {"found": [3]}}
    assert pipeline.host_facts({"all": ["c", "b", "a"]}, hostvars, "found") == [3, 1, 2]


def test_rows_of_several_consumers_add_up() -> None:
    """Each topic's rows are summed over hosts and groups."""
    consumed = [{"rows": {"a": 1, "b": 2}}, {"rows": {"a": 10}}, {"rows": {"c": 0}}]
    assert pipeline.stored_rows(consumed) == {"a": 11, "b": 2, "c": 0}


def test_equal_counts_are_no_problem() -> None:
    """A run that stored what it sent passes."""
    assert pipeline.count_problems({"a": 5}, {"a": 5}) == []


def test_missing_and_surplus_rows_are_named_by_topic() -> None:
    """Each differing topic is one problem that tells by how much, also if nothing was stored."""
    problems = pipeline.count_problems({"a": 5, "b": 5, "c": 5}, {"a": 4, "b": 6})
    assert problems == [
        "a: 5 rows produced, 4 stored, 1 missing",
        "b: 5 rows produced, 6 stored, 1 too many",
        "c: 5 rows produced, 0 stored, 5 missing",
    ]


def test_valid_settings_have_no_problem() -> None:
    """The general defaults are accepted."""
    assert config.config_problems(settings(Path("/var/lib/x"))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("start", "24:00:00"), ("window_seconds", -1), ("slide_seconds", 31), ("thresholds", {})],
)
def test_bad_setting_is_named_by_its_inventory_variable(key: str, value: object) -> None:
    """The app's own message comes with the variable's name, on one line."""
    values = {**settings(Path("/var/lib/x")), key: value}
    [problem] = config.config_problems(values)
    assert problem.startswith(f"pipeline_{key}")
    assert "\n" not in problem


def test_every_bad_setting_has_a_line() -> None:
    """One run of a playbook tells all, where keys do not depend on each other."""
    good = settings(Path("/var/lib/x"))
    names = [name for name in good if name not in ("groups", "consumers", "thresholds")]
    bad = {**good, **dict.fromkeys(names), "thresholds": {**good["thresholds"], "cpu_pct": "high"}}
    told = [line.partition(": ")[0] for line in config.config_problems(bad)]
    assert sorted(told) == sorted([f"pipeline_{name}" for name in [*names, "thresholds.cpu_pct"]])


def test_a_bad_group_is_told_with_what_does_not_depend_on_it() -> None:
    """It ends there, and does not go round."""
    good = settings(Path("/var/lib/x"))
    bad = {**good, "groups": {}, "window_seconds": 0}
    told = [line.partition(": ")[0] for line in config.config_problems(bad)]
    assert told == ["pipeline_window_seconds", "pipeline_groups"]
    alone = config.config_problems({**good, "thresholds": {"cpu_pct": 0}})
    assert len(alone) == 1


def test_ansible_s_own_types_are_made_plain() -> None:
    """Subclasses of str, int and float, at any depth, become Python's own."""

    class Tagged(str):
        __slots__ = ()

    plain = filters.plain({Tagged("a"): [Tagged("b"), True, 1, 1.5, None]})
    assert plain == {"a": ["b", True, 1, 1.5, None]}
    assert {type(k) for k in plain} == {str}
    assert [type(v) for v in plain["a"]] == [str, bool, int, float, type(None)]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("produce",), "server-monitoring-produce@.service"),
        (("produce", "r1"), "server-monitoring-produce@r1.service"),
        (("consume", "r1", "cpu_mem"), "server-monitoring-consume-cpu_mem@r1.service"),
        (("consume", "", "cpu_mem"), "server-monitoring-consume-cpu_mem@.service"),
        (("*", "*"), "server-monitoring-*@*.service"),
    ],
)
def test_units_have_the_names_that_they_always_had(arguments: tuple[str, ...], name: str) -> None:
    """A run that an older version began is found by a newer one."""
    assert pipeline.unit_name(*arguments) == name
