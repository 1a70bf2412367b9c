"""The module zerotier_member on a node's own controller: who is let in, with which address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.api import LocalApi

from tests.support.zerotier_lab import MEMBER_B, NAMES, NETWORK, Cluster, Json
from tests.support.zerotier_runner import Runner, calls, changing
from tests.unit.plugins.zerotier.test_network import keep_network

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, STRANGER = "0123456789", "fedcba9876"


@pytest.fixture
def network(runner: Runner) -> str:
    """Keep a network and return its id."""
    return str(keep_network(runner)["network_id"])


@pytest.fixture
def hold(cluster: Cluster, network: str) -> Callable[..., None]:
    """Return a function that changes a member behind the inventory's back."""

    def change(address: str, **changes: Any) -> None:
        cluster["A"].controller.update_member(network, address, changes)

    return change


def keep_member(runner: Runner, network_id: str, *, check: bool = False, **changed: Any) -> Json:
    """Run zerotier_member for node B with the usual arguments."""
    arguments = MEMBER_B | {"network_id": network_id} | changed
    return runner.run("member", check=check, **arguments)


def withdraw(runner: Runner, network_id: str, state: str, *, check: bool = False) -> Json:
    """Run zerotier_member to take node B out."""
    return runner.run("member", check=check, network_id=network_id, address=NAMES["B"], state=state)


def members(cluster: Cluster, network_id: str) -> dict[str, Json]:
    """Return the controller's members by address."""
    return cluster["A"].controller.members(network_id) or {}


def test_member_is_authorized_before_it_joins(
    runner: Runner, cluster: Cluster, network: str
) -> None:
    """The record has name, address and authorization, and forbids further addresses."""
    made = keep_member(runner, network)
    member = members(cluster, network)[NAMES["B"]]
    assert (made["changed"], made["warnings"]) == (True, [])
    assert (member["name"], member["authorized"]) == ("producer-1", True)
    assert (member["ipAssignments"], member["noAutoAssignIps"]) == (["172.29.0.2"], True)


