"""Prove that other nodes answer over the overlay."""

from __future__ import annotations

from typing import Any

from ..module_utils.zerotier.api import ZerotierError
from ..module_utils.zerotier.icmp import unreached
from ..module_utils.zerotier.module import NODE, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_reach
short_description: Prove that other nodes answer over the overlay
description:
  - Sends ICMP echo requests from this node's overlay address to each peer until all replied.
  - Needs no ping command. Changes nothing.
options:
  source:
    description: This machine's IPv4 address on the overlay.
    type: str
    required: true
  peers:
    description: The other nodes, IPv4 address on the overlay by name.
    type: dict
    required: true
  timeout:
    description: How long all peers together may take, in seconds.
    type: int
    default: 60
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.node
"""

EXAMPLES = r"""
- name: Reach the broker
  server_monitoring.cluster.zerotier_reach:
    node: producer-1
    source: 172.29.0.2
    peers: {kafka-1: 172.29.0.1}
"""

RETURN = r"""
reached:
  description: Names of the peers that replied.
  type: list
  elements: str
  returned: success
"""


def reach(module: AnsibleModule) -> dict[str, Any]:
    """Return the module's result once every peer replied; raises ZerotierError otherwise."""
    node, source, peers, timeout = (
        module.params[key] for key in ("node", "source", "peers", "timeout")
    )
    here = f"{node} ({source})"
    try:
        silent = unreached(source, sorted(peers.values()), timeout)
    except OSError as problem:
        message = f"{here} cannot send over the overlay: {problem.strerror}"
        raise ZerotierError(message) from problem
    if silent:
        names = ", ".join(
            f"{name} ({peers[name]})" for name in sorted(peers) if peers[name] in silent
        )
        message = (
            f"{here} got no reply over the overlay from {names} within {timeout} s; check that UDP "
            "9993 is open between them, and on both: zerotier-cli peers"
        )
        raise ZerotierError(message)
    return {"changed": False, "reached": sorted(peers)}


ARGUMENTS: dict[str, Any] = {
    **NODE,
    "source": {"type": "str", "required": True},
    "peers": {"type": "dict", "required": True},
    "timeout": {"type": "int", "default": 60},
}


if __name__ == "__main__":
    run(ARGUMENTS, reach)
