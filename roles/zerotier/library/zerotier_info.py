#!/usr/bin/python
"""Report the ZeroTier node of this machine."""

from __future__ import annotations

import json
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: zerotier_info
short_description: Report the ZeroTier node of this machine
description:
  - Asks the installed C(zerotier-cli) for the node's status and waits until the service answers.
  - Changes nothing.
options:
  home:
    description: Home directory of the service.
    type: path
    default: /var/lib/zerotier-one
  package:
    description: Name of the Debian package whose version is reported.
    type: str
    default: zerotier-one
  timeout:
    description: How long the service may take to answer, in seconds.
    type: int
    default: 20
author:
  - The server monitoring cluster's authors
"""

EXAMPLES = r"""
- name: Ask for the node's address
  zerotier_info:
  register: node
"""

RETURN = r"""
address:
  description: The node's ZeroTier address, 10 hexadecimal digits.
  type: str
  returned: success
online:
  description: Whether the node reaches a root.
  type: bool
  returned: success
version:
  description: Version that the running service reports.
  type: str
  returned: success
package_version:
  description: Version of the installed Debian package, empty where there is none.
  type: str
  returned: success
"""


def status(module: AnsibleModule, command: str) -> dict[str, Any]:
    """Return the node's status; fails the module with one line after the timeout."""
    deadline = time.monotonic() + module.params["timeout"]
    while True:
        code, out, err = module.run_command([command, "-j", f"-D{module.params['home']}", "info"])
        try:
            answer: dict[str, Any] = json.loads(out)
        except ValueError:
            said = " ".join((err or out).split())[:200]
        else:
            return answer
        if time.monotonic() > deadline:
            module.fail_json(
                msg=f"zerotier-cli info failed with status {code}: {said!r}; "
                "look at: systemctl status zerotier-one, journalctl -u zerotier-one"
            )
        time.sleep(0.5)


def package_version(module: AnsibleModule) -> str:
    """Return the installed package's version, or '' on a machine without dpkg or the package."""
    query = module.get_bin_path("dpkg-query")
    if query is None:
        return ""
    code, out, _ = module.run_command([query, "-W", "-f=${Version}", module.params["package"]])
    return out.strip() if code == 0 else ""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "home": {"type": "path", "default": "/var/lib/zerotier-one"},
            "package": {"type": "str", "default": "zerotier-one"},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    command = module.get_bin_path("zerotier-cli", opt_dirs=["/usr/sbin"])
    if command is None:
        module.fail_json(msg="zerotier-cli is not installed: install ZeroTier on this machine")
    node = status(module, command)
    module.exit_json(
        changed=False,
        address=node["address"],
        online=node["online"],
        version=node["version"],
        package_version=package_version(module),
    )


if __name__ == "__main__":
    main()
