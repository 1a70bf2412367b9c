"""The overlay of the lab as the tests see it: the role's runs, the nodes, and their controller."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.playbooks import AS_ROOT, Result, on, play

NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
CONTROLLER = "kafka-1"
HOME = "/var/lib/zerotier-one"
# With a package of the real ZeroTier the same tests run on it.
REAL = bool(os.environ.get("ZEROTIER_DEB"))
# How it gets onto each node of a fresh lab: one comes with the double, as those of `make lab` do.
WAYS = {
    "kafka-1": "apt",
    "producer-1": "apt" if REAL else "preinstalled",
    "consumer-1": "apt",
    "consumer-2": "deb",
}
BARE = [node for node, way in WAYS.items() if way != "preinstalled"]
PREINSTALLED = {"zerotier_install_method": "preinstalled"}
REQUEST = """
import http.client, sys
token = open("/var/lib/zerotier-one/authtoken.secret").read().strip()
port = int(open("/var/lib/zerotier-one/zerotier-one.port").read())
link = http.client.HTTPConnection("127.0.0.1", port)
link.request(sys.argv[1], sys.argv[2], sys.argv[3] or None, {"X-ZT1-Auth": token})
print(link.getresponse().read().decode())
"""


def overlay(*arguments: str, inventory: Path | None = None, **settings: Any) -> Result:
    """Run the overlay's playbook on nodes that have ZeroTier already, unless a setting differs."""
    extra = PREINSTALLED | settings
    return play("playbooks/overlay.yml", *arguments, inventory=inventory, extra=extra)


def converge(inventory: Path | None = None, **settings: Any) -> Result:
    """Run the overlay's playbook, which must end well, and return how it went."""
    result = overlay(inventory=inventory, **settings)
    assert result.status == 0, result.tail()
    return result


def operation(name: str, *arguments: str, **extra: Any) -> Result:
    """Run another playbook of the overlay."""
    return play(f"playbooks/overlay_{name}.yml", *arguments, extra=PREINSTALLED | extra)


def podman(*arguments: str) -> str:
    """Run podman and return what it prints."""
    command = [*AS_ROOT, "podman", "--runtime=runc", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def lab_up(double: object = f"{{{{ inventory_hostname not in {BARE} }}}}") -> None:
    """Bring up the lab's nodes that are not there: those that `WAYS` says with the double.

    Args:
        double: whether with it, for all nodes.

    """
    result = play("playbooks/lab_up.yml", extra={"lab_zerotier_double": double})
    assert result.status == 0, result.tail()


def bring_back() -> None:
    """Bring back nodes that were stopped or removed, made as the others are."""
    lab_up("-bare" not in podman("inspect", "--format={{.ImageName}}", "consumer-1"))


def api(path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
    """Ask the API of the controller's node, behind the role's back."""
    text = json.dumps(body) if body is not None else ""
    answer = on(CONTROLLER, f"python3 -c '{REQUEST}' {method} {path} '{text}'")
    return json.loads(answer) if answer else None


def address(node: str) -> str:
    """Return a node's ZeroTier address."""
    return str(json.loads(on(node, "zerotier-cli -j info"))["address"])


def networks(node: str) -> list[tuple[str, str, list[str]]]:
    """Return id, status and IPv4 addresses of each network that a node joined."""
    return [
        (
            found["id"],
            found["status"],
            [text.partition("/")[0] for text in found["assignedAddresses"]],
        )
        for found in json.loads(on(node, "zerotier-cli -j listnetworks"))
    ]


def only_network(node: str) -> tuple[str, list[str]]:
    """Return status and addresses of the only network that a node is in."""
    ((_, status, addresses),) = networks(node)
    return status, addresses


def versions() -> dict[str, str]:
    """Return the version that runs on each node."""
    return {node: json.loads(on(node, "zerotier-cli -j info"))["version"] for node in NODES}


def network() -> str:
    """Return the id of the only network that the controller keeps."""
    (found,) = api("/controller/network")
    return str(found)


def member(node_address: str) -> dict[str, Any]:
    """Return a member's record on the controller."""
    return dict(api(f"/controller/network/{network()}/member/{node_address}"))


def set_member(node_address: str, **changes: Any) -> None:
    """Change a member on the controller by hand."""
    api(f"/controller/network/{network()}/member/{node_address}", "POST", changes)


def members() -> set[str]:
    """Return the addresses of the network's members."""
    return set(api(f"/controller/network/{network()}/member"))
