#!/usr/bin/python
"""Keep a member of a network on this machine's own ZeroTier controller."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.zerotier_api import (
    ADDRESS,
    DEFAULT_HOME,
    NETWORK_ID,
    LocalApi,
    ZerotierError,
    changes,
    diff,
)

DOCUMENTATION = r"""
---
module: zerotier_member
short_description: Keep a member of a network on this machine's own ZeroTier controller
description:
  - Authorizes a member, before or after it joins, and gives it a name and exactly these addresses.
  - The controller never adds an address of its own choice.
options:
  network_id:
    description: The network's id, 16 hexadecimal digits.
    type: str
    required: true
  address:
    description: The member's ZeroTier address, 10 hexadecimal digits.
    type: str
    required: true
  name:
    description: The member's name on the controller.
    type: str
    required: true
  ip_assignments:
    description: The member's addresses, all of them.
    type: list
    elements: str
    required: true
  authorized:
    description: Whether the member may take part.
    type: bool
    default: true
  home:
    description: Home directory of the service.
    type: path
    default: /var/lib/zerotier-one
author:
  - The server monitoring cluster's authors
"""

EXAMPLES = r"""
- name: Authorize a node
  zerotier_member:
    network_id: 21c1e206564a4757
    address: a87adac07d
    name: producer-1
    ip_assignments: [172.29.0.2]
"""

RETURN = r"""
member:
  description: The member as declared.
  type: dict
  returned: success
"""


def declared(params: dict[str, Any]) -> dict[str, Any]:
    """Return the member's record as far as it is declared."""
    return {
        "name": params["name"],
        "authorized": params["authorized"],
        "ipAssignments": params["ip_assignments"],
        "noAutoAssignIps": True,
    }


def check(params: dict[str, Any]) -> None:
    """Refuse ids that the API would take for something else."""
    for name, pattern in (("network_id", NETWORK_ID), ("address", ADDRESS)):
        if not pattern.fullmatch(params[name]):
            message = f"{name}: found {params[name]!r}, expected {pattern.pattern}"
            raise ZerotierError(message)


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Make the member true and return the module's result."""
    params = module.params
    check(params)
    api = LocalApi(params["home"])
    path = f"/controller/network/{params['network_id']}/member/{params['address']}"
    current, wanted = api.get(path) or {}, declared(params)
    differing = changes(current, wanted)
    if differing and not module.check_mode:
        refused = changes(api.post(path, differing), differing)
        if refused:
            message = f"the controller did not take over {refused} of member {params['address']}"
            raise ZerotierError(message)
    return {
        "changed": bool(differing),
        "member": wanted,
        "diff": diff(f"member {params['address']} ({params['name']})", current, wanted),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "network_id": {"type": "str", "required": True},
            "address": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "ip_assignments": {"type": "list", "elements": "str", "required": True},
            "authorized": {"type": "bool", "default": True},
            "home": {"type": "path", "default": DEFAULT_HOME},
        },
        supports_check_mode=True,
    )
    try:
        result = keep(module)
    except ZerotierError as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