def test_member_is_unchanged_the_second_time(
    runner: Runner, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same declaration asks for no change, warns of nothing and shows no difference."""
    keep_member(runner, network)
    written = calls(monkeypatch)
    again = keep_member(runner, network)
    assert (again["changed"], again["warnings"]) == (False, [])
    assert changing(written) == []
    assert again["diff"]["before"] == again["diff"]["after"] == ""


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        ({"authorized": False}, "authorized false instead of true"),
        ({"name": "someone"}, "name someone instead of producer-1"),
        ({"name": ""}, "name none instead of producer-1"),
        (
            {"ipAssignments": ["172.29.0.2", "172.29.0.99"]},
            "address 172.29.0.2, 172.29.0.99 instead of 172.29.0.2",
        ),
        ({"ipAssignments": []}, "address none instead of 172.29.0.2"),
    ],
)
def test_drifted_member_is_corrected_with_a_warning(
    runner: Runner, network: str, hold: Callable[..., None], drift: Json, said: str
) -> None:
    """Whatever someone changed is set back once and told; check mode only announces it."""
    keep_member(runner, network)
    hold(NAMES["B"], **drift)
    shown = keep_member(runner, network, check=True)
    assert shown["changed"]
    assert next(iter(drift)) in shown["diff"]["before"]
    line = f"producer-1 ({NAMES['B']}) {{}} set right on the controller: {said}"
    assert shown["warnings"] == [line.format("would be")]
    corrected = keep_member(runner, network)
    assert (corrected["changed"], corrected["warnings"]) == (True, [line.format("was")])
    again = keep_member(runner, network)
    assert (again["changed"], again["warnings"]) == (False, [])


def test_automatic_addresses_are_forbidden_again_without_a_warning(
    runner: Runner, network: str, hold: Callable[..., None]
) -> None:
    """A setting that a person hardly sees is set back in silence."""
    keep_member(runner, network)
    hold(NAMES["B"], noAutoAssignIps=False)
    corrected = keep_member(runner, network)
    assert (corrected["changed"], corrected["warnings"]) == (True, [])
    assert not keep_member(runner, network)["changed"]


def test_member_that_only_asked_to_join_is_no_drift(
    runner: Runner, network: str, hold: Callable[..., None]
) -> None:
    """A record without name and address was never as wanted, so that no one is blamed."""
    hold(NAMES["B"], authorized=False)
    made = keep_member(runner, network)
    assert (made["changed"], made["warnings"]) == (True, [])


def test_earlier_identity_of_the_host_is_forgotten(
    runner: Runner, cluster: Cluster, network: str, hold: Callable[..., None]
) -> None:
    """A member of the host's name that holds its address makes way for the new identity."""
    hold(OLD, name="producer-1", authorized=True, ipAssignments=["172.29.0.2"])
    announced = keep_member(runner, network, check=True)
    assert (announced["changed"], announced["superseded"]) == (True, [OLD])
    assert members(cluster, network).keys() == {OLD}
    assert keep_member(runner, network)["superseded"] == [OLD]
    assert members(cluster, network).keys() == {NAMES["B"]}
    assert keep_member(runner, network)["superseded"] == []


def test_earlier_identity_is_forgotten_though_the_member_is_as_declared(
    runner: Runner, cluster: Cluster, network: str, hold: Callable[..., None]
) -> None:
    """A run that was broken off between the two is made good by the next one."""
    keep_member(runner, network)
    hold(OLD, name="producer-1", ipAssignments=["172.29.0.2"])
    again = keep_member(runner, network)
    assert (again["changed"], again["superseded"]) == (True, [OLD])
    assert members(cluster, network).keys() == {NAMES["B"]}


def test_member_of_the_same_name_with_another_address_stays(
    runner: Runner, cluster: Cluster, network: str, hold: Callable[..., None]
) -> None:
    """The name alone does not make it an earlier identity of the host."""
    hold(OLD, name="producer-1", authorized=True, ipAssignments=["172.29.0.77"])
    assert keep_member(runner, network)["superseded"] == []
    assert members(cluster, network).keys() == {OLD, NAMES["B"]}


@pytest.mark.parametrize(("name", "said"), [("printer", "printer"), ("", "no name")])
@pytest.mark.parametrize("check", [True, False])
def test_address_that_a_stranger_holds_is_refused(
    runner: Runner,
    cluster: Cluster,
    network: str,
    hold: Callable[..., None],
    name: str,
    said: str,
    check: object,
) -> None:
    """The line names host, address, member and both ways out; nobody is changed."""
    hold(STRANGER, name=name, ipAssignments=["172.29.0.77", "172.29.0.2"])
    failed = keep_member(runner, network, check=bool(check))
    assert failed["msg"] == (
        f"producer-1: its address 172.29.0.2 is held by another member of network {network}: "
        f"{STRANGER} ({said}); give the host another zerotier_ip, or take that member out: "
        f"overlay_leave.yml -e leave={STRANGER}"
    )
    assert members(cluster, network).keys() == {STRANGER}


def test_two_known_members_swap_their_addresses(
    runner: Runner, cluster: Cluster, network: str
) -> None:
    """Who is kept in the same run is no stranger, though it still holds the address."""
    hosts = {"B": ("producer-1", "172.29.0.2"), "C": ("consumer-1", "172.29.0.3")}
    others = [NAMES[node] for node in hosts]

    def keep(node: str, ip: str, **more: Any) -> Json:
        kept: Json = {"address": NAMES[node], "name": hosts[node][0], "ip_assignments": [ip]}
        return keep_member(runner, network, **kept, **more)

    for node, (_, ip) in hosts.items():
        keep(node, ip)
    assert "is held by another member" in keep("B", "172.29.0.3")["msg"]
    for node, ip in (("B", "172.29.0.3"), ("C", "172.29.0.2")):
        assert keep(node, ip, others=others)["superseded"] == []
    found = members(cluster, network)
    assert {node: found[NAMES[node]]["ipAssignments"] for node in hosts} == {
        "B": ["172.29.0.3"],
        "C": ["172.29.0.2"],
    }


def test_absent_member_loses_its_authorization_before_it_is_forgotten(
    runner: Runner, cluster: Cluster, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so does the node lose its configuration; a second run asks for nothing."""
    keep_member(runner, network)
    path = f"/controller/network/{network}/member/{NAMES['B']}"
    written = calls(monkeypatch)
    assert withdraw(runner, network, "absent")["changed"]
    assert changing(written) == [f"POST {path}", f"DELETE {path}"]
    assert members(cluster, network) == {}
    assert not withdraw(runner, network, "absent")["changed"]
    assert len(changing(written)) == 2


def test_deauthorized_member_stays_known(
    runner: Runner, cluster: Cluster, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its record, with name and address, and is let in no more."""
    keep_member(runner, network)
    written = calls(monkeypatch)
    assert withdraw(runner, network, "deauthorized")["changed"]
    member = members(cluster, network)[NAMES["B"]]
    assert (member["authorized"], member["name"]) == (False, "producer-1")
    assert not withdraw(runner, network, "deauthorized")["changed"]
    assert len(changing(written)) == 1


def test_unauthorized_member_is_only_forgotten(
    runner: Runner, network: str, hold: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no authorization to take away from one that only asked to join."""
    hold(NAMES["B"], authorized=False)
    written = calls(monkeypatch)
    assert withdraw(runner, network, "absent")["changed"]
    assert [request.partition(" ")[0] for request in changing(written)] == ["DELETE"]


@pytest.mark.parametrize("state", ["deauthorized", "absent"])
def test_member_is_not_withdrawn_in_check_mode(
    runner: Runner, network: str, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Check mode announces the change and asks for none; an unknown member is no change."""
    keep_member(runner, network)
    written = calls(monkeypatch)
    announced = withdraw(runner, network, state, check=True)
    assert announced["changed"]
    assert '"authorized": true' in announced["diff"]["before"]
    assert changing(written) == []
    unknown = runner.run("member", network_id=network, address=STRANGER, state=state)
    assert (unknown["changed"], changing(written)) == (False, [])


def test_member_that_is_deleted_meanwhile_is_passed_over(
    runner: Runner, network: str, hold: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts are kept at the same time: a member may go between the list and its record."""
    hold(OLD, name="gone", ipAssignments=["172.29.0.2"])
    get = LocalApi.get

    def forget(api: Any, path: str) -> Any:
        return None if path.endswith(OLD) else get(api, path)

    monkeypatch.setattr(LocalApi, "get", forget)
    assert keep_member(runner, network)["changed"]
    assert [member["address"] for member in keep_network(runner)["members"]] == [NAMES["B"]]


def test_member_in_check_mode_of_a_missing_network_is_announced(runner: Runner) -> None:
    """On a fresh controller check mode goes on although the network is not there."""
    assert keep_member(runner, NETWORK, check=True)["changed"]
    failed = keep_member(runner, NETWORK)
    assert "404; check the network's id" in failed["msg"]
