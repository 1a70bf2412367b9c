"""The module zerotier_peers: direct, relayed, or not found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.zerotier_lab import NAMES, Cluster, Json
from tests.support.zerotier_runner import Runner, content, passing_time

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS = {"kafka-1": NAMES["A"], "consumer-1": NAMES["C"]}


@pytest.fixture
def on_b(cluster: Cluster, runner_on: Callable[[str], Runner]) -> Runner:
    """Let all nodes orbit A's moon, and run on B."""
    cluster.orbit("A", "B", "C")
    return runner_on("B")


def peers(runner: Runner, **changed: object) -> Json:
    """Run zerotier_peers for the node producer-1."""
    arguments: Json = {"node": "producer-1", "peers": PEERS, "timeout": 5} | changed
    return runner.run("peers", **arguments)


def links(result: Json) -> dict[str, str]:
    """Return the kind of link by peer."""
    assert all(link["from"] == "producer-1" for link in result["links"])
    return {link["to"]: link["link"] for link in result["links"]}


def warning_of(on_b: Runner, link: str) -> str:
    """Return what is said when the node C is reached by another kind of link than a direct one."""
    done = peers(on_b)
    assert links(done) == {"consumer-1": link, "kafka-1": "direct"}
    [warning] = done["warnings"]
    return str(warning)


def test_direct_paths_are_waited_for(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as all are direct the links are told, by name, without a warning."""
    clock = passing_time(monkeypatch, "peers", cluster)
    before = content(on_b.home)
    done = peers(on_b)
    assert (done["changed"], done["warnings"]) == (False, [])
    assert done["links"] == [
        {
            "from": "producer-1",
            "to": "consumer-1",
            "link": "direct",
            "latency": 0,
            "path": "10.213.0.3/9993",
        },
        {
            "from": "producer-1",
            "to": "kafka-1",
            "link": "direct",
            "latency": 0,
            "path": "10.213.0.1/9993",
        },
    ]
    assert 0 < len(clock.slept) < 4
    assert content(on_b.home) == before


def test_relayed_path_is_a_warning_that_names_both_nodes(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module waits for a direct path until its time is over, then goes on."""
    cluster.isolate("B", "C")
    clock = passing_time(monkeypatch, "peers", cluster)
    assert warning_of(on_b, "relayed") == (
        "producer-1 reaches consumer-1 only through a relay, which is slow; open UDP 9993 between "
        "the two, or give their site a root of its own (group zerotier_moons)"
    )
    assert 5 < clock.monotonic() < 7


def test_peer_that_is_not_listed_is_not_called_relayed(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that is not there at all is told as such."""
    cluster.stop("C")
    passing_time(monkeypatch, "peers", cluster)
    assert warning_of(on_b, "none") == (
        "producer-1 does not find consumer-1; see that zerotier-one runs on both, and that both "
        "reach a root (zerotier-cli peers)"
    )


def test_node_without_peers_has_no_links(on_b: Runner) -> None:
    """A network of one host is fine."""
    done = peers(on_b, peers={})
    assert (done["links"], done["warnings"]) == ([], [])
