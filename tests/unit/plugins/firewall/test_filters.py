"""What a node lets in follows the inventory; settings that cannot work are refused in a line."""

from typing import Any

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.filter import firewall

from tests.support.project import PROJECT

ADDRESSES = {"k": "172.29.0.1", "p": "172.29.0.2", "c1": "172.29.0.3", "c2": "172.29.0.4", "x": ""}
HOSTVARS = {host: {"zerotier_ip": address} for host, address in ADDRESSES.items()}
GROUPS = {
    "all": [*ADDRESSES],
    "kafka": ["k"],
    "producers": ["p"],
    "consumers_cpu_mem": ["c1"],
    "consumers_net_disk": ["c2"],
    "ungrouped": ["x"],
}
SERVICES = [
    {
        "name": "clients",
        "group": "kafka",
        "protocol": "tcp",
        "ports": [9092],
        "from": ["kafka", "producers", "consumers_*"],
    },
    {
        "name": "brokers",
        "group": "kafka",
        "protocol": "tcp",
        "ports": [9094, 9093],
        "from": ["kafka"],
    },
]
GOOD: dict[str, Any] = {
    "enabled": True,
    "services": SERVICES,
    "extra_rules": [],
    "ssh_ports": [],
    "zerotier_port": 9993,
    "overlay_interface": "zt*",
    "rollback_seconds": 30,
}


def test_broker_lets_in_clients_from_their_addresses_alone() -> None:
    """Producers and all groups of consumers; nobody to the controller where there is one broker."""
    found = firewall.openings(SERVICES, [], "k", GROUPS, HOSTVARS)
    sources = "172.29.0.2, 172.29.0.3, 172.29.0.4"
    rule = f'ip saddr {{ {sources} }} tcp dport {{ 9092 }} accept comment "clients"'
    assert found["overlay"] == [rule]
    assert found["anywhere"] == []


def test_second_broker_is_let_in_on_all_ports() -> None:
    """Brokers reach each other's client, controller and broker ports."""
    groups = GROUPS | {"kafka": ["k", "c1"]}
    clients, brokers = firewall.openings(SERVICES, [], "k", groups, HOSTVARS)["overlay"]
    assert "172.29.0.3" in clients
    assert brokers.startswith("ip saddr { 172.29.0.3 } tcp dport { 9093, 9094 } accept")


@pytest.mark.parametrize("host", ["p", "c1", "c2", "x"])
def test_other_hosts_open_nothing(host: str) -> None:
    """A producer or a consumer takes no connection."""
    found = firewall.openings(SERVICES, [], host, GROUPS, HOSTVARS)
    assert found == {"overlay": [], "anywhere": []}


def test_watched_servers_are_one_set_that_only_a_broker_asks_for() -> None:
    """However many; a host without a rule looks at no other one."""
    agents = {
        f"web-{n}.example.org": {"zerotier_ip": f"10.0.{n // 250}.{n % 250}"} for n in range(500)
    }
    groups = {"all": [*HOSTVARS, *agents], "kafka": ["k"], "agents": [*agents]}
    service = SERVICES[0] | {"from": ["agents"]}
    [rule] = firewall.openings([service], [], "k", groups, HOSTVARS | agents)["overlay"]
    assert rule.count("10.0.") == 500
    assert rule.endswith('} tcp dport { 9092 } accept comment "clients"')
    assert firewall.openings([service], [], "web-7.example.org", groups, {})["overlay"] == []


def test_all_on_one_host_opens_nothing() -> None:
    """What a host says to itself goes by loopback."""
    groups = {name: ["k"] for name in GROUPS}
    assert firewall.openings(SERVICES, [], "k", groups, HOSTVARS)["overlay"] == []


def test_addresses_of_both_families_are_told_apart() -> None:
    """An overlay may have IPv6 addresses."""
    hostvars = HOSTVARS | {"p": {"zerotier_ip": "fd00::2"}}
    first, second = firewall.openings(SERVICES, [], "k", GROUPS, hostvars)["overlay"]
    assert first.startswith("ip saddr { 172.29.0.3, 172.29.0.4 }")
    assert second.startswith("ip6 saddr { fd00::2 }")


