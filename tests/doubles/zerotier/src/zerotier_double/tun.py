"""The kernel's TUN device: zerotier-one needs it, and so the double, which could do without."""

from __future__ import annotations

import os
from pathlib import Path

DEVICE = Path("/dev/net/tun")


def opens(device: Path = DEVICE) -> bool:
    """Tell whether this process may open the device for reading and writing."""
    try:
        os.close(os.open(device, os.O_RDWR))
    except OSError:
        return False
    return True
