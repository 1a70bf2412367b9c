"""local.conf: what the double does with it, and what it shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from zerotier_double import links, local_conf, underlay
from zerotier_double.errors import ConfError
from zerotier_double.links import Interface
from zerotier_double.local_conf import LocalConf
from zerotier_double.store import Home

from tests.support.zerotier_lab import ADDRESSES, NAMES, QUIET, Cluster, Json

if TYPE_CHECKING:
    from pathlib import Path

INTERFACES = [
    Interface("eth0", "10.0.0.1", "10.0.0.255"),
    Interface("docker0", "172.17.0.1", "172.17.255.255"),
]


def settings(cluster: Cluster, name: str = "B") -> Json:
    """Return config.settings as a node shows it."""
    shown: Json = cluster[name].status()["config"]["settings"]
    return shown


def load(folder: Path, text: str) -> LocalConf:
    """Read a text as local.conf."""
    (folder / "local.conf").write_text(text, "utf-8")
    return local_conf.load(Home(folder))


def barring(**content: object) -> LocalConf:
    """Return settings without going through a file."""
    return LocalConf(dict(content), (9993, 0, 0))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "invalid JSON"),
        (" ", "invalid JSON"),
        ("// no\n{}", "invalid JSON"),
        ("[]", "root element is not a JSON object"),
        ("7", "root element is not a JSON object"),
    ],
)
def test_unreadable_file_stops_the_service_with_the_real_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    """The line is zerotier-one's own."""
    with pytest.raises(ConfError) as refused:
        load(tmp_path, text)
    assert str(refused.value) == f"ERROR: unable to parse local.conf ({reason})"


@pytest.mark.parametrize("text", ["", "{}", '{"settings": 7, "physical": []}'])
def test_file_without_settings_leaves_the_defaults(tmp_path: Path, text: str) -> None:
    """Three ports, the first as ever, and nothing barred."""
    conf = load(tmp_path, text)
    assert conf.primary_port == 9993
    assert all(20000 <= port < 65500 for port in conf.ports[1:])
    assert not conf.blacklists("10.0.0.1")
    assert not conf.ignores("eth0")


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ({"primaryPort": 19993, "secondaryPort": 1, "tertiaryPort": 2}, (19993, 1, 2)),
        ({"primaryPort": "9999", "secondaryPort": 1, "tertiaryPort": 2}, (9999, 1, 2)),
        ({"secondaryPort": 1, "tertiaryPort": 2, "allowSecondaryPort": False}, (9993, 0, 2)),
        ({"secondaryPort": 1, "tertiaryPort": 2, "portMappingEnabled": "no"}, (9993, 1, 0)),
        (QUIET["settings"], (9993, 0, 0)),
    ],
)
def test_ports_follow_the_settings(
    cluster: Cluster, written: Json, ports: tuple[int, int, int]
) -> None:
    """A port that is not allowed is not listened on, even where it is named."""
    cluster.configure("B", {"settings": written})
    assert cluster["B"].conf.ports == ports
    expected = [f"{ADDRESSES['B']}/{port}" for port in ports if port]
    assert settings(cluster)["listeningOn"] == expected


def test_primary_port_of_zero_is_a_random_one(cluster: Cluster) -> None:
    """The service picks one; the setting is still shown as it was written."""
    cluster.configure("B", {"settings": {"primaryPort": 0}})
    assert cluster["B"].conf.primary_port >= 20000
    assert settings(cluster)["primaryPort"] == 0


def test_other_nodes_show_the_primary_port_in_their_path(cluster: Cluster) -> None:
    """Nodes of different ports meet all the same."""
    cluster.configure("B", {"settings": {"primaryPort": 19993}})
    cluster.wire.pass_time()
    peers = {peer["address"]: peer for peer in cluster["C"].peers()}
    assert peers[NAMES["B"]]["paths"][0]["address"] == f"{ADDRESSES['B']}/19993"


def test_written_settings_are_shown_and_others_only_where_the_real_one_shows_them(
    cluster: Cluster,
) -> None:
    """What the file says of physical networks and of settings unknown here comes back."""
    physical = {"10.9.0.0/16": {"blacklist": True, "mtu": 1400}}
    written = {"allowSecondaryPort": True, "multicoreEnabled": False, "softwareUpdate": "apply"}
    virtual = {NAMES["C"]: {"try": ["10.0.0.1/9993"]}}
    cluster.configure("B", {"settings": written, "physical": physical, "virtual": virtual})
    config = cluster["B"].status()["config"]
    assert (config["physical"], config["virtual"]) == (physical, virtual)
    assert config["settings"].items() >= written.items()
    assert settings(cluster, "C").keys() == config["settings"].keys() - {
        "allowSecondaryPort",
        "multicoreEnabled",
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [(True, True), (1, True), ("true", True), (0, False), ("no", False), (None, True), ([], True)],
)
def test_truths_are_read_as_loosely_as_the_real_one_reads_them(
    cluster: Cluster, written: object, expected: object
) -> None:
    """Numbers and texts count; what is neither falls back to the default."""
    cluster.configure("B", {"settings": {"allowTcpFallbackRelay": written}})
    assert settings(cluster)["allowTcpFallbackRelay"] is expected


