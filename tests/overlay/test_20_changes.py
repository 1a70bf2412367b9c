"""What changes in the inventory, on the controller or on a node converges in one run."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.overlay import zerotier_packages
from tests.overlay.changes_by_hand import RULES, STRANGER, ByHand, change_by_hand
from tests.overlay.lab_overlay import (
    CONTROLLER,
    HOME,
    NODES,
    PREINSTALLED,
    address,
    api,
    bring_back,
    converge,
    member,
    members,
    network,
    networks,
    only_network,
    operation,
    overlay,
    podman,
    set_member,
)
from tests.support.playbooks import AS_ROOT, on, play
from tests.support.project import PROJECT

PHRASE = "a phrase of the tests"


@pytest.fixture(scope="module")
def by_hand() -> ByHand:
    """Change the overlay behind Ansible's back."""
    return change_by_hand()


def test_check_mode_tells_what_was_changed_by_hand_and_nothing_else(by_hand: ByHand) -> None:
    """On a provisioned cluster `--check --diff` reports one change a node, and does nothing."""
    result = play("provision.yml", "--check", "--diff", extra=PREINSTALLED)
    assert result.status == 0, result.tail()
    assert result.changed() == dict.fromkeys(NODES, 1) | {"localhost": 0}, result.tail(200)
    assert result.says(f"producer-1 ({by_hand.nodes['producer-1']}) would be set right")
    assert member(by_hand.nodes["producer-1"])["authorized"] is False
    assert on(CONTROLLER, RULES) != by_hand.rules


def test_rules_are_set_right_and_a_stranger_s_table_stays(by_hand: ByHand) -> None:
    """The next run puts back what was taken out, on that node alone."""
    result = play("playbooks/firewall.yml")
    assert result.status == 0, result.tail()
    assert {node for node in NODES if result.changed()[node]} == {CONTROLLER}, result.tail(100)
    assert on(CONTROLLER, RULES) == by_hand.rules
    assert "table inet bystander" in on(CONTROLLER, "nft list tables")
    on(CONTROLLER, "nft delete table inet bystander")


def test_members_are_set_right_by_name_and_a_stranger_is_left_alone(by_hand: ByHand) -> None:
    """Deauthorized, renamed, another address: said and corrected; who is not known is reported."""
    nodes = by_hand.nodes
    corrected = converge()
    said = "was set right on the controller"
    assert corrected.says(f"producer-1 ({nodes['producer-1']}) {said}: authorized false instead of")
    assert corrected.says(f"consumer-1 ({nodes['consumer-1']}) {said}: name someone-else instead")
    assert corrected.says(f"consumer-2 ({nodes['consumer-2']}) {said}: address 172.29.0.99 instead")
    assert corrected.changed() == {node: int(node != CONTROLLER) for node in NODES}
    for node, end in (("producer-1", 2), ("consumer-1", 3), ("consumer-2", 4)):
        assert only_network(node) == ("OK", [f"172.29.0.{end}"])
    unknown = f"the inventory does not know these members: {STRANGER} (name a-laptop"
    assert corrected.says(unknown)
    assert member(STRANGER) == by_hand.stranger


def test_address_of_a_stranger_is_refused_until_it_is_taken_out() -> None:
    """Nobody gets an address that another member holds; overlay_leave.yml takes that one out."""
    set_member(STRANGER, ipAssignments=["172.29.0.4"])
    result = overlay("--limit", "consumer-2")
    assert result.status != 0
    assert result.says("consumer-2: its address 172.29.0.4 is held by another member of network")
    assert result.says(f"overlay_leave.yml -e leave={STRANGER}")

    taken_out = operation("leave", leave=STRANGER)
    assert taken_out.status == 0, taken_out.tail()
    assert STRANGER not in members()


