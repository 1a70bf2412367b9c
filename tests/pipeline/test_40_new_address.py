"""A new address is an edit of the inventory and another provision run.

The lab keeps the new address; another provision run gives it its own back.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_tables import tables
from runs import CPU_MEM, DATASET, THRESHOLDS, read_table

from playbooks import on, play

NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
OLD, NEW = "172.29.0.1", "172.29.0.101"
USES = "ip -o addr; ss -tn; ss -tln; cat /etc/kafka/* /etc/server-monitoring/* 2>/dev/null"


def test_broker_moves_to_a_new_address(changed_inventory: Callable[..., Path]) -> None:
    """One run moves everything that depends on it; the pipeline works; nothing uses the old one."""

    def move(inventory: dict[str, Any]) -> None:
        inventory["hosts"]["kafka-1"]["zerotier_ip"] = NEW

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
    _, rows = read_table(inventory.parent / "results" / "latest" / CPU_MEM)
    assert rows == tables(DATASET, THRESHOLDS, "00:00:00")[0]

    assert on("kafka-1", "grep cluster.id /var/lib/kafka/*/meta.properties") == cluster_id
    for node in NODES:
        assert on(node, f"({USES}) | grep -cE '{OLD}[^0-9]' || true") == "0", node
