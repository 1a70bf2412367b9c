"""Keep a ZeroTier network as declared, on a node's own controller or on ZeroTier Central."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..module_utils.zerotier.api import ZerotierError, changes, diff
from ..module_utils.zerotier.controller import Controller, LocalController, connect
from ..module_utils.zerotier.module import CONTROLLER, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_network
short_description: Keep a ZeroTier network, on a node's own controller or on ZeroTier Central
description:
  - Finds the network by its id where one is given, else by its name, and creates it where there
    is none. On a node's own controller the id follows from the name, so that a renamed network is
    found and gets its name back.
  - Only what is declared is changed. Members get no address but an assigned one unless a pool is
    declared.
  - With I(state=absent) it forgets the network of that id where this machine's own controller keeps
    it and it has no member left.
options:
  state:
    description: Whether the controller keeps the network.
    type: str
    choices: [present, absent]
    default: present
  network_id:
    description: The network's id, 16 hexadecimal digits; empty to find it by its name.
    type: str
    default: ""
  name:
    description: The network's name.
    type: str
    default: ""
  cidr:
    description: The network's IPv4 range, which is its first route.
    type: str
    default: ""
  routes:
    description: Further routes, each with C(target) and optionally C(via).
    type: list
    elements: dict
    default: []
  pool:
    description: First and last address that may be handed out unasked; empty for none.
    type: list
    elements: str
    default: []
  private:
    description: Whether members must be authorized.
    type: bool
    default: true
  mtu:
    description: MTU of the members' interfaces, in bytes; 0 leaves it as it is.
    type: int
    default: 0
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.controller
"""

EXAMPLES = r"""
- name: Keep the overlay
  server_monitoring.cluster.zerotier_network:
    name: server-monitoring
    cidr: 172.29.0.0/24
"""

RETURN = r"""
network_id:
  description: >-
    The network's id, 16 hexadecimal digits. In check mode the id it would get, empty where only
    ZeroTier Central will know it.
  type: str
  returned: success
created:
  description: Whether the network was, or in check mode would be, created.
  type: bool
  returned: success
members:
  description: The network's members with their address, name, authorized and ip_assignments.
  type: list
  elements: dict
  returned: success
"""


def declared(params: dict[str, Any]) -> dict[str, Any]:
    """Return the network's record as far as it is declared."""
    routes = [{"target": params["cidr"]}, *params["routes"]]
    pool = params["pool"]
    return {
        "name": params["name"],
        "private": params["private"],
        "routes": [normal(route) for route in routes],
        "ipAssignmentPools": [{"ipRangeStart": pool[0], "ipRangeEnd": pool[1]}] if pool else [],
        "v4AssignMode": {"zt": True},
        **({"mtu": params["mtu"]} if params["mtu"] else {}),
    }


def normal(route: dict[str, Any]) -> dict[str, Any]:
    """Return a route as a controller keeps it."""
    via = route.get("via")
    target = str(ipaddress.ip_network(route["target"], strict=False))
    return {"target": target, "via": str(ipaddress.ip_address(via)) if via else None}


def find(controller: Controller, network_id: str, name: str) -> dict[str, Any]:
    """Return the network of that id; without one that of that name, else {}."""
    if network_id:
        found: dict[str, Any] | None = controller.network(network_id)
        if found is None:
            message = (
                f"zerotier_network_id is {network_id}, which is not there or not yours; "
                "correct it, or leave it empty to have a network made"
            )
            raise ZerotierError(message)
        return found
    records: list[dict[str, Any]] = controller.networks()
    named = [record for record in records if record.get("name") == name]
    if len(named) > 1:
        ids = ", ".join(sorted(record["id"] for record in named))
        message = (
            f"there are {len(named)} networks named {name!r} ({ids}); "
            "rename one, or say which by zerotier_network_id"
        )
        raise ZerotierError(message)
    own_id = controller.id_of(name) if isinstance(controller, LocalController) else ""
    own = [record for record in records if record.get("id") == own_id]
    return (named + own or [{}])[0]


def members(controller: Controller, network_id: str) -> list[Any]:
    """Return a network's members, by address."""
    return [
        {
            "address": record["id"],
            "name": record.get("name", ""),
            "authorized": record["authorized"],
            "ip_assignments": record["ipAssignments"],
        }
        for record in controller.members(network_id)
    ]


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Make the network true and return the module's result."""
    controller = connect(module.params["controller"])
    return (present if module.params["state"] == "present" else absent)(module, controller)


def present(module: AnsibleModule, controller: Controller) -> dict[str, Any]:
    """Make the network as declared."""
    params = module.params
    current, wanted = find(controller, params["network_id"], params["name"]), declared(params)
    network_id = current.get("id", "")
    differing = changes(current, wanted)
    if current and differing:
        verb = "would be" if module.check_mode else "was"
        said = ", ".join(f"{key} {current.get(key)!r}" for key in sorted(differing))
        module.warn(
            f"network {network_id} {verb} changed to what the inventory says; it had {said}"
        )
    if differing and not module.check_mode:
        saved = (
            controller.save_network(network_id, differing)
            if network_id
            else controller.create_network(wanted)
        )
        network_id = saved["id"]
        refused = ", ".join(sorted(changes(saved, differing)))
        if refused:
            message = f"the controller did not take over {refused} of network {network_id}"
            raise ZerotierError(message)
    if not network_id and isinstance(controller, LocalController):
        network_id = controller.id_of(params["name"])
    return {
        "changed": bool(differing),
        "created": not current,
        "network_id": network_id,
        "members": members(controller, network_id) if current else [],
        "diff": diff(f"network {network_id or params['name']}", current, wanted),
    }


def absent(module: AnsibleModule, controller: Controller) -> dict[str, Any]:
    """Forget an empty network of this machine's own controller; any other is left alone."""
    network_id = module.params["network_id"]
    ours = isinstance(controller, LocalController) and controller.network(network_id) is not None
    left = controller.members(network_id) if ours else []
    gone = ours and not left
    if gone and not module.check_mode and isinstance(controller, LocalController):
        controller.delete_network(network_id)
    state = {"state": "present" if ours else "absent"}
    return {
        "changed": gone,
        "created": False,
        "network_id": network_id,
        "members": [],
        "diff": diff(f"network {network_id}", state, {"state": "absent"} if gone else state),
    }


ARGUMENTS: dict[str, Any] = {
    **CONTROLLER,
    "network_id": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str", "default": ""},
    "cidr": {"type": "str", "default": ""},
    "routes": {"type": "list", "elements": "dict", "default": []},
    "pool": {"type": "list", "elements": "str", "default": []},
    "private": {"type": "bool", "default": True},
    "mtu": {"type": "int", "default": 0},
}


if __name__ == "__main__":
    run(ARGUMENTS, keep)