@pytest.mark.long
def test_two_hosts_swap_their_addresses(changed_inventory: Callable[..., Path]) -> None:
    """New addresses converge in one run, even those that two hosts held of each other."""

    def swap(inventory: dict[str, Any]) -> None:
        hosts = inventory["hosts"]
        hosts["consumer-1"]["zerotier_ip"], hosts["consumer-2"]["zerotier_ip"] = (
            hosts["consumer-2"]["zerotier_ip"],
            hosts["consumer-1"]["zerotier_ip"],
        )

    converge(changed_inventory(swap))
    assert only_network("consumer-1") == ("OK", ["172.29.0.4"])
    assert only_network("consumer-2") == ("OK", ["172.29.0.3"])


@pytest.mark.long
def test_new_network_leaves_nothing_of_the_old_one() -> None:
    """Another name is another network: members leave the old one, which is then forgotten.

    The run also gives the hosts their addresses back.
    """
    old = network()
    checked = overlay("--check", zerotier_network_name="another")
    assert checked.status == 0, checked.tail()
    assert network() == old
    converge(zerotier_network_name="another")
    assert network() != old
    for node in NODES:
        assert [found for found, _, _ in networks(node)] == [network()]
        assert old not in on(node, f"ls {HOME}/networks.d")
    assert only_network("consumer-1") == ("OK", ["172.29.0.3"])
    converge()


def test_host_leaves_at_both_ends() -> None:
    """Deauthorized, left, forgotten; nothing of the overlay stays.

    The last run of test_30_diagnosis brings it back.
    """
    left = address("consumer-2")
    asked = operation("leave")
    assert asked.status != 0
    assert asked.says("pass -e leave=NAME with who is to leave; members of the network:")

    # Whatever name the controller has for it.
    set_member(left, name="someone-else")
    result = operation("leave", leave="consumer-2")
    assert result.status == 0, result.tail()
    assert left not in members()
    assert networks("consumer-2") == []
    assert on("consumer-2", "zerotier-cli -j listmoons") == "[]"
    assert operation("leave", leave="consumer-2").changed() == {"localhost": 0}


@pytest.mark.long
def test_host_that_is_gone_is_forgotten_all_the_same() -> None:
    """A machine that does not answer is taken out on the controller, and that is said."""
    gone = address("consumer-2")
    podman("stop", "--time=2", "consumer-2")
    try:
        result = operation("leave", leave="consumer-2")
        assert result.status == 0, result.tail()
        assert result.says("consumer-2: could not be reached")
        assert gone not in members()
    finally:
        podman("start", "consumer-2")
        bring_back()
    converge()
    assert only_network("consumer-2") == ("OK", ["172.29.0.4"])


@pytest.mark.long
def test_host_whose_service_is_down_is_forgotten_all_the_same() -> None:
    """A node that cannot leave by itself is taken out on the controller, and that is said."""
    gone = address("consumer-2")
    on("consumer-2", "systemctl stop zerotier-one")
    result = operation("leave", leave=f"consumer-2,{gone}")
    on("consumer-2", "systemctl start zerotier-one")
    assert result.status == 0, result.tail()
    assert result.says("consumer-2: could not leave by itself")
    assert gone not in members()
    converge()


def test_network_keeper_leaves_last() -> None:
    """Its own controller is not taken out of a network that others are in."""
    result = operation("leave", leave=CONTROLLER)
    assert result.status != 0
    assert result.says("keeps the network itself, and others are still in it")


@pytest.mark.long
def test_network_survives_a_restart_of_its_controller_and_of_a_node() -> None:
    """A restarted service and a rebooted node come back by themselves with what they had."""
    on(CONTROLLER, "systemctl restart zerotier-one")
    podman("restart", "--time=2", "producer-1")
    bring_back()
    result = converge()
    assert result.changed() == dict.fromkeys(NODES, 0), result.tail(200)
    assert only_network("producer-1") == ("OK", ["172.29.0.2"])


