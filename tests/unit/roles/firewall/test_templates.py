"""The rules load as they are rendered, for several inventories, with every variable defined."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.firewall_rendering import render
from tests.support.playbooks import AS_ROOT

if TYPE_CHECKING:
    from pathlib import Path

FULL = {
    "overlay": [
        'ip saddr { 172.29.0.2, 172.29.0.3 } tcp dport { 9092 } accept comment "Kafka clients"',
        "ip6 saddr { fd00::2 } tcp dport { 9093, 9094 } accept",
    ],
    "anywhere": ["udp dport { 9994 } accept", "ip saddr { 10.0.0.0/8 } tcp dport { 9100 } accept"],
}


def in_an_empty_namespace(script: str, rules: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script with the rules as its input, in a network namespace of its own."""
    command = [*AS_ROOT, "unshare", "--net", "sh", "-e", "-c", script]
    return subprocess.run(command, input=rules, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"_firewall_openings": FULL},
        {"_firewall_ssh_ports": [22, 2222], "firewall_ssh_on_overlay": True},
        {"firewall_overlay_interface": "ztmoncluster"},
    ],
)
def test_rules_load_twice_and_leave_other_tables_alone(changes: dict[str, Any]) -> None:
    """One file loads where there is no table yet and where there is; a bystander stays."""
    done = in_an_empty_namespace(
        "rules=$(cat); nft add table inet bystander; nft add chain inet bystander kept\n"
        'for _ in 1 2; do echo "$rules" | nft --file -; done\n'
        "nft list tables; nft list chain inet bystander kept\n"
        "nft list table inet server_monitoring",
        render("firewall.nft", **changes),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("table inet server_monitoring") == 2
    assert "chain kept" in done.stdout
    assert done.stdout.count("policy drop") == 1


def test_broken_rules_leave_the_old_ones() -> None:
    """A file that nft refuses changes nothing: it is one transaction."""
    good = render("firewall.nft", _firewall_openings=FULL)
    broken = good.replace("udp dport 9993 accept", "udp dport 9993 nonsense")
    done = in_an_empty_namespace(
        f"nft --file - <<'END'\n{good}END\nif nft --file -; then exit 3; fi\n"
        "nft list table inet server_monitoring",
        broken,
    )
    assert done.returncode == 0, done.stderr
    assert "udp dport 9993 accept" in done.stdout


def test_underlay_opens_ssh_and_zerotier_and_nothing_else() -> None:
    """Besides answers of a DHCP server there is no other port in its chain."""
    rules = render("firewall.nft", _firewall_ssh_ports=[22, 2222], _firewall_openings=FULL)
    _, _, underlay = rules.partition("chain underlay {")
    accepted = [line.strip() for line in underlay.splitlines() if " accept" in line]
    assert accepted == [
        'tcp dport { 22, 2222 } accept comment "ssh"',
        'udp dport 9993 accept comment "ZeroTier"',
        'udp sport 67 udp dport 68 accept comment "DHCP"',
        'ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment "DHCPv6"',
    ]


@pytest.mark.parametrize("open_there", [True, False])
def test_ssh_is_open_on_the_overlay_only_where_it_is_asked_for(*, open_there: bool) -> None:
    """The overlay's chain has a rule for ssh, or none."""
    rules = render("firewall.nft", firewall_ssh_on_overlay=open_there)
    overlay = rules.partition("chain overlay {")[2].partition("chain underlay {")[0]
    assert ('comment "ssh"' in overlay) is open_there


def test_unit_comes_before_any_network_and_behind_the_distributions_own() -> None:
    """The distribution's unit flushes everything, so ours is loaded after it, and with it again."""
    lines = render("server-monitoring-firewall.service").splitlines()
    for expected in (
        "Before=network-pre.target shutdown.target",
        "After=nftables.service",
        "PartOf=nftables.service",
        "ReloadPropagatedFrom=nftables.service",
        "WantedBy=sysinit.target",
        "CapabilityBoundingSet=CAP_NET_ADMIN",
    ):
        assert expected in lines


def test_unit_s_exposure_is_low(tmp_path: Path) -> None:
    """It is rated at 1.5 at most (15 for the tool) by the systemd of this machine."""
    file = tmp_path / "server-monitoring-firewall.service"
    file.write_text(render(file.name), encoding="utf-8")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager"]
    done = subprocess.run([*command, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
    assert "Overall exposure level" in done.stdout
