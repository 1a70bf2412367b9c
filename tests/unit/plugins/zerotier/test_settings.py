"""The role's judgement on its settings, before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.filter import zerotier as settings_filter

from tests.support.central_client import TOKEN
from tests.support.zerotier_lab import ROLE, Json

SUM = "0a" * 32
FINE: Json = {
    "install_method": "preinstalled",
    "version": "",
    "deb": "",
    "deb_sha256": "",
    "backend": "controller",
    "central_token": False,
    "network_id": "",
    "network_name": "probe",
    "network_cidr": "172.29.0.0/24",
    "routes": [],
    "pool": [],
    "mtu": 0,
    "primary_port": 9993,
    "interface_blacklist": [],
    "address_blacklist": [],
    "moons": {},
    "join_timeout": 60,
    "reach_timeout": "60",
    "direct_timeout": 15,
    "ip": "172.29.0.2",
    "ips": {"producer-1": "172.29.0.2", "kafka-1": "172.29.0.1"},
    "controller": "kafka-1",
}
DEB = {"install_method": "deb", "deb": "/tmp/z.deb", "deb_sha256": SUM}  # noqa: S108 - not opened
MOON = {"moons": {"producer-1": ["192.0.2.10/9993"]}}
CENTRAL = {"backend": "central", "central_token": True, "controller": ""}


def moon(*endpoints: str) -> Json:
    """Return the settings of a root that is reached at endpoints."""
    return {"moons": {"producer-1": list(endpoints)}}


def via(target: str, gateway: str | None) -> Json:
    """Return the settings of one route."""
    return {"routes": [{"target": target, "via": gateway}]}


BAD: list[tuple[Json, str]] = [
    (
        {"install_method": "snap"},
        "install_method is 'snap', expected one of apt, deb, preinstalled",
    ),
    ({"version": "newest"}, "version is 'newest', expected a version such as 1.14.2, or nothing"),
    ({"version": "1.14 "}, "version is '1.14 ', expected a version"),
    (DEB | {"deb": ""}, "deb is '', expected a package's file on the control machine"),
    (DEB | {"deb": {}}, "deb is {}, expected a package's file"),
    (DEB | {"deb": {"trixie": ""}}, "deb is {'trixie': ''}, expected a package's file"),
    (DEB | {"deb_sha256": ""}, "deb_sha256 is '', expected the file's sha256, 64 hexadecimal"),
    (DEB | {"deb_sha256": {}}, "deb_sha256 is {}, expected the file's sha256"),
    (DEB | {"deb_sha256": SUM[:-1]}, f"deb_sha256 is '{SUM[:-1]}', expected the file's sha256"),
    (DEB | {"deb_sha256": {"a": SUM, "b": "x"}}, f"deb_sha256 is {{'a': '{SUM}', 'b': 'x'}}, exp"),
    ({"backend": "cloud"}, "backend is 'cloud', expected one of controller, central"),
    ({"controller": ""}, "controller is '', expected a host in the group zerotier_controller"),
    ({"network_id": "123"}, "network_id is '123', expected 16 hexadecimal digits, or nothing"),
    ({"network_id": "AB" * 8}, "network_id is 'ABABABABABABABAB', expected 16 hexadecimal digits"),
    ({"network_name": " "}, "network_name is ' ', expected a name"),
    ({"network_name": 7}, "network_name is 7, expected a name"),
    ({"network_cidr": "172.29.0.1/24"}, "network_cidr is '172.29.0.1/24', expected an IPv4 range"),
    ({"network_cidr": "172.29.0.0"}, "network_cidr is '172.29.0.0', expected an IPv4 range"),
    ({"network_cidr": "172.29.0.0/31"}, "network_cidr is '172.29.0.0/31', expected an IPv4"),
    ({"network_cidr": "fd00::/64"}, "network_cidr is 'fd00::/64', expected an IPv4 range"),
    ({"routes": ["10.8.0.0/16"]}, "routes is ['10.8.0.0/16'], expected a list of {target: range"),
    ({"routes": [{"via": "1.2.3.4"}]}, "routes is [{'via': '1.2.3.4'}], expected a list of"),
    ({"routes": [{"target": "10.8.0.1/16"}]}, "routes is [{'target': '10.8.0.1/16'}], expected"),
    ({"routes": [{"target": "10.8.0.0"}]}, "routes is [{'target': '10.8.0.0'}], expected a list"),
    ({"routes": [{"target": "fd00::"}]}, "routes is [{'target': 'fd00::'}], expected a list of"),
    (via("10.8.0.0/16", "kafka-1"), "routes is [{'target': '10.8.0.0/16', 'via': 'kafka-1'}], exp"),
    (via("10.8.0.0/16", "fd00::1"), "routes is [{'target': '10.8.0.0/16', 'via': 'fd00::1'}], exp"),
    (via("fd00::/64", "10.8.0.1"), "routes is [{'target': 'fd00::/64', 'via': '10.8.0.1'}], exp"),
    (
        {"pool": ["172.29.0.9"]},
        "pool is ['172.29.0.9'], expected first and last address inside 172",
    ),
    ({"pool": ["172.29.0.9", "10.0.0.1"]}, "pool is ['172.29.0.9', '10.0.0.1'], expected first"),
    ({"pool": ["172.29.0.9", "x"]}, "pool is ['172.29.0.9', 'x'], expected first and last"),
    ({"mtu": 1279}, "mtu is 1279, expected bytes from 1280 to 10000, or 0 to leave it alone"),
    ({"mtu": 10001}, "mtu is 10001, expected bytes"),
    ({"mtu": "big"}, "mtu is 'big', expected bytes"),
    ({"mtu": True}, "mtu is True, expected bytes"),
    ({"primary_port": 0}, "primary_port is 0, expected a port, 1 to 65535"),
    ({"primary_port": True}, "primary_port is True, expected a port"),
    ({"primary_port": 65536}, "primary_port is 65536, expected a port"),
    ({"interface_blacklist": [""]}, "interface_blacklist is [''], expected a list of prefixes of"),
    ({"interface_blacklist": [7]}, "interface_blacklist is [7], expected a list of prefixes of"),
    ({"address_blacklist": ["10"]}, "address_blacklist is ['10'], expected a list of ranges such"),
    ({"address_blacklist": ["10.8.0.1"]}, "address_blacklist is ['10.8.0.1'], expected a list of"),
    ({"address_blacklist": ["fd00::1"]}, "address_blacklist is ['fd00::1'], expected a list of"),
    (moon(), "moon_endpoints is [], expected where this root is reached, a list of address/port"),
    (moon("1.2.3.4"), "moon_endpoints is ['1.2.3.4'], expected where this root is reached"),
    (moon("1.2.3.4/0"), "moon_endpoints is ['1.2.3.4/0'], expected where this root is reached"),
    (moon("host/9993"), "moon_endpoints is ['host/9993'], expected where this root is reached"),
    (moon("1.2.3.4/1", "x"), "moon_endpoints is ['1.2.3.4/1', 'x'], expected where this root is"),
    ({"join_timeout": 0}, "join_timeout is 0, expected whole seconds above 0"),
    ({"reach_timeout": -1}, "reach_timeout is -1, expected whole seconds above 0"),
    ({"direct_timeout": "1.5"}, "direct_timeout is '1.5', expected whole seconds above 0"),
    (CENTRAL | {"central_token": False}, "backend is 'central', but zerotier_central_token is emp"),
    ({"ip": ""}, "ip is missing, expected this host's own address inside 172.29.0.0/24"),
    ({"ip": "172.29.0"}, "ip is '172.29.0', expected an IPv4 address inside 172.29.0.0/24"),
    ({"ip": "10.0.0.1"}, "ip is 10.0.0.1, expected an address inside 172.29.0.0/24"),
    ({"ip": "172.29.0.0"}, "ip is 172.29.0.0, which names 172.29.0.0/24 itself; take one between"),
    ({"ip": "172.29.0.255"}, "ip is 172.29.0.255, which names 172.29.0.0/24 itself"),
    ({"ip": "172.29.0.1"}, "ip is 172.29.0.1, which kafka-1 has too; change one"),
]


def problem(**changed: object) -> str:
    """Return the line on settings that differ from fine ones."""
    return str(settings_filter.zerotier_problem(FINE | changed, "producer-1"))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"mtu": "1400"},
        {"mtu": 10000},
        {"version": "1.14.2"},
        {"version": "1.14.1+local-2"},
        DEB,
        DEB | {"deb": {"trixie": "a", "bookworm": "b"}, "deb_sha256": {"trixie": SUM.upper()}},
        {"deb": {}, "deb_sha256": "not looked at"},
        CENTRAL,
        {"network_id": "21c1e206564a4757"},
        {"routes": [{"target": "10.8.0.0/16", "via": "172.29.0.1"}, {"target": "fd00::/64"}]},
        {"pool": ["172.29.0.100", "172.29.0.199"]},
        {"primary_port": "29993"},
        {"interface_blacklist": ["docker", "veth"], "address_blacklist": ["10.8.0.0/16"]},
        MOON,
        moon("2001:db8::1/9993"),
        moon("192.0.2.10/9993", "192.0.2.11/29993"),
        via("10.8.0.0/16", ""),
        via("10.8.0.0/16", None),
        via("fd00::/64", "fd00::1"),
        {"address_blacklist": ["10.8.0.1/32", "fd00::/8"]},
        {"network_cidr": "172.29.0.0/30"},
    ],
)
def test_fine_settings_have_no_problem(changed: Json) -> None:
    """Numbers may come as text, as -e gives them; what is not in use is not judged."""
    assert problem(**changed) == ""


@pytest.mark.parametrize(("changed", "expected"), BAD)
def test_setting_that_cannot_work_is_named(changed: dict[str, Any], expected: str) -> None:
    """One line names host, variable, what was found and what is expected."""
    line = problem(**changed)
    assert line.startswith(f"producer-1: zerotier_{expected}")
    assert "\n" not in line


def test_each_root_is_named_by_its_own_host() -> None:
    """Whichever host the settings are judged for, the line leads to the one to correct."""
    assert problem(moons={"kafka-1": ["1.2.3.4/9993"], "consumer-1": []}).startswith(
        "consumer-1: zerotier_moon_endpoints is [], expected where this root is reached"
    )
    assert problem(moons={"kafka-1": ["1.2.3.4"], "consumer-1": []}).startswith(
        "kafka-1: zerotier_moon_endpoints is ['1.2.3.4'], expected"
    )


@pytest.mark.parametrize("changed", [changed for changed, _ in BAD])
def test_no_line_holds_the_token(changed: dict[str, Any]) -> None:
    """Even if it were handed over by mistake, whatever setting is wrong."""
    assert TOKEN not in problem(**(changed | {"central_token": TOKEN}))


def test_every_check_has_a_setting_that_fails_it() -> None:
    """The cases above leave no check out, and no setting goes without one."""
    used = FINE | DEB | MOON
    groups = (f"_{part}_checks" for part in ("install", "network", "service"))
    judged = {name for group in groups for name, _ in getattr(settings_filter, group)(used)}
    assert judged <= {expected.partition(" ")[0] for _, expected in BAD}
    assert FINE.keys() - judged == {"central_token", "ip", "ips", "moons"}


def test_role_hands_over_every_setting_but_of_the_token_only_whether_it_is_there() -> None:
    """The keys are those that the tests use, so that none is judged in tests alone."""
    tasks = yaml.safe_load((ROLE / "tasks/validate.yml").read_text("utf-8"))
    [handed] = [t["vars"]["_zerotier_settings"] for t in tasks if "vars" in t]
    assert handed.keys() == FINE.keys()
    assert "{{ zerotier_central_token | length > 0 }}" in handed["central_token"]
