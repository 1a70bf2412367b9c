"""The lab comes up from nothing, and provisioning makes a verified cluster of it, once."""

import subprocess

from tests.support.playbooks import AS_ROOT, on, play
from tests.support.project import PROJECT

NODES = {"kafka-1", "producer-1", "consumer-1", "consumer-2"}


def podman(*arguments: str) -> str:
    """Run podman and return what it prints."""
    return subprocess.run(
        [*AS_ROOT, "podman", *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_lab_comes_up_from_nothing() -> None:
    """Four nodes boot systemd without a failed unit and answer ssh."""
    assert podman("ps", "--all", "--quiet", "--filter=label=server-monitoring=lab") == ""
    result = play("playbooks/lab_up.yml")
    assert result.status == 0, result.tail()
    for node in NODES:
        assert on(node, "systemctl is-system-running") == "running"


def test_lab_has_debian_12_and_13() -> None:
    """One node is Debian 12, the others are Debian 13."""
    versions = sorted(on(node, ". /etc/os-release; echo $VERSION_ID") for node in NODES)
    assert versions == ["12", "13", "13", "13"]


def test_lab_brings_back_a_missing_and_a_stopped_node() -> None:
    """A removed node is made again, a stopped one started, and the others are left alone."""
    before = podman("inspect", "--format={{.Id}}", "kafka-1", "consumer-1")
    podman("rm", "--force", "--time=0", "producer-1")
    podman("stop", "--time=0", "consumer-2")
    result = play("playbooks/lab_up.yml")
    assert result.status == 0, result.tail()
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


def test_check_mode_changes_nothing_on_fresh_nodes() -> None:
    """`--check` goes through on machines that have nothing yet, and leaves them so."""
    result = play("provision.yml", "--check")
    assert result.status == 0, result.tail()
    for node in NODES:
        assert (
            on(node, "ls /opt; ls /etc/systemd/system | grep -c server-monitoring || true") == "0"
        )


def test_provision_makes_a_cluster_of_empty_nodes() -> None:
    """The first run ends well."""
    result = play("provision.yml")
    assert result.status == 0, result.tail()


def test_provision_changes_nothing_the_second_time() -> None:
    """The second run reports changed=0 on every host."""
    result = play("provision.yml")
    assert result.status == 0, result.tail()
    assert result.changed() == dict.fromkeys(NODES | {"localhost"}, 0), result.tail(200)


def test_check_mode_changes_nothing_on_a_provisioned_cluster() -> None:
    """`--check --diff` reports no change either."""
    result = play("provision.yml", "--check", "--diff")
    assert result.status == 0, result.tail()
    assert set(result.changed().values()) == {0}, result.tail(200)


def test_provision_playbook_reads_as_the_architecture() -> None:
    """provision.yml and run_pipeline.yml stay short enough to be read at a glance."""
    for name in ("provision.yml", "run_pipeline.yml"):
        assert len((PROJECT / name).read_text().splitlines()) <= 60
