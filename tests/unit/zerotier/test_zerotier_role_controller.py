"""The modules that run on the controller, against the double's API on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from zerotier_lab import NAMES, NETWORK, Cluster, Json, Served

if TYPE_CHECKING:
    from zerotier_runner import Runner


def keep_network(runner: Runner, *, check: bool = False, **changed: Any) -> Json:
    """Run zerotier_network with the usual arguments."""
    arguments = {"name": "probe", "cidr": "172.29.0.0/24"} | changed
    return runner.run("network", check=check, **arguments)


def keep_member(runner: Runner, network_id: str, *, check: bool = False, **changed: Any) -> Json:
    """Run zerotier_member for node B with the usual arguments."""
    arguments: Json = {
        "network_id": network_id,
        "address": NAMES["B"],
        "name": "producer-1",
        "ip_assignments": ["172.29.0.2"],
    }
    return runner.run("member", check=check, **(arguments | changed))


def test_network_is_created_as_declared(runner: Runner, cluster: Cluster) -> None:
    """Name, route, MTU, privacy and the empty pool stand on the controller."""
    made = keep_network(runner, mtu=1400)
    record = cluster["A"].controller.network(made["network_id"])
    assert (made["changed"], made["created"], made["members"]) == (True, True, [])
    assert record is not None
    assert record["name"] == "probe"
    assert record["routes"] == [{"target": "172.29.0.0/24", "via": None}]
    assert (record["mtu"], record["private"]) == (1400, True)
    assert (record["ipAssignmentPools"], record["v4AssignMode"]) == ([], {"zt": True})


def test_network_is_unchanged_the_second_time(runner: Runner) -> None:
    """The same declaration changes nothing and shows no difference."""
    first = keep_network(runner)
    again = keep_network(runner)
    assert not again["changed"]
    assert again["network_id"] == first["network_id"]
    assert again["diff"]["before"] == again["diff"]["after"] == ""


def test_network_in_check_mode_is_only_announced(runner: Runner, cluster: Cluster) -> None:
    """Check mode tells id and difference, and the controller keeps nothing."""
    announced = keep_network(runner, check=True)
    assert cluster["A"].controller.networks() == []
    assert announced["changed"]
    assert '"name": "probe"' in announced["diff"]["after"]
    assert keep_network(runner)["network_id"] == announced["network_id"]


def test_drifted_network_is_corrected(runner: Runner, cluster: Cluster) -> None:
    """A pool, an MTU and a name that someone set are taken back, on the same network."""
    made = keep_network(runner)["network_id"]
    pools = [{"ipRangeStart": "172.29.0.9", "ipRangeEnd": "172.29.0.19"}]
    drift = {"name": "renamed", "mtu": 1300, "ipAssignmentPools": pools, "private": False}
    cluster["A"].controller.update_network(made, drift)
    corrected = keep_network(runner)
    assert (corrected["changed"], corrected["created"]) == (True, False)
    assert corrected["network_id"] == made
    assert cluster["A"].controller.networks() == [made]
    record = cluster["A"].controller.network(made) or {}
    assert {key: record[key] for key in drift} == {
        "name": "probe",
        "mtu": 2800,
        "ipAssignmentPools": [],
        "private": True,
    }
    assert not keep_network(runner)["changed"]
    assert '"renamed"' in corrected["diff"]["before"]


def test_network_made_by_hand_is_found_by_name(runner: Runner, cluster: Cluster) -> None:
    """A network of that name is used whatever its id is, and its members are reported."""
    cluster.network()
    cluster.authorize("B", "172.29.0.2", name="hand-made")
    found = keep_network(runner)
    assert found["network_id"] == NETWORK
    assert found["members"] == [
        {
            "address": NAMES["B"],
            "name": "hand-made",
            "authorized": True,
            "ip_assignments": ["172.29.0.2"],
        }
    ]


def test_two_networks_of_one_name_are_refused(runner: Runner, cluster: Cluster) -> None:
    """The module does not choose between two networks."""
    for network in (NETWORK, "21c1e20656000001"):
        cluster["A"].controller.update_network(network, {"name": "probe"})
    failed = keep_network(runner)
    assert failed["failed"]
    assert failed["msg"] == (
        "the controller keeps 2 networks named 'probe' (21c1e20656000001, 21c1e206564a4757); "
        "rename one"
    )


def test_value_that_the_controller_refuses_fails(runner: Runner) -> None:
    """A value that the controller changes is no success."""
    failed = keep_network(runner, mtu=100)
    assert "did not take over {'mtu': 100}" in failed["msg"]


def test_member_is_authorized_before_it_joins(runner: Runner, cluster: Cluster) -> None:
    """The record has name, address and authorization, and forbids further addresses."""
    network = keep_network(runner)["network_id"]
    assert keep_member(runner, network)["changed"]
    member = (cluster["A"].controller.members(network) or {})[NAMES["B"]]
    assert (member["name"], member["authorized"]) == ("producer-1", True)
    assert (member["ipAssignments"], member["noAutoAssignIps"]) == (["172.29.0.2"], True)
    assert not keep_member(runner, network)["changed"]


@pytest.mark.parametrize(
    "drift",
    [
        {"authorized": False},
        {"name": "someone"},
        {"ipAssignments": ["172.29.0.2", "172.29.0.99"]},
        {"noAutoAssignIps": False},
    ],
)
def test_drifted_member_is_corrected(runner: Runner, cluster: Cluster, drift: Json) -> None:
    """Whatever someone changed is set back; check mode only shows it."""
    network = keep_network(runner)["network_id"]
    keep_member(runner, network)
    cluster["A"].controller.update_member(network, NAMES["B"], drift)
    shown = keep_member(runner, network, check=True)
    assert shown["changed"]
    assert next(iter(drift)) in shown["diff"]["before"]
    assert keep_member(runner, network)["changed"]
    assert not keep_member(runner, network)["changed"]


def test_member_in_check_mode_of_a_missing_network_is_announced(runner: Runner) -> None:
    """On a fresh controller check mode goes on although the network is not there."""
    assert keep_member(runner, NETWORK, check=True)["changed"]
    failed = keep_member(runner, NETWORK)
    assert "404; check the network's id" in failed["msg"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"address": "../x"}, "address: found '../x', expected [0-9a-f]{10}"),
        ({"network_id": "short"}, "network_id: found 'short', expected [0-9a-f]{16}"),
    ],
)
def test_malformed_id_is_refused(runner: Runner, changed: Json, expected: str) -> None:
    """An id never reaches the API's path unless it is one."""
    arguments: Json = {"network_id": NETWORK} | changed
    failed = keep_member(runner, arguments.pop("network_id"), **arguments)
    assert failed["msg"] == expected


def test_refused_token_is_one_line_without_the_token(served: Served, runner: Runner) -> None:
    """A token that the service does not accept is told, but not shown."""
    (served.home / "authtoken.secret").write_text("another-secret", "utf-8")
    failed = keep_network(runner)
    assert "refused the token of authtoken.secret (401)" in failed["msg"]
    assert "another-secret" not in json.dumps(failed)


def test_missing_token_is_one_line(served: Served, runner: Runner) -> None:
    """Without a token file the line names the file."""
    (served.home / "authtoken.secret").unlink()
    assert f"{served.home}/authtoken.secret cannot be read" in keep_network(runner)["msg"]
