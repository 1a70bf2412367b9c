"""Wait until a joined ZeroTier network carries exactly the expected address."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

from ..module_utils.zerotier import state
from ..module_utils.zerotier.api import LocalApi, ZerotierError
from ..module_utils.zerotier.module import HOME, NODE, AnsibleModule, run

DOCUMENTATION = r"""
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
  timeout:
    description: How long to wait, in seconds.
    type: int
    default: 60
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.home
  - server_monitoring.cluster.zerotier.node
"""

EXAMPLES = r"""
- name: Wait for the overlay
  server_monitoring.cluster.zerotier_ready:
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
DEVICE = Path("/dev/net/tun")
_EVERYONE = stat.S_IROTH | stat.S_IWOTH


def device_problem(device: Path = DEVICE) -> str:
    """Return what is wrong with the TUN device, with the next step, or ''.

    zerotier-one drops to a user of its own, so root's rights to the device are not enough.
    """
    try:
        mode = device.stat().st_mode
    except OSError:
        return f"{device} is missing: load it by `modprobe tun`, in a container pass it in"
    if mode & _EVERYONE != _EVERYONE:
        return f"{device} has mode {stat.S_IMODE(mode):04o}, expected 0666: chmod 0666 {device}"
    return ""


def view(api: LocalApi, network_id: str) -> dict[str, Any]:
    """Return what else the node sees that may explain a state; see state.problem."""
    status, controller = api.get("/status"), network_id[:10]
    alive = {status["address"], *state.heard(api.get("/peer"), status["clock"])}
    return {
        "online": status["online"],
        "controller": controller in alive,
        "device": device_problem(),
        "port": status["config"]["settings"]["primaryPort"],
    }


def wait(module: AnsibleModule) -> dict[str, Any]:
    """Return the module's result once the network is ready; raises ZerotierError otherwise."""
    params = module.params
    api, began = LocalApi(params["home"]), time.monotonic()
    network_id, prefix = params["network_id"], params["cidr"].partition("/")[2]
    address = f"{params['ip']}/{prefix}"
    while True:
        found = state.find(api.get("/network"), network_id)
        seconds = time.monotonic() - began
        if found and not state.problem(found, network_id, address):
            interface = found["portDeviceName"]
            return {"changed": False, "interface": interface, "seconds": round(seconds, 1)}
        if seconds > params["timeout"]:
            break
        time.sleep(INTERVAL_SECONDS)
    trouble = state.problem(found, network_id, address, view(api, network_id))
    message = f"{params['node']}: network {network_id} after {seconds:.0f} s: {trouble}"
    raise ZerotierError(message)


ARGUMENTS: dict[str, Any] = {
    **HOME,
    **NODE,
    "network_id": {"type": "str", "required": True},
    "ip": {"type": "str", "required": True},
    "cidr": {"type": "str", "required": True},
    "timeout": {"type": "int", "default": 60},
}


if __name__ == "__main__":
    run(ARGUMENTS, wait)
