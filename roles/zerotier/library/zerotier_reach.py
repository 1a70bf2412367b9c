#!/usr/bin/python
"""Prove that other nodes answer over the overlay."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.icmp import unreached

DOCUMENTATION = r"""
---
module: zerotier_reach
short_description: Prove that other nodes answer over the overlay
description:
  - Sends ICMP echo requests from this node's overlay address to each peer until all replied.
  - Needs no ping command. Changes nothing.
options:
  node:
    description: This machine's name for messages.
    type: str
    required: true
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
author:
  - The server monitoring cluster's authors
"""

EXAMPLES = r"""
- name: Reach the broker
  zerotier_reach:
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


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "str", "required": True},
            "source": {"type": "str", "required": True},
            "peers": {"type": "dict", "required": True},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    node, source, peers = (module.params[key] for key in ("node", "source", "peers"))
    here = f"{node} ({source})"
    try:
        silent = unreached(source, sorted(peers.values()), module.params["timeout"])
    except OSError as problem:
        module.fail_json(msg=f"{here} cannot send over the overlay: {problem.strerror}")
    if silent:
        names = ", ".join(
            f"{name} ({peers[name]})" for name in sorted(peers) if peers[name] in silent
        )
        module.fail_json(
            msg=f"{here} got no reply over the overlay from {names} within "
            f"{module.params['timeout']} s; check that UDP 9993 is open between them, and on both: "
            "zerotier-cli peers"
        )
    module.exit_json(changed=False, reached=sorted(peers))


if __name__ == "__main__":
    main()
