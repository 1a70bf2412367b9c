"""Keep a member of a ZeroTier network, on a node's own controller or on ZeroTier Central."""

from __future__ import annotations

from typing import Any

from ..module_utils.zerotier.api import ZerotierError, changes, diff
from ..module_utils.zerotier.controller import Controller, connect
from ..module_utils.zerotier.module import CONTROLLER, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_member
short_description: Keep a member of a ZeroTier network
description:
  - Authorizes a member, before or after it joins, and gives it a name and exactly these addresses.
    What someone changed behind the inventory's back is set right, with a warning that says what.
  - An address that another member holds is refused, unless that member is an earlier identity of
    the same host (the same name); then that one is forgotten.
  - With I(state=deauthorized) the member keeps its record and is let in no more; with
    I(state=absent) it is forgotten, its authorization taken away before.
options:
  network_id:
    description: The network's id, 16 hexadecimal digits.
    type: str
    required: true
  address:
    description: The member's ZeroTier address, 10 hexadecimal digits.
    type: str
    required: true
  state:
    description: Whether the member is let in, only known, or forgotten.
    type: str
    choices: [present, deauthorized, absent]
    default: present
  name:
    description: The member's name on the controller, the host's name in the inventory.
    type: str
    default: ""
  ip_assignments:
    description: The member's addresses, all of them.
    type: list
    elements: str
    default: []
  others:
    description: ZeroTier addresses of members whose records are kept in the same run.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.controller
"""

EXAMPLES = r"""
- name: Authorize a node
  server_monitoring.cluster.zerotier_member:
    network_id: 21c1e206564a4757
    address: a87adac07d
    name: producer-1
    ip_assignments: [172.29.0.2]
"""

RETURN = r"""
superseded:
  description: Addresses of earlier identities of the host that were forgotten.
  type: list
  elements: str
  returned: success
"""


def declared(params: dict[str, Any]) -> dict[str, Any]:
    """Return the member's record as far as it is declared."""
    return {
        "name": params["name"],
        "authorized": True,
        "ipAssignments": params["ip_assignments"],
        "noAutoAssignIps": True,
    }


def superseded(params: dict[str, Any], members: list[Any]) -> list[str]:
    """Return earlier identities of the host among those that hold one of its addresses.

    Raises ZerotierError where another member holds one.
    """
    mine = set(params["ip_assignments"])
    found = []
    for member in members:
        held = sorted(mine & set(member["ipAssignments"]))
        if not held or member["id"] in (params["address"], *params["others"]):
            continue
        name = member.get("name") or "no name"
        if name != params["name"]:
            message = (
                f"{params['name']}: its address {held[0]} is held by another member of network "
                f"{params['network_id']}: {member['id']} ({name}); give the host another "
                f"zerotier_ip, or take that member out: overlay_leave.yml -e leave={member['id']}"
            )
            raise ZerotierError(message)
        found.append(str(member["id"]))
    return found


def drift(current: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return what of a member that was once as wanted is so no more, or ''."""
    ours = current.get("name") == wanted["name"] or (
        wanted["ipAssignments"] and current.get("ipAssignments") == wanted["ipAssignments"]
    )
    if not ours:
        return ""
    said = {"name": "name", "authorized": "authorized", "ipAssignments": "address"}
    return ", ".join(
        f"{said[key]} {_said(current.get(key))} instead of {_said(value)}"
        for key, value in changes(current, wanted).items()
        if key in said
    )


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value or "none")


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Make the member true and return the module's result."""
    controller = connect(module.params["controller"])
    return (present if module.params["state"] == "present" else withdrawn)(module, controller)


def present(module: AnsibleModule, controller: Controller) -> dict[str, Any]:
    """Authorize the member with its name and addresses."""
    params = module.params
    network_id, address = params["network_id"], params["address"]
    old = superseded(params, controller.members(network_id))
    current, wanted = controller.member(network_id, address) or {}, declared(params)
    differing = changes(current, wanted)
    said = drift(current, wanted)
    if said:
        verb = "would be" if module.check_mode else "was"
        module.warn(f"{params['name']} ({address}) {verb} set right on the controller: {said}")
    if not module.check_mode:
        for former in old:
            controller.delete_member(network_id, former)
        if differing:
            refused = changes(controller.save_member(network_id, address, differing), differing)
            if refused:
                keys = ", ".join(sorted(refused))
                message = f"the controller did not take over {keys} of member {address}"
                raise ZerotierError(message)
    return {
        "changed": bool(differing or old),
        "superseded": old,
        "diff": diff(f"member {address} ({params['name']})", current, wanted),
    }


def withdrawn(module: AnsibleModule, controller: Controller) -> dict[str, Any]:
    """Take the authorization away and, where it is asked for, forget the member."""
    network_id, address = module.params["network_id"], module.params["address"]
    current, forget = controller.member(network_id, address), module.params["state"] == "absent"
    authorized = bool(current and current["authorized"])
    if authorized and not module.check_mode:
        # A member that is only forgotten would keep the configuration it was last given.
        controller.save_member(network_id, address, {"authorized": False})
    if current and forget and not module.check_mode:
        controller.delete_member(network_id, address)
    before = {"authorized": authorized, "known": bool(current)}
    after = {"authorized": False, "known": bool(current) and not forget}
    return {
        "changed": before != after,
        "superseded": [],
        "diff": diff(f"member {address}", before, after),
    }


ARGUMENTS: dict[str, Any] = {
    **CONTROLLER,
    "network_id": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "state": {
        "type": "str",
        "choices": ["present", "deauthorized", "absent"],
        "default": "present",
    },
    "name": {"type": "str", "default": ""},
    "ip_assignments": {"type": "list", "elements": "str", "default": []},
    "others": {"type": "list", "elements": "str", "default": []},
}


if __name__ == "__main__":
    run(ARGUMENTS, keep)
