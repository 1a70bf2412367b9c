"""What can go wrong is told in one line with its cause and the next step, within a bounded time."""

import contextlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.overlay.lab_overlay import (
    CONTROLLER,
    HOME,
    REAL,
    address,
    converge,
    network,
    only_network,
    operation,
    overlay,
    podman,
)
from tests.support.playbooks import AS_ROOT, Result, on

# Enough for what goes well; what goes wrong is known sooner than by default.
SHORT = {"zerotier_join_timeout": 10, "zerotier_reach_timeout": 10}
SABOTEUR = """
import http.client, json, time
token = open("/var/lib/zerotier-one/authtoken.secret").read().strip()
while True:
    link = http.client.HTTPConnection("127.0.0.1", 9993)
    body, headers = json.dumps({{"authorized": False}}), {{"X-ZT1-Auth": token}}
    link.request("POST", "/controller/network/{network}/member/{member}", body, headers)
    link.getresponse().read()
    time.sleep(0.1)
"""


def refused(*arguments: str, **settings: Any) -> Result:
    """Run the overlay's playbook, which must fail, with short timeouts."""
    result = overlay(*arguments, **SHORT | settings)
    assert result.status != 0, result.tail()
    return result


@contextlib.contextmanager
def done(node: str, before: str, after: str) -> Iterator[None]:
    """Do something on a node and undo it afterwards."""
    on(node, before)
    try:
        yield
    finally:
        on(node, after)


@contextlib.contextmanager
def dropped(node: str, rule: str) -> Iterator[None]:
    """Drop packets of a node, both ways, by rules in its network namespace."""
    pid = podman("inspect", "--format={{.State.Pid}}", node).strip()
    inside = [*AS_ROOT, "nsenter", f"--target={pid}", "--net", "nft"]
    chains = (
        f"chain {way} {{ type filter hook {way} priority 0; {rule} drop; }}"
        for way in ("input", "output")
    )
    table = f"table inet overlay_test {{ {'; '.join(chains)}; }}"
    subprocess.run([*inside, table], check=True)
    try:
        yield
    finally:
        subprocess.run([*inside, "delete table inet overlay_test"], check=True)


@pytest.fixture
def healthy() -> Iterator[None]:
    """Leave an overlay that is as it should be."""
    yield
    converge()


def test_closed_tun_device_is_named() -> None:
    """No network interface can be made: the device, its mode and the command are told."""
    assert operation("leave", leave="consumer-2").status == 0
    restart = "systemctl restart zerotier-one"
    shut = f"chmod 0600 /dev/net/tun; {restart}"
    with done("consumer-2", shut, f"chmod 0666 /dev/net/tun; {restart}"):
        result = refused("--limit", "consumer-2", zerotier_join_timeout=6)
    assert result.says("consumer-2: network")
    assert result.says("/dev/net/tun has mode 0600, expected 0666: chmod 0666 /dev/net/tun")


def test_controller_that_is_down_is_named() -> None:
    """A run that does not reach the controller's host itself says which service is down.

    The host is the node's root too: what is told depends on whether the node has missed that yet.
    """
    with done(CONTROLLER, "systemctl stop zerotier-one", "systemctl start zerotier-one"):
        result = refused("--limit", "producer-1")
    if result.says("no answer from the moon"):
        assert result.says("of its host, that zerotier-one runs there")
    else:
        assert result.says("zerotier-one of kafka-1 does not answer on 127.0.0.1:9993")
        assert result.says("systemctl status zerotier-one")


@pytest.mark.long
@pytest.mark.usefixtures("healthy")
def test_member_that_someone_keeps_deauthorizing_is_named() -> None:
    """ACCESS_DENIED although the role authorizes: the line says that someone else is at it."""
    script = SABOTEUR.format(network=network(), member=address("consumer-1"))
    on(CONTROLLER, f"cat > /tmp/saboteur.py <<'EOF'\n{script}\nEOF")
    begin = "systemd-run --unit=saboteur python3 /tmp/saboteur.py"
    with done(CONTROLLER, begin, "systemctl stop saboteur; rm /tmp/saboteur.py"):
        result = refused()
    assert result.says("consumer-1: network")
    assert result.says("status ACCESS_DENIED: the controller")
    assert result.says("see that no one else removes the authorization")


def test_node_that_reaches_no_root_is_named() -> None:
    """A node that is cut off says which root does not answer, and what must be open."""
    with dropped("consumer-2", "udp dport { 9993, 9994 }"):
        on("consumer-2", "systemctl restart zerotier-one")
        result = refused("--limit", "consumer-2", zerotier_join_timeout=6)
    assert result.says("consumer-2: no answer from the moon")
    assert result.says("its UDP port is open to this node")


@pytest.mark.long
@pytest.mark.usefixtures("healthy")
def test_clones_are_told_apart_by_name() -> None:
    """Two machines with one identity are named, with what to do on one of them."""
    files = f"{HOME}/identity.public {HOME}/identity.secret"
    public, secret = (on("consumer-1", f"cat {file}") for file in files.split())
    keep = f"systemctl stop zerotier-one; mkdir /root/kept; mv {files} /root/kept"
    clone = f"echo '{public}' > {HOME}/identity.public; echo '{secret}' > {HOME}/identity.secret"
    give = f"chown zerotier-one {files}"
    back = f"systemctl stop zerotier-one; mv /root/kept/* {HOME}; rmdir /root/kept"
    start = "systemctl start zerotier-one"
    with done("consumer-2", f"{keep}; {clone}; {give}; {start}", f"{back}; {start}"):
        result = refused()
    assert result.says("consumer-1 and consumer-2 have the same ZeroTier identity")
    assert result.says("remove identity.public and identity.secret")


@pytest.mark.long
@pytest.mark.usefixtures("healthy")
def test_wrong_token_is_named() -> None:
    """A token that the running service does not take is told, and not shown."""
    token = on("producer-1", f"cat {HOME}/authtoken.secret")
    wrong = f"printf wrong-token-of-the-test > {HOME}/authtoken.secret"
    with done("producer-1", wrong, f"printf {token} > {HOME}/authtoken.secret"):
        result = refused()
    assert result.says(
        "zerotier-one of producer-1 refused the token of authtoken.secret (401)"
    ) or (result.says("zerotier-cli info failed with status"))
    assert token not in result.output


def test_relayed_path_is_a_warning_that_names_both_ends() -> None:
    """Two nodes that do not meet directly work through a relay, and that is said of each.

    The double's nodes meet on a port of its own and send data on ZeroTier's. The run also brings
    back what left the overlay in the tests before.
    """
    unheard = "udp dport 9994" if not REAL else "meta l4proto udp"
    nodes = {"producer-1": "10.213.0.12", "consumer-1": "10.213.0.13"}
    with (
        dropped("producer-1", f"ip saddr {nodes['consumer-1']} {unheard}"),
        dropped("consumer-1", f"ip saddr {nodes['producer-1']} {unheard}"),
    ):
        for node in nodes:
            on(node, "systemctl restart zerotier-one")
        result = converge(zerotier_direct_timeout=5)
    for one, other in (("producer-1", "consumer-1"), ("consumer-1", "producer-1")):
        assert result.says(f"{one} reaches {other} only through a relay")
    assert result.says("producer-1 consumer-1 relayed")
    assert only_network("consumer-2") == ("OK", ["172.29.0.4"])
