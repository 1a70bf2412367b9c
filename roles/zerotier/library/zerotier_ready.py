#!/usr/bin/python
"""Wait until a joined ZeroTier network carries exactly the expected address."""

from __future__ import annotations

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.zerotier_api import DEFAULT_HOME, LocalApi, ZerotierError
from ansible.module_utils.zerotier_state import find, problem

DOCUMENTATION = r"""
---
module: zerotier_ready
short_description: Wait until a joined network carries exactly the expected address
description:
  - Waits for status OK and exactly one IPv4 address. Changes nothing.
  - After the timeout it fails with one line that names the cause and the next step.
options:
  network_id:
    description: The network's id, 16 hexadecimal digits.
    type: str
    required: true
  ip:
    description: The expected IPv4 address.
    type: str
    required: true
  cidr:
    description: The network's IPv4 range, from which the address takes its prefix length.
    type: str
    required: true
  node:
    description: The machine's name for messages.
    type: str
    required: true
  timeout:
    description: How long to wait, in seconds.
    type: int
    default: 60
  home:
    description: Home directory of the service.
    type: path
    default: /var/lib/zerotier-one
author:
  - The server monitoring cluster's authors
"""

EXAMPLES = r"""
- name: Wait for the overlay
  zerotier_ready:
    network_id: 21c1e206564a4757
    ip: 172.29.0.2
    cidr: 172.29.0.0/24
    node: producer-1
"""

RETURN = r"""
interface:
  description: The network's interface.
  type: str
  returned: success
seconds:
  description: How long it took.
  type: float
  returned: success
"""

INTERVAL_SECONDS = 0.5


def wait(params: dict[str, Any]) -> dict[str, Any]:
    """Return the module's result once the network is ready; raises ZerotierError otherwise."""
    api, began = LocalApi(params["home"]), time.monotonic()
    network_id, prefix = params["network_id"], params["cidr"].partition("/")[2]
    address = f"{params['ip']}/{prefix}"
    while True:
        found = find(api.get("/network"), network_id)
        trouble = problem(found, network_id, address)
        if not trouble or time.monotonic() - began > params["timeout"]:
            break
        time.sleep(INTERVAL_SECONDS)
    seconds = round(time.monotonic() - began, 1)
    if trouble:
        message = f"{params['node']}: network {network_id} after {seconds:.0f} s: {trouble}"
        raise ZerotierError(message)
    return {"changed": False, "interface": found["portDeviceName"], "seconds": seconds}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "network_id": {"type": "str", "required": True},
            "ip": {"type": "str", "required": True},
            "cidr": {"type": "str", "required": True},
            "node": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 60},
            "home": {"type": "path", "default": DEFAULT_HOME},
        },
        supports_check_mode=True,
    )
    try:
        result = wait(module.params)
    except ZerotierError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
