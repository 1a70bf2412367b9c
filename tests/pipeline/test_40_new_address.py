"""Another inventory: a new address, groups that share hosts, a group of two hosts.

All of it is an edit of the inventory and another provision run. The lab keeps what this test makes
of it; a provision run with its own inventory takes it back.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.pipeline.runs import CPU_MEM, DATASET, NET_DISK, THRESHOLDS, manifest, read_table
from tests.support.playbooks import on, play
from tests.support.reference_tables import tables

NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
OLD, NEW = "172.29.0.1", "172.29.0.101"
USES = "ip -o addr; ss -tn; ss -tln; cat /etc/kafka/* /etc/server-monitoring/* 2>/dev/null"


def move(inventory: dict[str, Any]) -> None:
    """Give the broker another address, and let hosts have several functions."""
    inventory["hosts"]["kafka-1"]["zerotier_ip"] = NEW
    groups = inventory["children"]
    groups["producers"]["hosts"] = {"kafka-1": None, "producer-1": None}
    groups["consumers_net_disk"]["hosts"] = {"consumer-1": None, "consumer-2": None}


def test_broker_moves_and_groups_share_hosts(changed_inventory: Callable[..., Path]) -> None:
    """One run moves everything that depends on it; tables stay exact; nothing uses the old one."""
    inventory = changed_inventory(move)
    cluster_id = on("kafka-1", "grep cluster.id /var/lib/kafka/*/meta.properties")
    moved = play("provision.yml", inventory=inventory)
    assert moved.status == 0, moved.tail()

    again = play("provision.yml", inventory=inventory)
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(200)

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

    assert on("kafka-1", "grep cluster.id /var/lib/kafka/*/meta.properties") == cluster_id
    for node in NODES:
        assert on(node, f"({USES}) | grep -cE '{OLD}[^0-9]' || true") == "0", node
