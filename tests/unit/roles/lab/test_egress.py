"""What the lab's nodes may reach, and that nothing else of this machine is touched."""

from __future__ import annotations

import json
import subprocess

import jinja2
import pytest

from tests.support.playbooks import AS_ROOT
from tests.support.project import PROJECT

TEMPLATES = PROJECT / "roles" / "lab" / "templates"
PROXY = 3128
PORTS = [53, 443, 8080, PROXY]
# This machine stands between the lab's bridge, somebody else's bridge, and the world.
SCRIPT = """
mount -t tmpfs tmpfs /run
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
ip link set lo up
place=1
for name in lab other world; do
    ip netns add $name
    ip netns exec $name sysctl -qw net.ipv6.conf.default.accept_dad=0
    ip link add br$name type bridge
    ip link add $name type veth peer name eth0 netns $name
    ip link set $name master br$name
    ip link set br$name up
    ip link set $name up
    ip addr add 10.$place.0.1/24 dev br$name
    ip addr add fd0$place::1/64 dev br$name nodad
    ip -n $name link set lo up
    ip -n $name link set eth0 up
    ip -n $name addr add 10.$place.0.2/24 dev eth0
    ip -n $name addr add fd0$place::2/64 dev eth0 nodad
    ip -n $name route add default via 10.$place.0.1
    ip -n $name route add default via fd0$place::1
    place=$((place + 1))
done
nft --file -
listen='
import socket, time
both = dict(family=socket.AF_INET6, dualstack_ipv6=True)
kept = [socket.create_server(("::", port), **both) for port in %(ports)s]
print("ready", flush=True)
time.sleep(60)
'
exec 3< <(exec python3 -c "$listen")
here=$!
exec 4< <(exec ip netns exec world python3 -c "$listen")
world=$!
read -r _ <&3
read -r _ <&4
reach='
import json, socket
from concurrent.futures import ThreadPoolExecutor
def attempt(way):
    try:
        socket.create_connection(way, timeout=4).close()
        return True
    except TimeoutError:
        return False
hosts = ["10.3.0.2", "fd03::2", "10.1.0.1", "fd01::1"]
ways = [(host, port) for host in hosts for port in %(ports)s]
with ThreadPoolExecutor(len(ways)) as pool:
    print(json.dumps([way for way, came in zip(ways, pool.map(attempt, ways)) if came]))
'
ip netns exec lab python3 -c "$reach"
ip netns exec other python3 -c "$reach"
kill $here $world
"""
WORLD, HERE = ("10.3.0.2", "fd03::2"), ("10.1.0.1", "fd01::1")


def rules(proxies: list[int]) -> str:
    """Return the rules as Ansible renders them."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    template = environment.get_template("egress.nft.j2")
    return template.render(_lab_bridge="brlab", _lab_proxy_ports=proxies)


@pytest.mark.parametrize("proxies", [[], [PROXY]], ids=["alone", "proxy"])
def test_nodes_reach_what_they_need_and_others_are_not_touched(proxies: list[int]) -> None:
    """Names and packages, outside and here, by IPv4 and IPv6; somebody else reaches all."""
    done = subprocess.run(
        [*AS_ROOT, "unshare", "--net", "--mount", "bash", "-e", "-c", SCRIPT % {"ports": PORTS}],
        input=rules(proxies),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    lab, other = ({tuple(way) for way in json.loads(line)} for line in done.stdout.splitlines())
    assert lab == {
        *((host, port) for host in WORLD for port in (53, 443, *proxies)),
        *((host, port) for host in HERE for port in (53, *proxies)),
    }
    assert other == {(host, port) for host in (*WORLD, *HERE) for port in PORTS}