@pytest.mark.parametrize("barring_node", ["B", "C"])
def test_blacklisted_network_is_neither_sent_to_nor_heard(
    cluster: Cluster, barring_node: str
) -> None:
    """Neither of the two lists the other; the rest of the nodes is met as before."""
    other = {"B": "C", "C": "B"}[barring_node]
    conf = {"physical": {f"{ADDRESSES[other]}/32": {"blacklist": True}}}
    cluster.configure(barring_node, conf)
    cluster.wire.pass_time(3)
    listed = {name: {peer["address"] for peer in cluster[name].peers()} for name in NAMES}
    assert NAMES["C"] not in listed["B"]
    assert NAMES["B"] not in listed["C"]
    assert NAMES["A"] in listed["B"] & listed["C"]


def test_nothing_is_sent_straight_to_a_blacklisted_address(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where a moon's root introduces the node that lives there."""
    sent: list[tuple[str, str]] = []
    deliver = cluster.wire.deliver

    def record(message: Json, sender: str, receiver: str) -> None:
        sent.append((sender, receiver))
        deliver(message, sender, receiver)

    cluster.orbit("A", "B", "C")
    cluster.configure("B", {"physical": {f"{ADDRESSES['C']}/32": {"blacklist": True}}})
    cluster.wire.broadcasts = False
    monkeypatch.setattr(cluster.wire, "deliver", record)
    cluster.wire.pass_time(3)
    assert (ADDRESSES["B"], ADDRESSES["A"]) in sent
    assert (ADDRESSES["B"], ADDRESSES["C"]) not in sent


@pytest.mark.parametrize(
    "physical",
    [
        {"10.0.0.0/24": {"blacklist": False}},
        {"10.0.0.0/24": {}},
        {"10.0.0.0/24": 7},
        {"0.0.0.0/0": {"blacklist": True}},
        {"nonsense": {"blacklist": True}},
        {"2001:db8::/32": {"blacklist": True}},
    ],
)
def test_what_bars_nothing_in_the_real_one_bars_nothing(physical: Json) -> None:
    """No blacklist, another address family, or a prefix length of 0."""
    assert not barring(physical=physical).blacklists("10.0.0.1")


@pytest.mark.parametrize(
    ("conf", "expected"),
    [
        (barring(), ["10.0.0.1", "172.17.0.1"]),
        (barring(settings={"interfacePrefixBlacklist": ["dock", ""]}), ["10.0.0.1"]),
        (barring(settings={"interfacePrefixBlacklist": "eth"}), ["10.0.0.1", "172.17.0.1"]),
        (barring(physical={"10.0.0.0/8": {"blacklist": True}}), ["172.17.0.1"]),
        (barring(settings={"forceTcpRelay": True}), []),
    ],
)
def test_barred_interfaces_are_not_spoken_on(
    monkeypatch: pytest.MonkeyPatch, conf: LocalConf, expected: list[str]
) -> None:
    """By the beginning of the name, or by an own address in a blacklisted network."""
    monkeypatch.setattr(links, "underlay", lambda: INTERFACES)
    monkeypatch.setattr(underlay, "CONTROL_PORT", 0)
    carrier = underlay.Underlay(conf)
    sent: list[str] = []
    monkeypatch.setattr(carrier, "send", lambda _message, endpoint: sent.append(endpoint[0]))
    carrier.broadcast({})
    assert carrier.local_addresses() == expected
    assert len(sent) == len(expected)


def test_node_that_may_only_use_the_tcp_relay_meets_no_one(cluster: Cluster) -> None:
    """The double has no TCP relay, as a network without internet has none."""
    cluster.orbit("A", "B")
    cluster.configure("B", {"settings": {"forceTcpRelay": True}})
    cluster.wire.pass_time(2)
    assert cluster["B"].status()["online"] is False
    assert settings(cluster)["forceTcpRelay"] is True
    assert NAMES["B"] not in {peer["address"] for peer in cluster["C"].peers()}
