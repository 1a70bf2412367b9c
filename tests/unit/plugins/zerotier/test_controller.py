"""What every module that talks to a node's controller refuses: in one line, without the token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from zerotier_double.variant import Variant

from tests.support.zerotier_lab import NETWORK, Cluster, Json, Served
from tests.unit.plugins.zerotier.test_member import keep_member
from tests.unit.plugins.zerotier.test_network import keep_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.zerotier_runner import Runner


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"address": "../x"}, "address: found '../x', expected [0-9a-f]{10}"),
        ({"address": ""}, "address: found '', expected [0-9a-f]{10}"),
        ({"network_id": "short"}, "network_id: found 'short', expected [0-9a-f]{16}"),
        ({"network_id": ""}, "network_id: found '', expected [0-9a-f]{16}"),
    ],
)
def test_malformed_id_is_refused(runner: Runner, changed: Json, expected: str) -> None:
    """An id never reaches the API's path unless it is one."""
    arguments: Json = {"network_id": NETWORK} | changed
    failed = keep_member(runner, arguments.pop("network_id"), **arguments)
    assert failed["msg"] == expected


def test_malformed_id_of_a_network_is_refused_but_not_an_empty_one(runner: Runner) -> None:
    """Without an id a network is found by its name."""
    failed = keep_network(runner, network_id="../../status")
    assert failed["msg"] == "network_id: found '../../status', expected [0-9a-f]{16}"
    assert keep_network(runner, network_id="")["changed"]


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


@pytest.mark.parametrize("name", ["network", "member"])
def test_build_without_a_controller_is_named_with_the_version_to_take(
    cluster: Cluster, runner_on: Callable[[str], Runner], name: str
) -> None:
    """Builds from 1.16 on answer 404 below /controller; the line says what to install instead."""
    cluster.start("A", variant=Variant("1.16.0", controller=False))
    runner = runner_on("A")
    failed = keep_network(runner) if name == "network" else keep_member(runner, NETWORK)
    assert failed["msg"] == (
        "zerotier-one 1.16.0 of this machine has no network controller: builds from 1.16 on leave "
        "it out; on this host set zerotier_version to one below 1.16 (such as 1.14.2), or put a "
        "host with a controller into the group zerotier_controller"
    )


def test_newer_build_with_a_controller_is_taken(
    cluster: Cluster, runner_on: Callable[[str], Runner]
) -> None:
    """What the service answers decides, not its version."""
    cluster.start("A", variant=Variant("1.16.0"))
    assert keep_network(runner_on("A"))["changed"]
