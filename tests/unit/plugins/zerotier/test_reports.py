"""What the role says of members, twins and paths."""

from __future__ import annotations

from ansible_collections.server_monitoring.cluster.plugins.filter import zerotier_reports as reports

from tests.support.zerotier_lab import NAMES, Json


def test_watched_servers_are_checked_against_brokers_alone() -> None:
    """Whoever does more than be watched needs all others that do; nobody outside of the play."""
    groups = {
        "all": ["k", "p", "c", "x", "a1", "a2"],
        "kafka": ["k"],
        "producers": ["p"],
        "consumers_cpu_mem": ["c"],
        "agents": ["p", "a1", "a2"],
    }
    found = {h: reports.zerotier_needed_peers(groups, h, groups["all"]) for h in groups["all"]}
    assert found["a1"] == found["a2"] == ["k"]
    assert found["k"] == ["p", "c", "x"]
    assert found["p"] == ["k", "c", "x"]
    assert reports.zerotier_needed_peers(groups, "a1", ["p", "a1"]) == []


def test_strangers_are_told_in_one_line() -> None:
    """Members that the inventory does not know are named with all that identifies them."""
    members: list[Json] = [
        {"address": "a" * 10, "name": "", "authorized": False, "ip_assignments": []},
        {
            "address": "b" * 10,
            "name": "old",
            "authorized": True,
            "ip_assignments": ["172.29.0.9", "172.29.0.8"],
        },
    ]
    assert reports.zerotier_strangers_line(members) == (
        "left alone, as the inventory does not know these members: "
        "aaaaaaaaaa (name none, addresses none, not authorized); "
        "bbbbbbbbbb (name old, addresses 172.29.0.9, 172.29.0.8, authorized)"
    )


def test_hosts_with_addresses_of_their_own_are_no_twins() -> None:
    """Nothing is said, of no host either."""
    assert reports.zerotier_twins({"kafka-1": NAMES["A"], "producer-1": NAMES["B"]}) == ""
    assert reports.zerotier_twins({}) == ""


def test_clones_are_named_with_the_way_out() -> None:
    """All hosts of one identity stand in the line, and what to remove."""
    hosts = {"b": NAMES["B"], "d": NAMES["A"], "c": NAMES["A"], "a": NAMES["A"]}
    assert reports.zerotier_twins(hosts) == (
        "a and c and d have the same ZeroTier identity 21c1e20656, as clones of one machine have; "
        "on all but one stop zerotier-one, remove identity.public and identity.secret from its "
        "home directory, and run this again"
    )


def test_links_are_a_table() -> None:
    """Columns are as wide as their widest cell; what is not known is a dash."""
    links: list[Json] = [
        {
            "from": "kafka-1",
            "to": "producer-1",
            "link": "direct",
            "latency": 0,
            "path": "10.213.0.2/9993",
        },
        {"from": "producer-1", "to": "kafka-1", "link": "relayed", "latency": -1, "path": ""},
        {"from": "b", "to": "c", "link": "none", "latency": -1, "path": ""},
    ]
    assert reports.zerotier_links_table(links) == [
        "from        to          path     latency  underlay",
        "kafka-1     producer-1  direct   0 ms     10.213.0.2/9993",
        "producer-1  kafka-1     relayed  -        -",
        "b           c           none     -        -",
    ]


def test_table_without_links_is_its_header() -> None:
    """A network of one host has no paths to show."""
    assert reports.zerotier_links_table([]) == ["from  to  path  latency  underlay"]
