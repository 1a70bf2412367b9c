"""Report the ZeroTier node of this machine."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

from ..module_utils.zerotier import ledger
from ..module_utils.zerotier.api import LocalApi, ZerotierError
from ..module_utils.zerotier.module import HOME, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_info
short_description: Report the ZeroTier node of this machine
description:
  - Asks the installed C(zerotier-cli) for the node's status and waits until the service answers.
  - Warns of an identity that collided with another node's; zerotier-one then makes a new one.
  - Changes nothing.
options:
  package:
    description: Name of the Debian package whose version is reported.
    type: str
    default: zerotier-one
  timeout:
    description: How long the service may take to answer, in seconds.
    type: int
    default: 20
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.home
"""

EXAMPLES = r"""
- name: Ask for the node's address
  server_monitoring.cluster.zerotier_info:
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
open_secrets:
  description: Secrets of the node that others than their owner may read.
  type: list
  elements: str
  returned: success
joined:
  description: Id of the network that the role joined, empty where there is none.
  type: str
  returned: success
"""

COLLIDED = "identity.secret.saved_after_collision"
SECRETS = ("authtoken.secret", "identity.secret", COLLIDED)


def status(module: AnsibleModule, command: str) -> dict[str, Any]:
    """Return the node's status; raises ZerotierError after the timeout."""
    deadline = time.monotonic() + module.params["timeout"]
    while True:
        code, out, err = module.run_command([command, "-j", f"-D{module.params['home']}", "info"])
        try:
            answer: dict[str, Any] = json.loads(out)
        except ValueError:
            said = " ".join((err or out).split())[:200]
            if said.startswith("401"):
                # It says which token was refused, and what to do.
                LocalApi(module.params["home"]).get("/status")
        else:
            return answer
        if time.monotonic() > deadline:
            message = (
                f"zerotier-cli info failed with status {code}: {said!r}; "
                "look at: systemctl status zerotier-one, journalctl -u zerotier-one"
            )
            raise ZerotierError(message)
        time.sleep(0.5)


def package_version(module: AnsibleModule) -> str:
    """Return the installed package's version, or '' on a machine without dpkg or the package."""
    query = module.get_bin_path("dpkg-query")
    if query is None:
        return ""
    code, out, _ = module.run_command([query, "-W", "-f=${Version}", module.params["package"]])
    return out.strip() if code == 0 else ""


def is_open(file: Path) -> bool:
    """Tell whether others than its owner may do anything with a file."""
    return file.exists() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) != 0


def report(module: AnsibleModule) -> dict[str, Any]:
    """Return the module's result."""
    home = module.params["home"]
    command = module.get_bin_path("zerotier-cli", opt_dirs=["/usr/sbin"])
    if command is None:
        message = "zerotier-cli is not installed: install ZeroTier on this machine"
        raise ZerotierError(message)
    node = status(module, command)
    if (Path(home) / COLLIDED).exists():
        module.warn(
            "the identity of this machine collided with another node's, and zerotier-one made a "
            f"new one, {node['address']}; see that no other machine was cloned from it, take the "
            f"old address out of the network, then remove {home}/{COLLIDED}"
        )
    return {
        "changed": False,
        "address": node["address"],
        "online": node["online"],
        "version": node["version"],
        "package_version": package_version(module),
        "open_secrets": [name for name in SECRETS if is_open(Path(home) / name)],
        "joined": ledger.read(home)["network_id"],
    }


ARGUMENTS: dict[str, Any] = {
    **HOME,
    "package": {"type": "str", "default": "zerotier-one"},
    "timeout": {"type": "int", "default": 20},
}


if __name__ == "__main__":
    run(ARGUMENTS, report)
