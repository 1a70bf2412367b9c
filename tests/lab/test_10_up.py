"""The lab comes up from nothing, and a node that is missing comes back."""

import socket
import subprocess

from tests.overlay.lab_overlay import BARE, NODES, lab_up, podman
from tests.support.playbooks import AS_ROOT, on

LAB = "server-monitoring-lab"
INSTALLED = "dpkg-query --show --showformat='${db:Status-Status}' zerotier-one 2>&- || true"


def test_lab_comes_up_from_nothing() -> None:
    """Four nodes boot systemd without a failed unit and answer ssh; one of them has ZeroTier."""
    assert podman("ps", "--all", "--quiet", "--filter=label=server-monitoring=lab") == ""
    lab_up()
    for node in NODES:
        assert on(node, "systemctl is-system-running") == "running"
        assert on(node, INSTALLED) == ("" if node in BARE else "installed")


def test_lab_has_debian_12_and_13() -> None:
    """One node is Debian 12, the others are Debian 13."""
    versions = sorted(on(node, ". /etc/os-release; echo $VERSION_ID") for node in NODES)
    assert versions == ["12", "13", "13", "13"]


def test_lab_brings_back_a_missing_and_a_stopped_node() -> None:
    """A removed node is made again, a stopped one started, and the others are left alone."""
    before = podman("inspect", "--format={{.Id}}", "kafka-1", "consumer-1")
    podman("rm", "--force", "--time=0", "producer-1")
    podman("stop", "--time=0", "consumer-2")
    lab_up()
    assert on("producer-1", "hostname") == "producer-1"
    assert on("consumer-2", "hostname") == "consumer-2"
    assert podman("inspect", "--format={{.Id}}", "kafka-1", "consumer-1") == before


def test_lab_is_closed_but_for_names_and_packages() -> None:
    """A node reaches nothing outside but name servers and web servers."""
    rules = subprocess.run(
        [*AS_ROOT, "nft", "list", "chain", "inet", "server_monitoring_lab", "egress"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert rules.rstrip().splitlines()[-3].strip() == "drop"


def test_a_node_reaches_nothing_of_this_machine_but_what_it_needs() -> None:
    """A service that listens on the lab's gateway is not reached from a node, and is from here."""
    asked = "--format={{range .Subnets}}{{.Gateway}}{{end}}"
    gateway = podman("network", "inspect", asked, LAB).strip()
    with socket.create_server((gateway, 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection((gateway, port), timeout=5).close()
        reach = f"timeout 4 bash -c '</dev/tcp/{gateway}/{port}' 2>&-; echo $?"
        assert on("kafka-1", reach) == "124"
