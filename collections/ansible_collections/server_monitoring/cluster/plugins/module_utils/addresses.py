"""Whether texts are addresses, or networks of them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def is_address(text: str) -> bool:
    """Tell whether a text is an address, of IPv4 or IPv6."""
    return _is_one(ipaddress.ip_address, text)


def is_network(text: str) -> bool:
    """Tell whether a text is an address, or a network in which no host's bits are set."""
    return _is_one(ipaddress.ip_network, text)


def _is_one(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
