"""Addresses, identities and the names derived from them, all as zerotier-one derives them."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass

ADDRESS_DIGITS = 10
NETWORK_DIGITS = 16
_KEY_BYTES = 64
_TEXT = re.compile(r"([0-9a-fA-F]{10}:0:[0-9a-fA-F]{128})(:[0-9a-fA-F]{128})?\s*")
# An octet that virtual machines claim for themselves; zerotier-one steps aside for it.
_RESERVED_OCTET, _OCTET_INSTEAD = 0x52, 0x32


@dataclass(frozen=True)
class Identity:
    """A node's identity: its public text, and its secret one where that is known."""

    public: str
    secret: str = ""

    @property
    def address(self) -> str:
        """The node's address, 10 hexadecimal digits."""
        return self.public.partition(":")[0]

    @property
    def genuine(self) -> bool:
        """Whether the address follows from the key, as it does where the double made both."""
        return self.address == _address(bytes.fromhex(self.public.rpartition(":")[2]))


def new_identity() -> Identity:
    """Make an identity of random keys; the address follows from the public one."""
    key, secret = secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(_KEY_BYTES)
    public = f"{_address(key)}:0:{key.hex()}"
    return Identity(public, f"{public}:{secret.hex()}")


def parse_identity(text: str) -> Identity | None:
    """Return the identity that a text holds, public or secret, or None where it holds none."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    public = match[1].lower()
    return Identity(public, f"{public}{match[2].lower()}" if match[2] else "")


def _address(key: bytes) -> str:
    # The leading digit keeps it off the reserved addresses, 00... and ff...
    return "a" + hashlib.sha512(key).hexdigest()[: ADDRESS_DIGITS - 1]


def network_mac(address: str, nwid: str) -> str:
    """Return the MAC address that a node has on a network (both given as hexadecimal text)."""
    network = bytes.fromhex(nwid)
    first = (network[7] & 0xFE) | 0x02
    octets = [_OCTET_INSTEAD if first == _RESERVED_OCTET else first]
    octets += [node ^ network[6 - at] for at, node in enumerate(bytes.fromhex(address))]
    return ":".join(f"{octet:02x}" for octet in octets)


def device_name(nwid: str) -> str:
    """Return the network interface's name: `zt` and the folded network id in base 32."""
    number = int(nwid, 16)
    folded = (number ^ (number >> 24)) & 0xFF_FFFF_FFFF
    return "zt" + base64.b32encode(folded.to_bytes(5, "big")).decode().lower()


def vxlan_id(nwid: str) -> int:
    """Return the 24 bit VXLAN id that stands for a network on the double's underlay."""
    return int(hashlib.sha256(nwid.encode()).hexdigest()[:6], 16) or 1
