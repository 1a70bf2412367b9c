"""Keep the moon whose root this machine is."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from ..module_utils.zerotier import files
from ..module_utils.zerotier.api import ZerotierError, diff
from ..module_utils.zerotier.module import HOME, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_moon
short_description: Keep the moon whose root this machine is
description:
  - A moon is a root of one's own. It is made once from the node's identity and kept; its signing
    key stays on this machine, in a file that root alone reads.
  - Other endpoints make a new version of the same moon, signed with the same key.
options:
  endpoints:
    description: Where the root is reached on the underlay, each as address/port.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.home
"""

EXAMPLES = r"""
- name: Make a root of this node
  server_monitoring.cluster.zerotier_moon:
    endpoints: [192.0.2.10/9993]
"""

RETURN = r"""
moon:
  description: The moon's C(id) (16 hexadecimal digits) and its signed C(world), in base 64.
  type: dict
  returned: success
"""

DEFINITION, WORLD = "server-monitoring.moon.json", "server-monitoring.moon"


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Make the moon's definition and its signed world true."""
    home, endpoints = Path(module.params["home"]), sorted(module.params["endpoints"])
    public = _public(home)
    address = public.partition(":")[0]
    old = _definition(home / DEFINITION)
    ours = old.get("id") == address
    before = old["roots"][0]["stableEndpoints"] if ours else []
    world = home / WORLD
    changed = before != endpoints or not world.exists()
    if changed and not module.check_mode:
        made = old if ours else _new(module, home, public)
        made["roots"][0]["stableEndpoints"] = endpoints
        files.replace(home / DEFINITION, json.dumps(made).encode())
        files.replace(world, _sign(module, home / DEFINITION))
    content = world.read_bytes() if world.exists() else b""
    return {
        "changed": changed,
        "moon": {"id": address.zfill(16), "world": base64.b64encode(content).decode()},
        "diff": diff(f"moon {address}", {"endpoints": before}, {"endpoints": endpoints}),
    }


def _new(module: AnsibleModule, home: Path, public: str) -> dict[str, Any]:
    """Return the definition of a new moon with this node as its root."""
    text = _idtool(module, home, "initmoon", public)
    try:
        made: dict[str, Any] = json.loads(text)
    except ValueError as problem:
        message = f"zerotier-idtool initmoon printed no JSON: {' '.join(text.split())[:200]!r}"
        raise ZerotierError(message) from problem
    return made


def _public(home: Path) -> str:
    try:
        return (home / "identity.public").read_text("utf-8").strip()
    except OSError as problem:
        message = (
            f"{home}/identity.public cannot be read ({problem.strerror}); the service writes it "
            "when it first starts: systemctl status zerotier-one"
        )
        raise ZerotierError(message) from problem


def _definition(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as problem:
        message = f"{file} is no JSON; restore it from a backup, or remove it to make a new moon"
        raise ZerotierError(message) from problem
    return found


def _sign(module: AnsibleModule, definition: Path) -> bytes:
    """Return the signed world of a definition; genmoon writes it into its working directory."""
    with tempfile.TemporaryDirectory() as folder:
        _idtool(module, Path(folder), "genmoon", str(definition))
        made = list(Path(folder).glob("*.moon"))
        if len(made) != 1:
            message = (
                f"zerotier-idtool genmoon wrote {len(made)} files from {definition}, expected one"
            )
            raise ZerotierError(message)
        return made[0].read_bytes()


def _idtool(module: AnsibleModule, folder: Path, *arguments: str) -> str:
    command = module.get_bin_path("zerotier-idtool", opt_dirs=["/usr/sbin"])
    if command is None:
        message = "zerotier-idtool is missing; it comes with the package zerotier-one"
        raise ZerotierError(message)
    code, out, err = module.run_command([command, *arguments], cwd=str(folder))
    if code != 0:
        said = " ".join((err or out).split())[:200]
        message = f"zerotier-idtool {arguments[0]} failed with status {code}: {said!r}"
        raise ZerotierError(message)
    return str(out)


ARGUMENTS: dict[str, Any] = {
    **HOME,
    "endpoints": {"type": "list", "elements": "str", "required": True},
}


if __name__ == "__main__":
    run(ARGUMENTS, keep)
