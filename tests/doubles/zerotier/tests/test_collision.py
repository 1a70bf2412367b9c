"""Two nodes of one address: who is told, and what it does then."""

from __future__ import annotations

import pytest
from zerotier_double.store import Home
from zerotier_double.variant import Variant

from tests.support.zerotier_lab import ADDRESSES, NAMES, SECRET, Cluster

STRANGER = f"{NAMES['B']}:0:{'ab' * 64}"


@pytest.fixture
def twins(cluster: Cluster) -> Cluster:
    """Let A know B, and give C the address of B with a key of its own."""
    cluster.stop("C")
    cluster.wire.pass_time()
    Home(cluster.home("C")).write_text("identity.secret", f"{STRANGER}:{SECRET}")
    cluster.start("C")
    return cluster


def path_of_b(cluster: Cluster) -> str:
    """Return where A believes B's address to be."""
    peers = {peer["address"]: peer for peer in cluster["A"].peers()}
    return str(peers[NAMES["B"]]["paths"][0]["address"])


def test_second_node_of_an_address_is_told(twins: Cluster) -> None:
    """The newcomer has to step aside; the one that was known first goes on."""
    twins.wire.pass_time()
    assert twins["C"].collided
    assert not twins["B"].collided
    assert not twins["A"].collided
    assert path_of_b(twins) == f"{ADDRESSES['B']}/9993"


def test_collision_counts_from_a_root_alone(twins: Cluster) -> None:
    """A node that orbits a moon believes that moon's roots; A is none here."""
    moon = twins.moon()
    root = f"{'c' * 10}:0:{'cd' * 64}"
    moon["roots"] = [{"identity": root, "stableEndpoints": ["10.213.0.77/9993"]}]
    twins.orbit("C", moon=moon)
    twins.wire.pass_time(2)
    assert not twins["C"].collided


def test_collision_counts_from_the_root_of_a_moon(twins: Cluster) -> None:
    """A is the root of the moon that C orbits."""
    twins.orbit("C")
    twins.wire.pass_time()
    assert twins["C"].collided


def test_no_one_counts_in_a_build_without_roots(twins: Cluster) -> None:
    """Where only moons are roots, a node without a moon believes no one."""
    twins.start("C", variant=Variant(roots=False))
    twins.wire.pass_time(2)
    assert not twins["C"].collided


def test_cloned_identity_is_not_noticed(twins: Cluster) -> None:
    """Two nodes of one identity, as from one image: the one heard last is where both are seen."""
    clone = (twins.home("B") / "identity.secret").read_text("utf-8")
    Home(twins.home("C")).write_text("identity.secret", clone)
    (twins.home("C") / "identity.public").unlink(missing_ok=True)
    twins.start("C")
    twins.wire.pass_time()
    assert not any(twins[name].collided for name in NAMES)
    assert path_of_b(twins) == f"{ADDRESSES['C']}/9993"


def test_identity_is_put_aside_and_a_new_one_made(twins: Cluster) -> None:
    """The old secret is kept under the real one's name, and both identity files are new."""
    home = Home(twins.home("C"))
    old = home.identity()
    (home.path / "identity.public").write_text(old.public, "utf-8")
    home.forget_identity()
    assert home.read("identity.secret.saved_after_collision") == old.secret
    assert sorted(file.name for file in home.path.glob("identity.*")) == [
        "identity.secret.saved_after_collision"
    ]
    twins.start("C")
    twins.wire.pass_time()
    assert twins["C"].identity.address not in {old.address, *NAMES.values()}
    assert not twins["C"].collided
    assert path_of_b(twins) == f"{ADDRESSES['B']}/9993"