@pytest.mark.long
def test_local_settings_are_the_service_s_own() -> None:
    """Port, mapping, relay and blacklists reach the service, which restarts once and only then."""
    settings: dict[str, Any] = {
        "zerotier_primary_port": 29993,
        "zerotier_moon_endpoints": ["10.213.0.11/29993"],
        "zerotier_port_mapping": True,
        "zerotier_interface_blacklist": ["docker"],
        "zerotier_address_blacklist": ["192.0.2.0/24"],
    }
    converge(**settings)
    again = converge(**settings)
    assert again.changed() == dict.fromkeys(NODES, 0), again.tail(200)
    for node in NODES:
        shown = on(node, "zerotier-cli -j info")
        assert '"primaryPort": 29993' in shown
        assert '"portMappingEnabled": true' in shown
        written = on(node, f"cat {HOME}/local.conf")
        assert '"docker"' in written
        assert '"192.0.2.0/24"' in written
    assert api("/controller")["controller"] is True
    converge()


@pytest.mark.long
def test_moons_follow_the_inventory(changed_inventory: Callable[..., Path]) -> None:
    """A root that is none any more is orbited by nobody; one that is again, by all."""

    def no_moons(inventory: dict[str, Any]) -> None:
        del inventory["children"]["zerotier_moons"]

    moon = f'"id": "000000{address(CONTROLLER)}"'
    assert all(moon in on(node, "zerotier-cli -j listmoons") for node in NODES)
    converge(changed_inventory(no_moons))
    assert {on(node, "zerotier-cli -j listmoons") for node in NODES} == {"[]"}
    converge()
    assert all(moon in on(node, "zerotier-cli -j listmoons") for node in NODES)


@pytest.mark.long
def test_lost_controller_comes_back_from_its_backup(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new machine with the backup is the same controller of the same network; nobody moves."""
    secret = on(CONTROLLER, f"cat {HOME}/identity.secret")
    lost, lost_network = address(CONTROLLER), network()
    monkeypatch.setenv("ZEROTIER_BACKUP_PASSWORD", "short")
    folder = {"zerotier_backup_dir": str(tmp_path)}
    refused = operation("backup", **folder)
    assert refused.says("the backup's password has 5 characters, expected at least 12")

    monkeypatch.setenv("ZEROTIER_BACKUP_PASSWORD", PHRASE)
    made = operation("backup", "-vvv", **folder)
    assert made.status == 0, made.tail()
    (backup,) = tmp_path.iterdir()
    assert backup.stat().st_mode & 0o777 == 0o600
    for private in (secret.rpartition(":")[2], PHRASE):
        assert private not in made.output
        assert private not in backup.read_text(encoding="utf-8")

    podman("rm", "--force", "--time=0", CONTROLLER)
    bring_back()
    monkeypatch.setenv("ZEROTIER_BACKUP_PASSWORD", "another password")
    refused = operation("restore", backup=str(backup))
    assert refused.says("does not open with this password")
    monkeypatch.setenv("ZEROTIER_BACKUP_PASSWORD", PHRASE)
    files = zerotier_packages.packages(tmp_path_factory.mktemp("packages"))
    settings = zerotier_packages.from_file(next(iter(files.values())))
    restored = operation("restore", backup=str(backup), **settings)
    assert restored.status == 0, restored.tail()

    assert on(CONTROLLER, f"cat {HOME}/identity.secret") == secret
    converge()
    assert (address(CONTROLLER), network()) == (lost, lost_network)
    assert {found for node in NODES for found, _, _ in networks(node)} == {lost_network}


def test_secrets_stay_on_their_nodes() -> None:
    """Identity, token and the moon's key are closed, and nothing of them is on this machine."""
    own = [f"{HOME}/{name}" for name in ("identity.secret", "authtoken.secret")]
    for node in NODES:
        files = own + ([f"{HOME}/server-monitoring.moon.json"] if node == CONTROLLER else [])
        assert set(on(node, f"stat --format=%a {' '.join(files)}").split()) == {"600"}
        for file in own:
            text = on(node, f"cat {file}").rpartition(":")[2]
            places = [str(PROJECT / ".lab"), str(PROJECT / "results"), "/root/.ansible"]
            found = subprocess.run(
                [*AS_ROOT, "grep", "--recursive", "--files-with-matches", "--", text, *places],
                capture_output=True,
                text=True,
                check=False,
            )
            assert found.stdout == ""
