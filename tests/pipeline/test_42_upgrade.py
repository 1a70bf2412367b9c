"""Kafka goes from one release to the next in the middle of a run, and the upgrade is finished.

The lab has the three brokers of inventory/lab-ha before and after; their records are gone.
"""

from pathlib import Path

import pytest

from tests.kafka.kafka_home import releases, version
from tests.pipeline import accounting
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.runs import Name, Run, manifest
from tests.support.playbooks import Result, on, play
from tests.support.project import PROJECT

THREE = PROJECT / "inventory" / "lab-ha"
BROKERS = ("kafka-1", "producer-1", "consumer-1")
OLDER = releases()[releases().index(version()) - 1]
FINISH = "playbooks/kafka_finish_upgrade.yml"
# Rows a second, so that they outlast the restart of three brokers, one after the other.
RATE = 80
RUNS = "tr '\\0' '\\n' < /proc/$(systemctl show kafka --property=MainPID --value)/cmdline"

pytestmark = pytest.mark.long


def good(playbook: str, *arguments: str) -> Result:
    """Run a playbook on the three brokers' inventory to a good end."""
    result = play(playbook, *arguments, inventory=THREE)
    assert result.status == 0, result.tail()
    return result


def running(release: str) -> bool:
    """Tell whether all brokers run a release."""
    return all(f"/opt/kafka-{release}/libs/" in on(node, RUNS) for node in BROKERS)


@pytest.fixture(scope="module")
def _older() -> None:
    """Provision three brokers of the older release, on disks that no newer one has formatted."""
    good("provision.yml")
    good(FINISH)
    refused = play("provision.yml", "-e", f"kafka_version={OLDER}", inventory=THREE)
    assert refused.status != 0
    assert refused.says(f"kafka_version: found {OLDER}, which holds metadata.version"), (
        refused.tail()
    )
    assert running(version())
    for node in BROKERS:
        on(node, "systemctl stop kafka && find /var/lib/kafka/data -mindepth 1 -delete")
    good("provision.yml", "-e", f"kafka_version={OLDER}")
    assert running(OLDER)


@pytest.fixture(scope="module")
def upgraded(_older: None, run_pipeline: Run, run_name: Name) -> Path:
    """Provision the role's own release while rows flow; return the run's results."""

    def upgrade(run: Running) -> None:
        result = good("provision.yml")
        assert not run.over.is_set(), "the run was over first"
        assert result.says("goes on with the feature levels of an older release"), result.tail()

    before = accounting.end_offsets()
    _, folder = disturbed(
        run_pipeline, run_name("upgraded"), upgrade, pipeline_rate=RATE, inventory=THREE
    )
    accounting.check(folder, before)
    return folder


def test_a_run_does_not_notice_an_upgrade(upgraded: Path) -> None:
    """Every row is stored once, and all brokers run the newer release."""
    assert running(version())
    assert manifest(upgraded)["topics"]


@pytest.mark.usefixtures("upgraded")
def test_the_upgrade_is_finished_once() -> None:
    """The second time there is nothing to do, nor for another provision run; the cluster stands."""
    would = good(FINISH, "--check", "--diff")
    first = good(FINISH)
    assert would.changed() == first.changed() == {"kafka-1": 1}
    assert first.says("there is no way back to an older release"), first.tail()
    assert good(FINISH).changed() == {"kafka-1": 0}
    good("playbooks/health.yml")
    again = good("provision.yml")
    assert set(again.changed().values()) == {0}, again.tail(200)


@pytest.mark.usefixtures("upgraded")
def test_then_the_older_release_is_refused_and_nothing_is_stopped() -> None:
    """In one line, while the brokers go on."""
    started = [on(node, "systemctl show kafka --property=MainPID --value") for node in BROKERS]
    refused = play("provision.yml", "-e", f"kafka_version={OLDER}", inventory=THREE)
    assert refused.status != 0
    assert refused.says("a finished upgrade has no way back"), refused.tail()
    now = [on(node, "systemctl show kafka --property=MainPID --value") for node in BROKERS]
    assert now == started
