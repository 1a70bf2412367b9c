#!/usr/bin/python
"""Keep a network on this machine's own ZeroTier controller."""

from __future__ import annotations

import hashlib
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.zerotier_api import DEFAULT_HOME, LocalApi, ZerotierError, changes, diff

DOCUMENTATION = r"""
---
module: zerotier_network
short_description: Keep a network on this machine's own ZeroTier controller
description:
  - Finds the network by its name, or by the id that follows from the name, and creates it with
    that id where there is none. So a renamed network gets its name back.
  - The network hands out assigned addresses only, its address pool is kept empty.
options:
  name:
    description: The network's name.
    type: str
    required: true
  cidr:
    description: The network's IPv4 range, which becomes its only route.
    type: str
    required: true
  private:
    description: Whether members must be authorized.
    type: bool
    default: true
  mtu:
    description: MTU of the members' interfaces, in bytes.
    type: int
    default: 2800
  home:
    description: Home directory of the service.
    type: path
    default: /var/lib/zerotier-one
author:
  - The server monitoring cluster's authors
"""

EXAMPLES = r"""
- name: Keep the overlay
  zerotier_network:
    name: server-monitoring
    cidr: 172.29.0.0/24
"""

RETURN = r"""
network_id:
  description: The network's id, 16 hexadecimal digits; in check mode the id it would get.
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

BASE = "/controller/network"


def declared(params: dict[str, Any]) -> dict[str, Any]:
    """Return the network's record as far as it is declared."""
    return {
        "name": params["name"],
        "private": params["private"],
        "mtu": params["mtu"],
        "routes": [{"target": params["cidr"], "via": None}],
        "ipAssignmentPools": [],
        "v4AssignMode": {"zt": True},
    }


def find(api: LocalApi, name: str, own_id: str) -> dict[str, Any]:
    """Return the network of that name, else the one with the name's own id, else {}."""
    records = [api.get(f"{BASE}/{found}") or {} for found in api.get(BASE)]
    named = [record for record in records if record.get("name") == name]
    if len(named) > 1:
        ids = ", ".join(sorted(record["id"] for record in named))
        message = f"the controller keeps {len(named)} networks named {name!r} ({ids}); rename one"
        raise ZerotierError(message)
    own = [record for record in records if record.get("id") == own_id]
    return next(iter(named + own), {})


def members(api: LocalApi, network_id: str) -> list[Any]:
    """Return a network's members, by address."""
    base = f"{BASE}/{network_id}/member"
    records = [api.get(f"{base}/{address}") or {} for address in sorted(api.get(base) or {})]
    return [
        {
            "address": record["id"],
            "name": record.get("name", ""),
            "authorized": record["authorized"],
            "ip_assignments": record["ipAssignments"],
        }
        for record in records
        if record
    ]


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Make the network true and return the module's result."""
    params = module.params
    api = LocalApi(params["home"])
    if not (api.get("/controller") or {}).get("controller"):
        message = "this zerotier-one has no network controller; name a host of another build"
        raise ZerotierError(message)
    address = api.get("/status")["address"]
    own_id = address + hashlib.sha256(params["name"].encode()).hexdigest()[:6]
    current, wanted = find(api, params["name"], own_id), declared(params)
    network_id = current.get("id", own_id)
    differing = changes(current, wanted)
    if differing and not module.check_mode:
        saved = api.post(f"{BASE}/{network_id}", differing)
        refused = changes(saved, differing)
        if refused:
            message = f"the controller did not take over {refused} of network {network_id}"
            raise ZerotierError(message)
    return {
        "changed": bool(differing),
        "created": not current,
        "network_id": network_id,
        "members": members(api, network_id) if current else [],
        "diff": diff(f"network {network_id}", current, wanted),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "cidr": {"type": "str", "required": True},
            "private": {"type": "bool", "default": True},
            "mtu": {"type": "int", "default": 2800},
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
