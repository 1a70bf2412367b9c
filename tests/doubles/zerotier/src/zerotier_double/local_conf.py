"""The file local.conf in the home directory: what the double takes from it, and what it shows."""

from __future__ import annotations

import copy
import ipaddress
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import ConfError
from .values import as_object, as_port, as_text, as_truth

if TYPE_CHECKING:
    from .store import Home, Json

PRIMARY_PORT = 9993
_ANY_PORT, _ANY_PORTS = 20000, 45500
_PORTS = ("primaryPort", "secondaryPort", "tertiaryPort")
_TRUTHS = {"allowTcpFallbackRelay": True, "forceTcpRelay": False, "portMappingEnabled": True}
_TEXTS = {"softwareUpdate": "disable", "softwareUpdateChannel": "release"}


@dataclass(frozen=True)
class LocalConf:
    """The settings of one run.

    `record` is the file's content, shown below `config` in /status. `ports` are the primary, the
    secondary and the tertiary one; 0 is one that is not used.
    """

    record: Json
    ports: tuple[int, int, int]

    @property
    def settings(self) -> Json:
        """The file's `settings`, as they are written there."""
        return as_object(self.record.get("settings"))

    @property
    def primary_port(self) -> int:
        """The port of the API, and the one that is shown in paths."""
        return self.ports[0]

    @property
    def without_udp(self) -> bool:
        """Whether this node may speak through the TCP relay only, which the double has not."""
        return as_truth(self.settings.get("forceTcpRelay"), default=False)

    @property
    def blacklist(self) -> list[ipaddress.IPv4Network]:
        """The networks of the underlay that this node keeps away from."""
        physical = as_object(self.record.get("physical"))
        barred = [
            _network(network)
            for network, facts in physical.items()
            if as_truth(as_object(facts).get("blacklist"), default=False)
        ]
        return [network for network in barred if network is not None]

    def ignores(self, interface: str) -> bool:
        """Tell whether a network interface is left out, by the beginning of its name."""
        prefixes = self.settings.get("interfacePrefixBlacklist")
        texts = prefixes if isinstance(prefixes, list) else []
        return any(text and interface.startswith(str(text)) for text in texts)

    def blacklists(self, address: str) -> bool:
        """Tell whether an underlay address is one to keep away from."""
        barred = any(ipaddress.ip_address(address) in network for network in self.blacklist)
        return self.without_udp or barred

    def shown(self, home: str, listening: list[str], surface: list[str]) -> Json:
        """Return `config` of /status: the file's content, and every setting as it is in force."""
        settings = self.settings
        truths = {key: as_truth(settings.get(key), default=_TRUTHS[key]) for key in _TRUTHS}
        texts = {key: as_text(settings.get(key), _TEXTS[key]) for key in _TEXTS}
        pairs = zip(_PORTS, self.ports, strict=True)
        ports = {key: as_port(settings.get(key), port) for key, port in pairs}
        found = {"homeDir": home, "listeningOn": listening, "surfaceAddresses": surface}
        return copy.deepcopy(self.record | {"settings": settings | truths | texts | ports | found})


def load(home: Home) -> LocalConf:
    """Read a home directory's local.conf; a missing one counts as empty. Raises ConfError."""
    text = home.read("local.conf")
    try:
        record = json.loads(text) if text else {}
    except ValueError:
        raise ConfError(_refused("invalid JSON")) from None
    if not isinstance(record, dict):
        raise ConfError(_refused("root element is not a JSON object"))
    return LocalConf(record, _ports(as_object(record.get("settings"))))


def _refused(reason: str) -> str:
    return f"ERROR: unable to parse local.conf ({reason})"


def _ports(settings: Json) -> tuple[int, int, int]:
    defaults = (PRIMARY_PORT, 0, 0)
    wanted = [as_port(settings.get(key), port) for key, port in zip(_PORTS, defaults, strict=True)]
    primary, secondary, tertiary = (port or _any_port() for port in wanted)
    return (
        primary,
        secondary if as_truth(settings.get("allowSecondaryPort"), default=True) else 0,
        tertiary if as_truth(settings.get("portMappingEnabled"), default=True) else 0,
    )


def _any_port() -> int:
    return _ANY_PORT + secrets.randbelow(_ANY_PORTS)


def _network(text: Any) -> ipaddress.IPv4Network | None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    # As in zerotier-one, a prefix length of 0 is none.
    return network if isinstance(network, ipaddress.IPv4Network) and network.prefixlen else None
