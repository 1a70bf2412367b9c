"""What is wrong with an inventory is said in one line for each problem."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import preflight, settings

from tests.support.project import PROJECT

NETWORK = "172.29.0.0/24"


def test_good_addresses_have_no_problem() -> None:
    """Addresses inside the network, each of one host, pass."""
    addresses = {"a": "172.29.0.1", "b": "172.29.0.254"}
    assert preflight.address_problems(addresses, NETWORK) == []


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", "zerotier_ip is missing"),
        (None, "zerotier_ip is missing"),
        ("172.29.0.256", "zerotier_ip is 172.29.0.256, which is no IP address"),
        ("kafka", "zerotier_ip is kafka, which is no IP address"),
        ("172.29.1.1", "zerotier_ip is 172.29.1.1, expected an address inside"),
        ("fd00::1", "zerotier_ip is fd00::1, expected an address inside"),
        ("172.29.0.0", "the network's own or broadcast address"),
        ("172.29.0.255", "the network's own or broadcast address"),
    ],
)
def test_bad_address_names_host_value_and_expectation(address: str | None, found: str) -> None:
    """The line begins with the host, and holds what was found and the network expected."""
    [problem] = preflight.address_problems({"node": address}, NETWORK)
    assert problem.startswith("node: ")
    assert found in problem
    assert NETWORK in problem
    assert "\n" not in problem


def test_duplicate_address_names_both_hosts() -> None:
    """The second host of two with one address is refused, and the first one named."""
    [problem] = preflight.address_problems({"a": "172.29.0.1", "b": "172.29.0.1"}, NETWORK)
    assert problem.startswith("b: zerotier_ip 172.29.0.1 is also that of a")


def test_every_problem_is_reported_at_once() -> None:
    """Two bad hosts give two lines."""
    assert len(preflight.address_problems({"a": "", "b": "x", "c": "172.29.0.9"}, NETWORK)) == 2


@pytest.mark.parametrize("network", ["", "172.29.0.0/33", "172.29.0.5/24"])
def test_bad_network_is_named_itself(network: str) -> None:
    """A network that is none is the one problem reported."""
    [problem] = preflight.address_problems({"a": "172.29.0.1"}, network)
    assert problem.startswith("inventory: zerotier_network_cidr is")


def test_missing_and_empty_groups_are_told_apart() -> None:
    """A group that is not there and one without hosts are both refused, by name."""
    groups = {"kafka": ["a"], "producers": []}
    problems = preflight.group_problems(groups, ["kafka", "producers", "consumers_cpu_mem"])
    assert [problem.partition(",")[0] for problem in problems] == [
        "inventory: group producers is empty",
        "inventory: group consumers_cpu_mem is missing",
    ]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_control_machine_is_no_host(name: str) -> None:
    """What stands for it in Ansible would be provisioned without ssh, as who runs Ansible."""
    [problem] = preflight.host_problems(["kafka-1", name])
    assert f"host {name} found, expected another name" in problem


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pipeline_window_seconds", 45.5),
        ("pipeline_window_seconds", "45.5"),
        ("pipeline_window_seconds", True),
        ("pipeline_window_seconds", "1e2"),
        ("pipeline_window_seconds", "1_0"),
        ("pipeline_window_seconds", None),
        ("kafka_node_id", "one"),
        ("pipeline_realtime", "maybe"),
        ("kafka_access_enabled", 1),
        ("pipeline_rate", "nan"),
        ("pipeline_rate", False),
    ],
)
def test_a_setting_of_another_type_is_refused_as_it_was_found(name: str, found: Any) -> None:
    """In any role: nothing is cut, rounded or taken for false on its way."""
    variables = {host: {name: found} for host in ("a", "b")}
    [problem] = preflight.type_problems(variables, ["a", "b"], str(PROJECT / "roles"))
    kind = {"pipeline_rate": "a number", "pipeline_window_seconds": "a whole number"}
    expected = kind.get(name, "a whole number" if "node" in name else "true or false")
    assert problem == f"inventory: {name}: found {found}, expected {expected}; correct it"


def test_text_that_spells_a_value_is_that_value_and_what_is_not_known_yet_is_left() -> None:
    """`-e name=value` gives text; what is made of facts is an object of Ansible's own."""
    variables = {
        "a": {
            "pipeline_window_seconds": "45",
            "pipeline_rate": "2.5",
            "pipeline_realtime": "True",
            "pipeline_step_timeout": object(),
            "pipeline_run_id": 7,
        }
    }
    assert preflight.type_problems(variables, ["a"], str(PROJECT / "roles")) == []


def test_a_setting_of_one_host_names_the_host(tmp_path: Path) -> None:
    """And a folder whose name is a pattern is only a name."""
    roles = tmp_path / "roles[1]"
    (roles / "kafka" / "meta").mkdir(parents=True)
    specs = (PROJECT / "roles" / "kafka" / "meta" / "argument_specs.yml").read_text()
    (roles / "kafka" / "meta" / "argument_specs.yml").write_text(specs)
    variables: dict[str, Any] = {"a": {"kafka_node_id": 1}, "b": {"kafka_node_id": 1.5}}
    [problem] = preflight.type_problems(variables, ["a", "b"], str(roles))
    assert problem.startswith("b: kafka_node_id: found 1.5, expected a whole number")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("45", 45),
        (" 45 ", 45),
        ("-1", -1),
        ("true", True),
        ("False", False),
        ("45.5", "45.5"),
        ("1e2", "1e2"),
        ("yes", "yes"),
        (45.5, 45.5),
        (True, True),
        (None, None),
    ],
)
def test_a_setting_is_what_its_text_spells_and_nothing_else_changes(given: Any, taken: Any) -> None:
    """Who validates it sees what was given."""
    found = settings.typed(given)
    assert (found, type(found)) == (taken, type(taken))


@pytest.mark.parametrize(
    ("given", "taken"), [(20261128, "20261128"), ("r1", "r1"), (2026.5, 2026.5), (True, True)]
)
def test_a_name_of_digits_is_its_digits(given: Any, taken: Any) -> None:
    """A fraction stays one, and is refused as no name."""
    found = settings.digits(given)
    assert (found, type(found)) == (taken, type(taken))
