"""Orbit exactly the moons of the inventory."""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path
from typing import Any

from ..module_utils.zerotier import files, ledger, state
from ..module_utils.zerotier.api import LocalApi, ZerotierError, diff
from ..module_utils.zerotier.module import HOME, NODE, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_orbit
short_description: Orbit exactly the moons of the inventory
description:
  - Hands the signed worlds to the service, which takes them over without a restart, leaves moons
    that the role once orbited and that are no longer wanted, and leaves alone those of others.
  - Waits until every moon's root is heard; one that is not is reported, or a failure.
options:
  moons:
    description: The moons, each with C(id) and C(world) as M(zerotier_moon) returns them.
    type: list
    elements: dict
    required: true
  timeout:
    description: How long the roots may take to answer, in seconds.
    type: int
    default: 60
  required:
    description: Whether it is a failure that no root answers; one of several is a warning.
    type: bool
    default: true
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.home
  - server_monitoring.cluster.zerotier.node
"""

EXAMPLES = r"""
- name: Use the site's own root
  server_monitoring.cluster.zerotier_orbit:
    node: producer-1
    moons: [{id: 00000021c1e20656, world: AQIDBA==}]
"""

RETURN = r"""
moons:
  description: Ids of the moons that the role keeps on this machine.
  type: list
  elements: str
  returned: success
silent:
  description: Ids of those whose root was not heard.
  type: list
  elements: str
  returned: success
unrooted:
  description: Whether that is so of all of them.
  type: bool
  returned: success
"""

INTERVAL_SECONDS = 0.5
_DIGITS = 10


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Orbit what is wanted, leave what no longer is, and wait for the roots."""
    params = module.params
    api, home = LocalApi(params["home"]), Path(params["home"])
    wanted = {moon["id"]: base64.b64decode(moon["world"]) for moon in params["moons"]}
    noted = ledger.read(params["home"])["moons"]
    orbited = {moon["id"] for moon in api.get("/moon")}
    fresh = [at for at in wanted if at not in orbited or _kept(home, at) != wanted[at]]
    stale = [at for at in noted if at not in wanted]
    if not module.check_mode:
        for moon in [*stale, *(at for at in fresh if at in orbited)]:
            api.delete(f"/moon/{moon[-_DIGITS:]}")
        for moon in fresh:
            _orbit(api, home, moon, wanted[moon])
        if sorted(noted) != sorted(wanted):
            ledger.write(params["home"], moons=sorted(wanted))
    silent = [] if module.check_mode else _silent(api, list(wanted), params["timeout"])
    names = ", ".join(moon[-_DIGITS:] for moon in silent)
    line = (
        f"{params['node']}: no answer from the moon {names}; check zerotier_moon_endpoints of its "
        "host, that zerotier-one runs there, and that its UDP port is open to this node"
    )
    unrooted = bool(silent) and len(silent) == len(wanted)
    if unrooted and params["required"]:
        raise ZerotierError(line)
    if silent and not unrooted:
        module.warn(line)
    return {
        "changed": bool(fresh or stale),
        "silent": silent,
        "unrooted": unrooted,
        "moons": sorted(wanted),
        "diff": diff("moons", {"orbited": sorted(noted)}, {"orbited": sorted(wanted)}),
    }


def _file(home: Path, moon: str) -> Path:
    return home / "moons.d" / f"{moon}.moon"


def _kept(home: Path, moon: str) -> bytes:
    file = _file(home, moon)
    return file.read_bytes() if file.exists() else b""


def _orbit(api: LocalApi, home: Path, moon: str, world: bytes) -> None:
    """Lay the world where the service looks for it, then tell it: so no other root is needed."""
    file, address, owner = _file(home, moon), moon[-_DIGITS:], home.stat()
    if not file.parent.exists():
        file.parent.mkdir(mode=0o700)
        os.chown(file.parent, owner.st_uid, owner.st_gid)
    files.replace(file, world, owner=owner)
    api.post(f"/moon/{address}", {"seed": address})


def _silent(api: LocalApi, moons: list[str], timeout: float) -> list[str]:
    """Return the moons that are not known or whose root said nothing lately, after `timeout`."""
    deadline = time.monotonic() + timeout
    while True:
        known = {moon["id"] for moon in api.get("/moon") if not moon["waiting"]}
        status = api.get("/status")
        # A root is no peer of itself.
        alive = {status["address"], *state.heard(api.get("/peer"), status["clock"])}
        silent = [moon for moon in moons if moon not in known or moon[-_DIGITS:] not in alive]
        if not silent or time.monotonic() > deadline:
            return silent
        time.sleep(INTERVAL_SECONDS)


ARGUMENTS: dict[str, Any] = {
    **HOME,
    **NODE,
    "moons": {"type": "list", "elements": "dict", "required": True},
    "timeout": {"type": "int", "default": 60},
    "required": {"type": "bool", "default": True},
}


if __name__ == "__main__":
    run(ARGUMENTS, keep)
