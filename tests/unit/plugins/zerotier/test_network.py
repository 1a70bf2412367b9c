"""The module zerotier_network on a node's own controller: the double's, on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.zerotier_lab import NAMES, NETWORK, Cluster, Json
from tests.support.zerotier_runner import Runner, calls, changing


def keep_network(runner: Runner, *, check: bool = False, **changed: Any) -> Json:
    """Run zerotier_network with the usual arguments."""
    arguments = {"name": "probe", "cidr": "172.29.0.0/24"} | changed
    return runner.run("network", check=check, **arguments)


def kept(cluster: Cluster, network_id: str) -> Json:
    """Return a network's record on the controller, {} where it keeps none of that id."""
    return cluster["A"].controller.network(network_id) or {}


def test_network_is_created_as_declared(runner: Runner, cluster: Cluster) -> None:
    """Name, route, MTU, privacy and the empty pool stand on the controller."""
    made = keep_network(runner, mtu=1400)
    record = kept(cluster, made["network_id"])
    assert (made["changed"], made["created"], made["members"]) == (True, True, [])
    assert record["name"] == "probe"
    assert record["routes"] == [{"target": "172.29.0.0/24", "via": None}]
    assert (record["mtu"], record["private"]) == (1400, True)
    assert (record["ipAssignmentPools"], record["v4AssignMode"]) == ([], {"zt": True})


def test_further_routes_and_a_pool_are_kept(runner: Runner, cluster: Cluster) -> None:
    """They stand behind the network's own range, and a second run changes nothing."""
    routes = [{"target": "10.8.0.0/16", "via": "172.29.0.1"}, {"target": "10.9.0.0/16"}]
    declared: Json = {"routes": routes, "pool": ["172.29.0.100", "172.29.0.199"]}
    record = kept(cluster, keep_network(runner, **declared)["network_id"])
    assert record["routes"] == [
        {"target": "172.29.0.0/24", "via": None},
        {"target": "10.8.0.0/16", "via": "172.29.0.1"},
        {"target": "10.9.0.0/16", "via": None},
    ]
    assert record["ipAssignmentPools"] == [
        {"ipRangeStart": "172.29.0.100", "ipRangeEnd": "172.29.0.199"}
    ]
    assert not keep_network(runner, **declared)["changed"]


def test_mtu_of_zero_is_left_as_it_is(runner: Runner, cluster: Cluster) -> None:
    """Only an MTU that is declared is set; what someone chose by hand stays."""
    made = keep_network(runner)["network_id"]
    assert kept(cluster, made)["mtu"] == 2800
    cluster["A"].controller.update_network(made, {"mtu": 1300})
    assert not keep_network(runner)["changed"]
    assert kept(cluster, made)["mtu"] == 1300
    assert keep_network(runner, mtu=2800)["changed"]
    assert kept(cluster, made)["mtu"] == 2800


