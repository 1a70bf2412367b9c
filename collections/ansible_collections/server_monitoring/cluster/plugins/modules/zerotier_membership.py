"""Join or leave a ZeroTier network."""

from __future__ import annotations

from typing import Any

from ..module_utils.zerotier import ledger, state
from ..module_utils.zerotier.api import LocalApi, ZerotierError, diff
from ..module_utils.zerotier.module import HOME, NODE, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_membership
short_description: Join or leave a ZeroTier network
description:
  - Makes this machine a member of a network, or takes it out. Whether the network's controller lets
    it in is another matter; see M(zerotier_ready).
  - Remembers on the node which network it joined; M(zerotier_info) reports it.
options:
  network_id:
    description: The network's id, 16 hexadecimal digits.
    type: str
    required: true
  state:
    description: Whether the machine is in the network.
    type: str
    choices: [present, absent]
    default: present
  cidr:
    description: The network's IPv4 range, which no other joined network may use; empty to leave.
    type: str
    default: ""
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.home
  - server_monitoring.cluster.zerotier.node
"""

EXAMPLES = r"""
- name: Join the overlay
  server_monitoring.cluster.zerotier_membership:
    network_id: 21c1e206564a4757
    cidr: 172.29.0.0/24
    node: producer-1
"""

RETURN = r"""
status:
  description: The network's status on this machine just after, empty where it is not joined.
  type: str
  returned: success
"""


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Join or leave as asked and return the module's result."""
    params = module.params
    network_id, wanted = params["network_id"], params["state"]
    api = LocalApi(params["home"])
    networks = api.get("/network")
    # In check mode the network of an earlier inventory was not left, though it would be.
    leaving = ledger.read(params["home"])["network_id"] if module.check_mode else ""
    others = [network for network in networks if network["id"] != leaving]
    trouble = state.rival(others, network_id, params["cidr"]) if wanted == "present" else ""
    if trouble:
        message = f"{params['node']}: {trouble}"
        raise ZerotierError(message)
    found = state.find(networks, network_id)
    before = "absent" if found is None else "present"
    changed = before != wanted
    if changed and not module.check_mode:
        path = f"/network/{network_id}"
        found = api.post(path, {}) if wanted == "present" else api.delete(path) and None
    if not module.check_mode:
        remember(params["home"], network_id, joined=wanted == "present")
    return {
        "changed": changed,
        "status": found["status"] if found else "",
        "diff": diff(f"membership of {network_id}", {"state": before}, {"state": wanted}),
    }


def remember(home: str, network_id: str, *, joined: bool) -> None:
    """Note which network the role joined, or that it left it."""
    noted = ledger.read(home)["network_id"]
    if joined and noted != network_id:
        ledger.write(home, network_id=network_id)
    elif not joined and noted == network_id:
        ledger.write(home, network_id="")


ARGUMENTS: dict[str, Any] = {
    **HOME,
    **NODE,
    "network_id": {"type": "str", "required": True},
    "cidr": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


if __name__ == "__main__":
    run(ARGUMENTS, keep)
