"""Three nodes of the double with the captured identities, in one process and without sockets."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from zerotier_double import api, world
from zerotier_double.identity import Identity
from zerotier_double.node import Node
from zerotier_double.store import Home

from tests.support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

DOUBLE = PROJECT / "tests/doubles/zerotier"
ROLE = PROJECT / "roles/zerotier"
Json = dict[str, Any]


def capture(name: str) -> Any:
    """Return a captured answer, parsed."""
    return json.loads(capture_text(name))


def capture_text(name: str) -> str:
    """Return a captured answer as it was printed."""
    return (DOUBLE / "captures" / name).read_text("utf-8")


# What the captures 13-* and 33-* were taken with.
QUIET = {
    "settings": {
        "allowSecondaryPort": False,
        "allowTcpFallbackRelay": False,
        "portMappingEnabled": False,
    }
}
SECRET = "00" * 64
NETWORK = "21c1e206564a4757"
NAMES = {"A": "21c1e20656", "B": "a87adac07d", "C": "59faad6cee"}
# Arguments of zerotier_member for node B.
MEMBER_B: Json = {
    "address": NAMES["B"],
    "name": "producer-1",
    "ip_assignments": ["172.29.0.2"],
}
ADDRESSES = {"A": "10.213.0.1", "B": "10.213.0.2", "C": "10.213.0.3"}


class Wire:
    """The underlay: delivers at once to every node that is plugged in.

    `cut` holds the pairs of addresses between which nothing passes; without `broadcasts`, only
    what is sent to one node arrives.
    """

    def __init__(self) -> None:
        """Start with no node and a clock that stands still."""
        self.nodes: dict[str, Node] = {}
        self.cut: set[frozenset[str]] = set()
        self.broadcasts = True
        self.now = 1_795_476_700_000

    def clock(self) -> int:
        """Return the time in ms."""
        return self.now

    def deliver(self, message: Json, sender: str, receiver: str) -> None:
        """Hand over a message as it would arrive: through JSON, from the sender's address."""
        ends = frozenset({sender, receiver})
        if ends <= self.nodes.keys() and ends not in self.cut:
            self.nodes[receiver].receive(json.loads(json.dumps(message)), (sender, 9994))

    def pass_time(self, seconds: int = 1) -> None:
        """Let every node tick once a second."""
        for _ in range(seconds):
            self.now += 1000
            for node in list(self.nodes.values()):
                node.tick()


class Port:
    """One node's end of the wire."""

    def __init__(self, wire: Wire, address: str) -> None:
        """Plug in at an underlay address."""
        self._wire, self._address = wire, address

    def send(self, message: Json, endpoint: tuple[str, int]) -> None:
        """Send to one node."""
        self._wire.deliver(message, self._address, endpoint[0])

    def broadcast(self, message: Json) -> None:
        """Send to every other node."""
        for other in list(self._wire.nodes) if self._wire.broadcasts else []:
            self._wire.deliver(message, self._address, other)

    def local_addresses(self) -> list[str]:
        """Return the node's underlay address."""
        return [self._address]


def identities() -> dict[str, str]:
    """Return the captured public identities by node name."""
    members = capture("28-ok.unstable-members.json")["data"]
    texts = {member["address"]: member["identity"] for member in members}
    return {name: texts[address] for name, address in NAMES.items()}


class Cluster:
    """Nodes A (the controller), B and C."""

    def __init__(self, folder: Path) -> None:
        """Start all three with the captured identities."""
        self.wire, self._folder = Wire(), folder
        keys = world.new_moon(Identity(identities()["A"]))
        names = ("signingKey", "signingKey_SECRET", "updatesMustBeSignedBy")
        self._keys = {name: keys[name] for name in names}
        for name, public in identities().items():
            home = Home(folder / name)
            home.write_text("identity.secret", f"{public}:{SECRET}")
            self.start(name)

    def __getitem__(self, name: str) -> Node:
        """Return a running node."""
        return self.wire.nodes[ADDRESSES[name]]

    def home(self, name: str) -> Path:
        """Return a node's home directory."""
        return self._folder / name

    def start(self, name: str, **settings: Any) -> None:
        """Start a node, or start it again, with Node's own settings where they are given."""
        address = ADDRESSES[name]
        port, home = Port(self.wire, address), Home(self._folder / name)
        self.wire.nodes[address] = Node(home, port, self.wire.clock, **settings)

    def configure(self, name: str, conf: Json, **settings: Any) -> None:
        """Write a node's local.conf and start it again."""
        (self.home(name) / "local.conf").write_text(json.dumps(conf), "utf-8")
        self.start(name, **settings)

    def moon(self, *endpoints: str, timestamp: int = 1_795_476_529_384) -> Json:
        """Make A's moon, at these stable endpoints or at A's own address."""
        moon = world.new_moon(Identity(identities()["A"])) | self._keys
        moon["roots"][0]["stableEndpoints"] = list(endpoints or [f"{ADDRESSES['A']}/9993"])
        return world.make(moon, "moon.json", timestamp)

    def orbit(self, *names: str, moon: Json | None = None, **settings: Any) -> None:
        """Put A's moon into the home of these nodes and start them again."""
        record = moon or self.moon()
        for name in names:
            Home(self.home(name)).write(f"moons.d/{record['id']}.moon", record)
            self.start(name, **settings)

    def isolate(self, one: str, other: str) -> None:
        """Let nothing pass between two nodes."""
        self.wire.cut.add(frozenset({ADDRESSES[one], ADDRESSES[other]}))

    def stop(self, name: str) -> None:
        """Stop a node."""
        del self.wire.nodes[ADDRESSES[name]]

    def network(self, **settings: object) -> Json:
        """Make the captured network on A, with its settings and those given."""
        pools = [{"ipRangeStart": "172.29.0.1", "ipRangeEnd": "172.29.0.254"}]
        self["A"].controller.update_network(NETWORK, {})
        configured = {
            "name": "probe",
            "routes": [{"target": "172.29.0.0/24"}],
            "v4AssignMode": {"zt": True},
            "ipAssignmentPools": pools,
        }
        return self["A"].controller.update_network(NETWORK, configured | settings)

    def authorize(self, name: str, /, *addresses: str, **settings: object) -> Json:
        """Authorize a node on A with these addresses."""
        body = {"authorized": True, "ipAssignments": list(addresses), **settings}
        return self["A"].controller.update_member(NETWORK, NAMES[name], body) or {}

    def shown(self, name: str) -> Json:
        """Return the network as a node shows it."""
        return next(found for found in self[name].networks() if found["id"] == NETWORK)


class Served:
    """A node's API on loopback."""

    def __init__(self, node: Node, home: Path) -> None:
        """Serve on a free port and leave port and token where clients look for them."""
        self.home, self.token = home, Home(home).auth_token()
        self._server = api.server(node, self.token, 0)
        self.port = self._server.server_address[1]
        (home / "zerotier-one.port").write_text(str(self.port), "utf-8")
        polling = {"poll_interval": 0.02}
        threading.Thread(target=self._server.serve_forever, kwargs=polling, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
