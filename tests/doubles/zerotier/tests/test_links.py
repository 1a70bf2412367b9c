"""The data plane's commands, with iproute2 replaced by a record of what was called."""

from __future__ import annotations

import json
import subprocess

import pytest
from zerotier_double import daemon, links
from zerotier_double.links import Link

LINK = Link(
    device="ztabc",
    mac="02:00:00:00:00:01",
    vxlan_id=7,
    mtu=2800,
    addresses=frozenset({"172.29.0.2/24"}),
    peers=frozenset({("02:00:00:00:00:02", "10.0.0.2")}),
)
UP = {"ifname": "ztabc", "mtu": 2800, "flags": ["BROADCAST", "UP"]}
FORWARDING = [
    {"mac": "00:00:00:00:00:00", "dst": "10.0.0.2"},
    {"mac": "02:00:00:00:00:02", "dst": "10.0.0.2"},
]


class Kernel:
    """Answers what iproute2 would show, and keeps every command that changes something."""

    def __init__(self) -> None:
        """Start with an empty machine."""
        self.devices: list[dict[str, object]] = []
        self.addresses: list[tuple[str, int]] = []
        self.forwarding: list[dict[str, str]] = []
        self.changes: list[str] = []

    def run(self, *command: str) -> str:
        """Stand in for links.run."""
        text = " ".join(command)
        if text == "ip -j link show type vxlan":
            return json.dumps(self.devices)
        if text.startswith("ip -j -4 addr show dev"):
            held = [{"local": ip, "prefixlen": length} for ip, length in self.addresses]
            return json.dumps([{}, {"addr_info": held}])
        if text.startswith("bridge -j fdb show"):
            return json.dumps(self.forwarding)
        self.changes.append(text)
        return ""


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Provide a machine without any overlay."""
    machine = Kernel()
    monkeypatch.setattr(links, "run", machine.run)
    return machine


def test_new_link_is_made_whole(kernel: Kernel) -> None:
    """Device, MTU, address and both kinds of forwarding entries, in an order that works."""
    links.apply([LINK])
    assert kernel.changes == [
        "ip link add ztabc address 02:00:00:00:00:01 type vxlan id 7 dstport 9993 nolearning",
        "ip link set ztabc mtu 2800",
        "ip link set ztabc up",
        "ip addr add 172.29.0.2/24 broadcast + dev ztabc",
        "bridge fdb append 00:00:00:00:00:00 dev ztabc dst 10.0.0.2",
        "bridge fdb replace 02:00:00:00:00:02 dev ztabc dst 10.0.0.2",
    ]


def test_true_link_is_left_alone(kernel: Kernel) -> None:
    """Nothing is called when all is as it should be."""
    kernel.devices, kernel.forwarding = [UP], FORWARDING
    kernel.addresses = [("172.29.0.2", 24)]
    links.apply([LINK])
    assert kernel.changes == []


def test_changed_address_goes_before_the_new_one_comes(kernel: Kernel) -> None:
    """The old address is removed first: with it the kernel would drop the new one."""
    kernel.devices, kernel.forwarding = [UP], FORWARDING
    kernel.addresses = [("172.29.0.9", 24)]
    links.apply([LINK])
    assert kernel.changes == [
        "ip addr delete 172.29.0.9/24 dev ztabc",
        "ip addr add 172.29.0.2/24 broadcast + dev ztabc",
    ]


def test_gone_peer_is_forgotten(kernel: Kernel) -> None:
    """Entries of a member that left are removed."""
    kernel.devices, kernel.addresses = [UP], [("172.29.0.2", 24)]
    kernel.forwarding = [*FORWARDING, {"mac": "02:00:00:00:00:03", "dst": "10.0.0.3"}]
    links.apply([LINK])
    assert kernel.changes == ["bridge fdb delete 02:00:00:00:00:03 dev ztabc dst 10.0.0.3"]


def test_other_mtu_and_downed_link_are_corrected(kernel: Kernel) -> None:
    """What someone else changed on the device is put right."""
    kernel.devices = [{"ifname": "ztabc", "mtu": 1500, "flags": []}]
    kernel.forwarding, kernel.addresses = FORWARDING, [("172.29.0.2", 24)]
    links.apply([LINK])
    assert kernel.changes == ["ip link set ztabc mtu 2800", "ip link set ztabc up"]


def test_leftover_interface_goes_and_foreign_ones_stay(kernel: Kernel) -> None:
    """Only interfaces that bear a ZeroTier name are removed."""
    kernel.devices = [{"ifname": "ztold"}, {"ifname": "vxlan0"}]
    links.apply([])
    assert kernel.changes == ["ip link delete ztold"]


def test_underlay_leaves_overlays_and_loopback_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broadcasts go to real networks only."""
    shown = [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1"}]},
        {"ifname": "eth0", "addr_info": [{"local": "10.0.0.1", "broadcast": "10.0.0.255"}]},
        {"ifname": "ztabc", "addr_info": [{"local": "172.29.0.1", "broadcast": "172.29.0.255"}]},
    ]
    monkeypatch.setattr(links, "run", lambda *_command: json.dumps(shown))
    assert links.underlay() == [("eth0", "10.0.0.1", "10.0.0.255")]


def test_failed_command_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service outlives a command that fails, and repeats it."""
    calls: list[list[Link]] = []

    def fail(wanted: list[Link]) -> None:
        calls.append(wanted)
        raise subprocess.CalledProcessError(2, ["ip", "link"], stderr="Operation not permitted\n")

    monkeypatch.setattr(links, "apply", fail)
    dataplane = daemon.Dataplane()
    dataplane.apply([LINK])
    dataplane.apply([LINK])
    assert len(calls) == 2
    assert "virtual network port: ip link: Operation not permitted" in capsys.readouterr().err


def test_unchanged_links_are_not_applied_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between changes the kernel is left in peace for some seconds."""
    calls: list[list[Link]] = []
    monkeypatch.setattr(links, "apply", calls.append)
    dataplane = daemon.Dataplane()
    dataplane.apply([LINK])
    dataplane.apply([LINK])
    dataplane.apply([])
    assert calls == [[LINK], []]
