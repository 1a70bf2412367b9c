"""The fake Central before a node's own controller: the double's members follow Central."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from central_mirror import Mirror
from central_server import FakeCentral

from tests.support.central_client import JOINED, TOKEN, WANTED, client, refusal, stopped
from tests.support.zerotier_lab import NAMES, Cluster, Json, Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import (
        central as zerotier_central,
    )

B = NAMES["B"]


@pytest.fixture
def fake(served: Served, tmp_path: Path) -> Iterator[FakeCentral]:
    """Serve a fake Central that tells node A's controller."""
    mirror = Mirror(f"http://127.0.0.1:{served.port}", served.token)
    serving = FakeCentral(TOKEN, mirror=mirror, state=tmp_path / "state")
    yield serving
    serving.close()


@pytest.fixture
def central(fake: FakeCentral) -> zerotier_central.Central:
    """Return a client of it."""
    return client(fake)


def status(cluster: Cluster, name: str, network: str) -> Json:
    """Return how a node shows a network, after some time."""
    cluster.wire.pass_time(5)
    return next(found for found in cluster[name].networks() if found["id"] == network)


def test_network_is_the_controllers(cluster: Cluster, central: zerotier_central.Central) -> None:
    """The network has the controller's id there, and the wanted settings on both sides."""
    made = central.create_network(WANTED)
    assert cluster["A"].controller.networks() == [made["id"]]
    record = cluster["A"].controller.network(made["id"]) or {}
    assert {key: record[key] for key in WANTED} == WANTED
    central.save_network(made["id"], {"mtu": 2000, "name": "renamed"})
    record = cluster["A"].controller.network(made["id"]) or {}
    assert (record["mtu"], record["name"], record["private"]) == (2000, "renamed", True)


def test_authorized_member_becomes_ok(cluster: Cluster, central: zerotier_central.Central) -> None:
    """A node is let in with the address that Central gave it, and shut out again."""
    network = central.create_network(WANTED)["id"]
    central.save_member(network, B, JOINED)
    cluster["B"].join(network)
    joined = status(cluster, "B", network)
    assert (joined["status"], joined["assignedAddresses"]) == ("OK", ["172.29.0.2/24"])
    record = (cluster["A"].controller.members(network) or {})[B]
    assert (record["name"], record["noAutoAssignIps"]) == ("producer-1", True)
    central.save_member(network, B, {"authorized": False})
    assert status(cluster, "B", network)["status"] == "ACCESS_DENIED"


def test_node_that_asked_to_join_is_listed(
    cluster: Cluster, central: zerotier_central.Central
) -> None:
    """A node nobody named shows up like at Central: not authorized, and with its identity."""
    network = central.create_network(WANTED)["id"]
    cluster["B"].join(network)
    assert status(cluster, "B", network)["status"] == "ACCESS_DENIED"
    listed = central.members(network)
    assert [(member["id"], member["authorized"]) for member in listed] == [(B, False)]
    assert central.member(network, B) == listed[0]
    central.save_member(network, B, JOINED)
    assert status(cluster, "B", network)["status"] == "OK"


def test_deleted_member_is_shut_out(
    cluster: Cluster, fake: FakeCentral, central: zerotier_central.Central
) -> None:
    """Deleting a member and a network deletes them on the controller."""
    network = central.create_network(WANTED)["id"]
    central.save_member(network, B, JOINED)
    central.delete_member(network, B)
    assert cluster["A"].controller.members(network) == {}
    assert central.member(network, B) is None
    fake.store.delete_network(network)
    assert cluster["A"].controller.networks() == []


def test_change_that_the_controller_misses_is_not_kept(
    served: Served, central: zerotier_central.Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the controller is away, a change fails loudly and Central still has the old record."""
    stopped(monkeypatch)
    made = central.create_network(WANTED)
    served.close()
    line = refusal(lambda: central.save_network(made["id"], {"mtu": 2000}))
    assert f"the mirror at 127.0.0.1:{served.port} does not answer: " in line
    assert central.network(made["id"]) == made


def test_wrong_token_of_the_controller_is_named(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror that is refused says so, with the controller's status."""
    stopped(monkeypatch)
    fake = FakeCentral(TOKEN, mirror=Mirror(f"http://127.0.0.1:{served.port}", "wrong"))
    line = refusal(lambda: client(fake).create_network(WANTED))
    fake.close()
    assert f"the mirror at 127.0.0.1:{served.port} answered 401 to GET /status" in line
    assert fake.store.networks() == []
