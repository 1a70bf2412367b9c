"""A node that may not open /dev/net/tun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from zerotier_double import api, daemon, tun

from tests.support.zerotier_lab import NAMES, NETWORK, Cluster, capture, capture_text

if TYPE_CHECKING:
    from pathlib import Path


class Device:
    """A TUN device that can be opened, or not."""

    def __init__(self) -> None:
        """Start closed."""
        self.opens = False

    def __call__(self) -> bool:
        """Stand in for tun.opens."""
        return self.opens


@pytest.fixture
def device(cluster: Cluster) -> Device:
    """Start node B without its device, on a network that would have it."""
    made = Device()
    cluster.network()
    cluster.authorize("B", "172.29.0.2")
    cluster.start("B", opens_tun=made)
    return made


@pytest.mark.usefixtures("device")
def test_network_without_its_interface_is_never_listed(cluster: Cluster) -> None:
    """The join is answered with an empty object, and the list stays empty."""
    assert cluster["B"].join(NETWORK) == {}
    cluster.wire.pass_time(3)
    assert cluster["B"].networks() == capture("05-tun-permission-denied.listnetworks.json")
    assert cluster["B"].links() == []
    assert cluster["B"].without_port == [NETWORK]


@pytest.mark.usefixtures("device")
def test_controller_hears_of_the_member_all_the_same(cluster: Cluster) -> None:
    """Only the interface is missing: the member's version shows that it got its configuration."""
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    members = cluster["A"].controller.members(NETWORK)
    assert members is not None
    assert members[NAMES["B"]]["vMajor"] == 1
    table = {path: call for method, path, call in api.routes(cluster["B"]) if method == "DELETE"}
    assert table["/network/([0-9a-fA-F]{16})"](NETWORK) == {"result": True}


def test_network_comes_up_when_the_device_is_back(cluster: Cluster, device: Device) -> None:
    """The next tick heals it; a device that goes away later takes no interface down."""
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    device.opens = True
    cluster.wire.pass_time()
    assert cluster.shown("B")["assignedAddresses"] == ["172.29.0.2/24"]
    device.opens = False
    cluster.wire.pass_time()
    assert cluster.shown("B")["status"] == "OK"


def test_restart_without_the_device_loses_the_network(cluster: Cluster, device: Device) -> None:
    """A network that was joined before has no interface either, and gets one at the next tick."""
    device.opens = True
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    device.opens = False
    cluster.start("B", opens_tun=device)
    assert cluster["B"].networks() == []
    device.opens = True
    cluster.wire.pass_time()
    assert cluster.shown("B")["status"] == "OK"


def test_journal_has_the_real_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each network, and another one only after it had an interface between."""
    real = capture_text("05-tun-permission-denied.journal.txt").splitlines()[2].partition("]: ")[2]
    errors = daemon.PortErrors()
    for without in ([NETWORK], [NETWORK], [], [NETWORK, "21c1e20656000001"]):
        errors.update(without)
    assert capsys.readouterr().err.splitlines() == [real] * 3


def test_device_is_opened_for_reading_and_writing(tmp_path: Path) -> None:
    """A missing device, and one that is no file to open, both count as closed."""
    device = tmp_path / "tun"
    assert not tun.opens(device)
    device.touch()
    assert tun.opens(device)
    assert not tun.opens(tmp_path)
