"""Another inventory: a new address, groups that share hosts, a group of two hosts.

All of it is an edit of the inventory and another provision run. The lab keeps what these tests make
of it; a provision run with its own inventory takes it back.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.runs import CPU_MEM, DATASET, NET_DISK, THRESHOLDS, manifest, read_table
from tests.pipeline.secrets_search import secrets
from tests.support.inventories import changed
from tests.support.playbooks import Result, on, play
from tests.support.reference_tables import tables

NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
BROKERS = ("kafka-1", "producer-1", "consumer-1")
OLD = "172.29.0.[123]"
# Sockets that the kernel still closes, of the broker before, are nobody's.
SETTINGS = "cat /etc/kafka/* /etc/server-monitoring/* 2>/dev/null"
USES = f"ip -o addr; ss -tn state established; ss -tln; {SETTINGS}"
CLUSTER_ID = "grep cluster.id /var/lib/kafka/*/meta.properties"


def move(inventory: dict[str, Any]) -> None:
    """Give each of the brokers another address, and let hosts have several functions."""
    for number, broker in enumerate(BROKERS, 101):
        inventory["hosts"][broker]["zerotier_ip"] = f"172.29.0.{number}"
    groups = inventory["children"]
    groups["kafka"]["hosts"] = dict.fromkeys(BROKERS)
    groups["producers"]["hosts"] = {"kafka-1": None, "producer-1": None}
    groups["consumers_net_disk"]["hosts"] = {"consumer-1": None, "consumer-2": None}


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the changed inventory."""
    return changed(tmp_path_factory.mktemp("moved"), move)


@pytest.fixture(scope="module")
def moved(inventory: Path) -> Result:
    """Provision with it, in one run that leaves the brokers' data as it is; tell how it went."""
    before = on("kafka-1", CLUSTER_ID)
    result = play("provision.yml", "--diff", "-vvv", inventory=inventory)
    assert result.status == 0, result.tail()
    assert on("kafka-1", CLUSTER_ID) == before
    return result


def test_move_shows_no_secret(moved: Result) -> None:
    """Neither what changed nor what the modules were given holds one, however much is printed."""
    assert [key for key, value in secrets().items() if value in moved.output] == []


@pytest.mark.usefixtures("moved")
def test_brokers_move_and_groups_share_hosts(inventory: Path) -> None:
    """A run uses everything that was moved; tables stay exact; nothing uses the old address."""
    run = play(
        "run_pipeline.yml",
        inventory=inventory,
        extra={
            "pipeline_results_dir": str(inventory.parent / "results"),
            "pipeline_run_id": f"moved-{inventory.stat().st_ctime_ns}",
        },
    )
    assert run.status == 0, run.tail()
    latest = inventory.parent / "results" / "latest"
    cpu_mem, net_disk = tables(DATASET, THRESHOLDS, "00:00:00")
    assert read_table(latest / CPU_MEM)[1] == cpu_mem
    assert read_table(latest / NET_DISK)[1] == net_disk
    assert manifest(latest)["groups"]["net_disk"]["windows"] == len(net_disk)
    for node in NODES:
        assert on(node, f"({USES}) | grep -E '{OLD}[^0-9]' || true") == "", node


@pytest.mark.long
@pytest.mark.usefixtures("moved")
def test_another_run_after_the_move_changes_nothing(inventory: Path) -> None:
    """Everything was moved in one run."""
    again = play("provision.yml", inventory=inventory)
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(200)