def test_network_is_unchanged_the_second_time(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same declaration changes nothing, asks for no change and shows no difference."""
    first = keep_network(runner)
    written = calls(monkeypatch)
    again = keep_network(runner)
    assert not again["changed"]
    assert changing(written) == []
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
    made = keep_network(runner, mtu=2800)["network_id"]
    pools = [{"ipRangeStart": "172.29.0.9", "ipRangeEnd": "172.29.0.19"}]
    drift = {"name": "renamed", "mtu": 1300, "ipAssignmentPools": pools, "private": False}
    cluster["A"].controller.update_network(made, drift)
    corrected = keep_network(runner, mtu=2800)
    assert (corrected["changed"], corrected["created"]) == (True, False)
    assert corrected["network_id"] == made
    assert cluster["A"].controller.networks() == [made]
    assert {key: kept(cluster, made)[key] for key in drift} == {
        "name": "probe",
        "mtu": 2800,
        "ipAssignmentPools": [],
        "private": True,
    }
    assert not keep_network(runner, mtu=2800)["changed"]
    assert '"renamed"' in corrected["diff"]["before"]


def test_drift_of_a_known_network_is_warned_of(runner: Runner, cluster: Cluster) -> None:
    """What it had stands in the warning; check mode says would be, and a new network is none."""
    first = keep_network(runner, mtu=2800)
    assert first["warnings"] == keep_network(runner, mtu=2800)["warnings"] == []
    made = first["network_id"]
    cluster["A"].controller.update_network(made, {"mtu": 1300, "private": False})
    rest = "changed to what the inventory says; it had mtu 1300, private False"
    announced = keep_network(runner, check=True, mtu=2800)
    assert announced["warnings"] == [f"network {made} would be {rest}"]
    assert keep_network(runner, mtu=2800)["warnings"] == [f"network {made} was {rest}"]
    assert keep_network(runner, mtu=2800)["warnings"] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"target": "10.8.0.0/16"}, ("10.8.0.0/16", None)),
        ({"target": "10.8.0.0/16", "via": ""}, ("10.8.0.0/16", None)),
        ({"target": "10.8.0.9/16", "via": "172.29.0.1"}, ("10.8.0.0/16", "172.29.0.1")),
        ({"target": "10.8.0.1/32", "via": None}, ("10.8.0.1/32", None)),
        (
            {"target": "FD00:0:0:0::/64", "via": "FD00:0000::0001"},
            ("fd00::/64", "fd00::1"),
        ),
    ],
)
def test_route_is_declared_as_a_controller_keeps_it(
    runner: Runner, cluster: Cluster, given: Json, expected: tuple[str, str | None]
) -> None:
    """However it is spelled, the second run finds no difference."""
    made = keep_network(runner, routes=[given])["network_id"]
    [_, route] = kept(cluster, made)["routes"]
    assert (route["target"], route["via"]) == expected
    again = keep_network(runner, routes=[{"target": expected[0], "via": expected[1]}])
    assert (again["changed"], again["warnings"]) == (False, [])


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
    """The module does not choose between two networks, until it is told which one is meant."""
    for network in (NETWORK, "21c1e20656000001"):
        cluster["A"].controller.update_network(network, {"name": "probe"})
    failed = keep_network(runner)
    assert failed["failed"]
    assert failed["msg"] == (
        "there are 2 networks named 'probe' (21c1e20656000001, 21c1e206564a4757); "
        "rename one, or say which by zerotier_network_id"
    )
    assert keep_network(runner, network_id=NETWORK)["network_id"] == NETWORK


def test_network_of_an_id_gets_the_declared_name(runner: Runner, cluster: Cluster) -> None:
    """An id leads to that network whatever its name is, and none is made."""
    cluster["A"].controller.update_network("21c1e20656000001", {"name": "other"})
    cluster.network()
    found = keep_network(runner, network_id="21c1e20656000001")
    assert (found["changed"], found["created"]) == (True, False)
    assert kept(cluster, "21c1e20656000001")["name"] == "probe"
    assert len(cluster["A"].controller.networks()) == 2


def test_unknown_id_is_refused_and_nothing_is_made(runner: Runner, cluster: Cluster) -> None:
    """A mistyped id makes no network, also not one of that id."""
    failed = keep_network(runner, network_id="21c1e20656abcdef")["msg"]
    assert failed == (
        "zerotier_network_id is 21c1e20656abcdef, which is not there or not yours; "
        "correct it, or leave it empty to have a network made"
    )
    assert cluster["A"].controller.networks() == []


def test_value_that_the_controller_refuses_fails(runner: Runner) -> None:
    """A value that the controller changes is no success."""
    failed = keep_network(runner, mtu=100)["msg"]
    assert failed.startswith("the controller did not take over mtu of network 21c1e20656")


def absent(runner: Runner, network_id: str, *, check: bool = False) -> Json:
    """Run zerotier_network to forget a network."""
    return runner.run("network", check=check, network_id=network_id, state="absent")


def test_network_is_forgotten_once_it_is_empty(runner: Runner, cluster: Cluster) -> None:
    """With a member it stays, authorized or not; without, it goes, once."""
    made = keep_network(runner)["network_id"]
    cluster["A"].controller.update_member(made, NAMES["B"], {"authorized": False})
    assert not absent(runner, made)["changed"]
    assert kept(cluster, made) != {}
    cluster["A"].controller.delete_member(made, NAMES["B"])
    assert absent(runner, made)["changed"]
    assert cluster["A"].controller.networks() == []
    assert not absent(runner, made)["changed"]


def test_network_is_not_forgotten_in_check_mode(runner: Runner, cluster: Cluster) -> None:
    """Check mode announces it, and the controller still keeps the network."""
    made = keep_network(runner)["network_id"]
    announced = absent(runner, made, check=True)
    assert announced["changed"]
    assert '"present"' in announced["diff"]["before"]
    assert kept(cluster, made) != {}


def test_network_of_another_controller_is_left_alone(
    runner: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that another node keeps is no business of this controller."""
    cluster["B"].controller.update_network("a87adac07d000001", {"name": "probe"})
    written = calls(monkeypatch)
    assert not absent(runner, "a87adac07d000001")["changed"]
    assert changing(written) == []