@pytest.mark.parametrize(
    ("source", "overlay", "anywhere"),
    [
        ("any", [], ["tcp dport { 9100 } accept"]),
        ("198.51.100.7", [], ["ip saddr { 198.51.100.7 } tcp dport { 9100 } accept"]),
        (
            ["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"],
            [],
            [
                "ip saddr { 10.0.0.0/8 } tcp dport { 9100 } accept",
                "ip6 saddr { fd00::/8 } tcp dport { 9100 } accept",
            ],
        ),
        ("producers", ["ip saddr { 172.29.0.2 } tcp dport { 9100 } accept"], []),
        ("c2", ["ip saddr { 172.29.0.4 } tcp dport { 9100 } accept"], []),
    ],
)
def test_extra_rule_opens_to_its_sources(
    source: object, overlay: list[str], anywhere: list[str]
) -> None:
    """Hosts and groups are let in by the overlay alone, as their addresses could be made up."""
    extra = [{"port": 9100, "protocol": "tcp", "from": source}]
    found = firewall.openings([], extra, "k", GROUPS, HOSTVARS)
    assert found == {"overlay": overlay, "anywhere": anywhere}


@pytest.mark.parametrize(
    ("sshd", "connection", "ports"),
    [
        ("port 22\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\n", "", [22]),
        ("listenaddress 10.0.0.1:2222\n", "10.0.0.9 51000 10.0.0.1 2022", [2022, 2222]),
        ("", "fd00::9 51000 fd00::1 2022", [2022]),
        ("", "", [22]),
    ],
)
def test_ssh_is_open_where_it_listens_and_where_ansible_came(
    sshd: str, connection: str, ports: list[int]
) -> None:
    """Either source is enough; without both there is the usual port."""
    assert firewall.ssh_ports(sshd, connection) == ports


def test_good_settings_have_no_problem() -> None:
    """Those of the lab, and numbers as the command line gives them."""
    assert firewall.problem(["k"], {"k": {}}, GOOD, GROUPS) == ""
    changed = GOOD | {"enabled": "false", "zerotier_port": "9993", "ssh_ports": [22, 2222]}
    assert firewall.problem(["k"], {"k": {}}, changed, GROUPS) == ""


def test_a_host_s_own_setting_counts_and_is_named() -> None:
    """The others have the default."""
    hostvars: dict[str, dict[str, Any]] = {"k": {}, "p": {"firewall_rollback_seconds": 1}}
    line = firewall.problem(["k", "p"], hostvars, GOOD, GROUPS)
    assert line.startswith("p: firewall_rollback_seconds is 1, expected")


def test_role_s_own_table_of_services_has_no_problem() -> None:
    """What stands in the defaults passes the role's own check."""
    text = (PROJECT / "roles/firewall/defaults/main.yml").read_text(encoding="utf-8")
    services = yaml.safe_load(text)["firewall_services"]
    for service in services:
        service["ports"] = [9000 for _ in service["ports"]]  # some are other roles' variables
    assert firewall.problem(["k"], {"k": {}}, GOOD | {"services": services}, GROUPS) == ""


EXTRA = {"port": 9100, "protocol": "tcp", "from": "any"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("enabled", "perhaps", "true or false"),
        ("ssh_ports", 22, "a list of ports"),
        ("ssh_ports", [0], "a list of ports"),
        ("ssh_ports", ["22; reboot"], "a list of ports"),
        ("zerotier_port", 70000, "a port from 1 to 65535"),
        ("zerotier_port", True, "a port from 1 to 65535"),
        ("overlay_interface", 'zt*" accept', "the name of an interface"),
        ("rollback_seconds", 0, "whole seconds from 5 to 600"),
        ("services", "kafka", "a list"),
        ("services", [{**SERVICES[0], "ports": []}], "ports as a list"),
        ("services", [{**SERVICES[0], "name": 'a" drop'}], "a name of letters"),
        ("services", [{**SERVICES[0], "protocol": "any"}], "protocol tcp or udp"),
        ("services", [{"name": "x"}], "exactly the keys"),
        ("extra_rules", {}, "a list"),
        ("extra_rules", ["9100"], "a mapping"),
        ("extra_rules", [EXTRA | {"port": "http"}], "a port from 1 to 65535"),
        ("extra_rules", [EXTRA | {"protocol": "icmp"}], "protocol tcp or udp"),
        ("extra_rules", [EXTRA | {"from": "nobody"}], "not 'nobody'"),
        ("extra_rules", [EXTRA | {"from": "10.0.0.1/8"}], "not '10.0.0.1/8'"),
        ("extra_rules", [EXTRA | {"from": "any accept; drop"}], "not 'any accept; drop'"),
        ("extra_rules", [EXTRA | {"from": []}], "at least one source"),
        ("extra_rules", [EXTRA | {"to": "x"}], "exactly the keys"),
    ],
)
def test_bad_setting_is_refused_in_one_line(name: str, value: object, expected: str) -> None:
    """The line names host, variable, what was found and what is expected."""
    line = firewall.problem(["k"], {"k": {}}, GOOD | {name: value}, GROUPS)
    assert line.startswith(f"k: firewall_{name}")
    assert expected in line
    assert line.endswith("; correct it")
    assert "\n" not in line
