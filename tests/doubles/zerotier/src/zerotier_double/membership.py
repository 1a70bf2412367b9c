"""One joined network as the node sees it: its state, its configuration, its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .identity import device_name, network_mac
from .records import DEFAULT_MTU

if TYPE_CHECKING:
    from .store import Json

REQUESTING = "REQUESTING_CONFIGURATION"


@dataclass
class Membership:
    """A network that this node joined.

    States: REQUESTING_CONFIGURATION until the controller answered, then what it answered last: OK,
    ACCESS_DENIED or NOT_FOUND. A configuration, once had, is kept when the controller withdraws
    the authorization or falls silent, as zerotier-one keeps it. Without `has_port` there is no
    interface, and the network is not listed.
    """

    nwid: str
    address: str
    config: Json = field(default_factory=dict)
    status: str = REQUESTING
    has_port: bool = False

    def __post_init__(self) -> None:
        """Start as OK where a configuration was kept, unless another identity was given it."""
        if self.config.get("issuedTo") != self.address:
            self.config = {}
        elif self.config:
            self.status = "OK"

    @property
    def controller(self) -> str:
        """The address of the network's controller."""
        return self.nwid[:10]

    @property
    def device(self) -> str:
        """The interface's name."""
        return device_name(self.nwid)

    @property
    def mac(self) -> str:
        """The interface's MAC address."""
        return network_mac(self.address, self.nwid)

    @property
    def talks_to(self) -> list[str]:
        """The members that this node exchanges traffic with: none unless it is authorized."""
        return list(self.config["members"]) if self.status == "OK" else []

    def answer(self, reply: Json) -> bool:
        """Take over the controller's answer; tell whether the configuration changed."""
        self.status = reply["status"]
        changed = "config" in reply and reply["config"] != self.config
        if changed:
            self.config = reply["config"]
        return changed

    def to_json(self) -> Json:
        """Return the network as /network/<id> shows it."""
        config = self.config
        return {
            "allowDNS": False,
            "allowDefault": False,
            "allowGlobal": False,
            "allowManaged": True,
            "assignedAddresses": config.get("addresses", []),
            "bridge": False,
            "broadcastEnabled": config.get("broadcast", False),
            "dhcp": False,
            "dns": {"domain": "", "servers": []},
            "id": self.nwid,
            "mac": self.mac,
            "mtu": config.get("mtu", DEFAULT_MTU),
            "multicastSubscriptions": self._multicast(),
            "name": config.get("name", ""),
            "netconfRevision": config.get("revision", 0),
            "nwid": self.nwid,
            "portDeviceName": self.device,
            "portError": 0,
            "routes": [
                {"flags": 0, "metric": 0, "target": route["target"], "via": route["via"]}
                for route in config.get("routes", [])
            ],
            "status": self.status,
            "type": "PRIVATE" if config.get("private", True) else "PUBLIC",
        }

    def _multicast(self) -> list[Json]:
        if self.status == REQUESTING:
            return []
        groups = ("01:00:5e:00:00:01", "33:33:00:00:00:01", f"33:33:ff:{self.mac[9:]}")
        return [{"adi": 0, "mac": group} for group in groups]
