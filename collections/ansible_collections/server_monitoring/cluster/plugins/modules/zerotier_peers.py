"""Tell how this machine reaches the other nodes."""

from __future__ import annotations

import time
from typing import Any

from ..module_utils.zerotier import state
from ..module_utils.zerotier.api import LocalApi
from ..module_utils.zerotier.module import HOME, NODE, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_peers
short_description: Tell how this machine reaches the other nodes
description:
  - Waits for direct paths, then tells of each peer whether it is reached directly or by a relay,
    with which latency, and under which underlay address. Changes nothing.
  - A relayed path, and a missing one, is a warning that names both nodes.
options:
  peers:
    description: The other nodes, ZeroTier address by name.
    type: dict
    required: true
  timeout:
    description: How long a path may take to become direct, in seconds.
    type: int
    default: 15
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.home
  - server_monitoring.cluster.zerotier.node
"""

EXAMPLES = r"""
- name: See how the broker is reached
  server_monitoring.cluster.zerotier_peers:
    node: producer-1
    peers: {kafka-1: 21c1e20656}
"""

RETURN = r"""
links:
  description: >-
    Of each peer C(from), C(to), C(link) (direct, relayed or none), C(latency) (ms), C(path).
  type: list
  elements: dict
  returned: success
"""

INTERVAL_SECONDS = 0.5


def look(module: AnsibleModule) -> dict[str, Any]:
    """Return the links once all are direct, or as they are after the timeout."""
    params, api = module.params, LocalApi(module.params["home"])
    deadline = time.monotonic() + params["timeout"]
    while True:
        known = api.get("/peer")
        links = [
            {"from": params["node"], "to": name, **state.link_to(known, address)}
            for name, address in sorted(params["peers"].items())
        ]
        indirect = [link for link in links if link["link"] != "direct"]
        if not indirect or time.monotonic() > deadline:
            break
        time.sleep(INTERVAL_SECONDS)
    for link in indirect:
        module.warn(_warning(link))
    return {"changed": False, "links": links}


def _warning(link: dict[str, Any]) -> str:
    if link["link"] == "none":
        return (
            f"{link['from']} does not find {link['to']}; see that zerotier-one runs on both, and "
            "that both reach a root (zerotier-cli peers)"
        )
    return (
        f"{link['from']} reaches {link['to']} only through a relay, which is slow; open UDP 9993 "
        "between the two, or give their site a root of its own (group zerotier_moons)"
    )


ARGUMENTS: dict[str, Any] = {
    **HOME,
    **NODE,
    "peers": {"type": "dict", "required": True},
    "timeout": {"type": "int", "default": 15},
}


if __name__ == "__main__":
    run(ARGUMENTS, look)
