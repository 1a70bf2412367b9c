"""Provisioning makes a verified cluster of empty nodes, once."""

from tests.overlay.lab_overlay import BARE, NODES, PREINSTALLED, REAL, networks, versions
from tests.overlay.zerotier_packages import Packages, stop_serving
from tests.support.playbooks import on, play
from tests.support.project import PROJECT

MADE = "ls /opt; ls /etc/systemd/system | grep -c server-monitoring || true"
# From the image, from a file, and the newest from the repository; the network's keeper takes the
# newest that has a controller.
DOUBLES = {
    "kafka-1": "1.14.2",
    "producer-1": "1.14.1",
    "consumer-1": "1.16.0",
    "consumer-2": "1.14.1",
}


def test_check_mode_changes_nothing_on_fresh_nodes(served: Packages) -> None:
    """`--check` goes through on machines that have nothing yet, and leaves them so."""
    result = play("provision.yml", "--check", "--diff", extra=served.ways)
    assert result.status == 0, result.tail()
    for node in NODES:
        assert on(node, MADE) == "0"
    for node in BARE:
        assert on(node, "ls /usr/sbin/zerotier-* 2>&- || true") == ""


def test_provision_makes_a_cluster_of_empty_nodes(served: Packages) -> None:
    """The first run ends well, and each node has ZeroTier as it was to come there, held by apt."""
    result = play("provision.yml", extra=served.ways)
    assert result.status == 0, result.tail()
    assert versions() == (dict.fromkeys(NODES, "1.14.1") if REAL else DOUBLES)
    for node in NODES:
        assert [(status, len(ips)) for _, status, ips in networks(node)] == [("OK", 1)]
        assert on(node, "apt-mark showhold") == ("zerotier-one" if node in BARE else "")
    stop_serving()


def test_provision_changes_nothing_the_second_time() -> None:
    """The second run reports changed=0 on every host, and shows the overlay's paths."""
    result = play("provision.yml", extra=PREINSTALLED)
    assert result.status == 0, result.tail()
    assert result.changed() == dict.fromkeys([*NODES, "localhost"], 0), result.tail(200)
    assert result.says("kafka-1 consumer-1 direct")


def test_provision_playbook_reads_as_the_architecture() -> None:
    """provision.yml and run_pipeline.yml stay short enough to be read at a glance."""
    for name in ("provision.yml", "run_pipeline.yml"):
        assert len((PROJECT / name).read_text().splitlines()) <= 60
