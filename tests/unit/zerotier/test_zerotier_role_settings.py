"""The role's judgement on its settings, before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
from zerotier_lab import ROLE, load

settings_filter = load(ROLE / "filter_plugins/zerotier.py", "zerotier_filter_plugin")
FINE = {
    "install_method": "preinstalled",
    "backend": "controller",
    "network_name": "probe",
    "network_cidr": "172.29.0.0/24",
    "mtu": 2800,
    "join_timeout": 60,
    "reach_timeout": "60",
    "ip": "172.29.0.2",
    "ips": {"producer-1": "172.29.0.2", "kafka-1": "172.29.0.1"},
    "controller": "kafka-1",
}


def problem(**changed: object) -> str:
    """Return the line on settings that differ from fine ones."""
    return str(settings_filter.zerotier_problem(FINE | changed, "producer-1"))


def test_fine_settings_have_no_problem() -> None:
    """Numbers may come as text, as -e gives them."""
    assert problem() == ""
    assert problem(mtu="1400") == ""


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"install_method": "snap"}, "zerotier_install_method is 'snap', expected one of"),
        ({"backend": "central"}, "zerotier_backend is 'central', expected one of controller"),
        ({"network_name": " "}, "zerotier_network_name is ' ', expected a name"),
        ({"mtu": 1279}, "zerotier_mtu is 1279, expected bytes from 1280 to 10000"),
        ({"mtu": "big"}, "zerotier_mtu is 'big', expected bytes"),
        ({"mtu": True}, "zerotier_mtu is True, expected bytes"),
        ({"join_timeout": 0}, "zerotier_join_timeout is 0, expected whole seconds above 0"),
        ({"reach_timeout": -1}, "zerotier_reach_timeout is -1, expected whole seconds above 0"),
        ({"network_cidr": "172.29.0.1/24"}, "zerotier_network_cidr is '172.29.0.1/24', expected"),
        ({"network_cidr": "172.29.0.0"}, "zerotier_network_cidr is '172.29.0.0', expected"),
        ({"network_cidr": "172.29.0.0/31"}, "zerotier_network_cidr is '172.29.0.0/31', expected"),
        ({"controller": ""}, "zerotier_controller is '', expected a host"),
        ({"ip": ""}, "zerotier_ip is missing, expected this host's own address inside 172.29"),
        ({"ip": "172.29.0"}, "zerotier_ip is '172.29.0', expected an IPv4 address inside"),
        ({"ip": "10.0.0.1"}, "zerotier_ip is 10.0.0.1, expected an address inside 172.29.0.0/24"),
        ({"ip": "172.29.0.0"}, "zerotier_ip is 172.29.0.0, which names 172.29.0.0/24 itself"),
        ({"ip": "172.29.0.255"}, "zerotier_ip is 172.29.0.255, which names"),
        ({"ip": "172.29.0.1"}, "zerotier_ip is 172.29.0.1, which kafka-1 has too"),
    ],
)
def test_setting_that_cannot_work_is_named(changed: dict[str, Any], expected: str) -> None:
    """One line names host, variable, what was found and what is expected."""
    line = problem(**changed)
    assert line.startswith(f"producer-1: {expected}")
    assert "\n" not in line


def test_strangers_are_told_in_one_line() -> None:
    """Members that the inventory does not know are named with all that identifies them."""
    members = [
        {"address": "a" * 10, "name": "", "authorized": False, "ip_assignments": []},
        {"address": "b" * 10, "name": "old", "authorized": True, "ip_assignments": ["172.29.0.9"]},
    ]
    assert settings_filter.zerotier_strangers_line(members) == (
        "left alone, as the inventory does not know these members: "
        "aaaaaaaaaa (name none, addresses none, not authorized); "
        "bbbbbbbbbb (name old, addresses 172.29.0.9, authorized)"
    )


def test_filters_are_offered_to_ansible() -> None:
    """Ansible finds both filters by name."""
    found = settings_filter.FilterModule().filters()
    assert found.keys() == {"zerotier_problem", "zerotier_strangers_line"}
