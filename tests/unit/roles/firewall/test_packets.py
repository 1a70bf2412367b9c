"""What really comes through the rules, between two network namespaces of this machine."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import firewall

from tests.support.firewall_rendering import render
from tests.support.playbooks import AS_ROOT

PORTS = [22, 9092, 9093, 9100, 18080]
# The node has an interface of each kind; its peer is a client, a stranger and a neighbour.
NODE_OVERLAY, CLIENT, STRANGER = "172.29.0.1", "172.29.0.2", "172.29.0.9"
NODE_UNDERLAY, NEIGHBOUR = "10.9.0.1", "10.9.0.2"
# By IPv6 too, which both links carry.
NODE_OVERLAY_6, STRANGER_6 = "fd29::1", "fd29::9"
NODE_UNDERLAY_6, NEIGHBOUR_6 = "fd09::1", "fd09::2"
PATHS = [
    [CLIENT, NODE_OVERLAY],
    [STRANGER, NODE_OVERLAY],
    [NEIGHBOUR, NODE_UNDERLAY],
    [STRANGER_6, NODE_OVERLAY_6],
    [NEIGHBOUR_6, NODE_UNDERLAY_6],
]
SERVER = f"""
import socket, time
both = dict(family=socket.AF_INET6, dualstack_ipv6=True)
kept = [socket.create_server(("::", port), **both) for port in {PORTS}]
print("ready", flush=True)
time.sleep(60)
"""
CLIENTS = f"""
import json, socket
from concurrent.futures import ThreadPoolExecutor
def attempt(way):
    source, target, port = way
    try:
        socket.create_connection((target, port), timeout=2, source_address=(source, 0)).close()
        return True
    except TimeoutError:
        return False
ways = [(source, target, port) for source, target in {json.dumps(PATHS)} for port in {PORTS}]
with ThreadPoolExecutor(len(ways)) as pool:
    print(json.dumps([way for way, came in zip(ways, pool.map(attempt, ways)) if came]))
"""
SCRIPT = f"""
mount -t tmpfs tmpfs /run
ip netns add peer
ip link set lo up
for kind in zt eth; do
    ip link add ${{kind}}node type veth peer name ${{kind}}peer netns peer
    ip link set ${{kind}}node up
    ip -n peer link set ${{kind}}peer up
done
ip addr add {NODE_OVERLAY}/24 dev ztnode
ip addr add {NODE_UNDERLAY}/24 dev ethnode
ip -n peer addr add {CLIENT}/24 dev ztpeer
ip -n peer addr add {STRANGER}/24 dev ztpeer
ip -n peer addr add {NEIGHBOUR}/24 dev ethpeer
ip addr add {NODE_OVERLAY_6}/64 dev ztnode nodad
ip addr add {NODE_UNDERLAY_6}/64 dev ethnode nodad
ip -n peer addr add {STRANGER_6}/64 dev ztpeer nodad
ip -n peer addr add {NEIGHBOUR_6}/64 dev ethpeer nodad
nft --file -
exec 3< <(exec python3 -c '{SERVER}')
server=$!
read -r _ <&3
ip netns exec peer python3 -c '{CLIENTS}'
kill "$server"
nft --json list counters table inet server_monitoring
"""


def came_through(rules: str) -> tuple[set[tuple[str, int]], dict[str, int]]:
    """Return (source, port) of each connection, and how many packets were dropped by chain."""
    command = [*AS_ROOT, "unshare", "--net", "--mount", "bash", "-e", "-c", SCRIPT]
    done = subprocess.run(
        command, input=rules, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    ways, counters = (json.loads(line) for line in done.stdout.splitlines())
    dropped = {
        entry["counter"]["name"]: entry["counter"]["packets"]
        for entry in counters["nftables"]
        if "counter" in entry
    }
    return {(source, port) for source, _, port in ways}, dropped


def rules(**changes: object) -> str:
    """Return the rules of a broker with one client and an opening of its own."""
    openings = firewall.openings(
        [
            {
                "name": "clients",
                "group": "kafka",
                "protocol": "tcp",
                "ports": [9092],
                "from": ["producers"],
            },
            {
                "name": "brokers",
                "group": "kafka",
                "protocol": "tcp",
                "ports": [9093],
                "from": ["kafka"],
            },
        ],
        [{"port": 9100, "protocol": "tcp", "from": ["10.9.0.0/24"]}],
        "k",
        {"all": ["k", "p", "x"], "kafka": ["k"], "producers": ["p"]},
        {h: {"zerotier_ip": a} for h, a in (("k", NODE_OVERLAY), ("p", CLIENT), ("x", STRANGER))},
    )
    return render("firewall.nft", _firewall_openings=openings, **changes)


def test_each_comes_as_far_as_it_has_business() -> None:
    """A client reaches its port, a neighbour ssh and what was opened to it, a stranger nothing."""
    found, dropped = came_through(rules())
    assert found == {(CLIENT, 9092), (NEIGHBOUR, 22), (NEIGHBOUR, 9100), (NEIGHBOUR_6, 22)}
    # 14 ports of client and strangers, seven of the neighbours; repeated attempts count again.
    assert dropped["overlay_dropped"] >= 14
    assert dropped["underlay_dropped"] >= 7


def test_ssh_on_the_overlay_is_open_where_ansible_comes_by_it() -> None:
    """It opens ssh and no more."""
    found, _ = came_through(rules(firewall_ssh_on_overlay=True))
    assert {(CLIENT, 22), (STRANGER, 22), (STRANGER_6, 22)} < found
    assert len(found) == 7


@pytest.mark.parametrize(
    ("taken_out", "lost", "let_in"),
    [
        ('accept comment "clients"', (CLIENT, 9092), None),
        ('accept comment "ssh"', (NEIGHBOUR, 22), None),
        ("counter name overlay_dropped drop", None, (STRANGER_6, 18080)),
        ("counter name underlay_dropped drop", None, (NEIGHBOUR_6, 18080)),
    ],
)
def test_each_rule_is_needed(
    taken_out: str, lost: tuple[str, int] | None, let_in: tuple[str, int] | None
) -> None:
    """Without an opening its port is shut, without a drop (and its policy) all are open."""
    kept = [line for line in rules().splitlines() if taken_out not in line]
    text = "\n".join(kept)
    found, _ = came_through(text.replace("policy drop", "policy accept") if let_in else text)
    assert lost not in found
    if let_in:
        assert let_in in found
