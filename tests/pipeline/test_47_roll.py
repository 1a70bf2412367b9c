"""All brokers are restarted in the middle of a run, one at a time, and nobody misses any."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from server_monitoring.broker.limits import CLIENTS

from tests.pipeline import accounting
from tests.pipeline.background import in_background
from tests.pipeline.brokers import HA, THREE, as_broker, wait_until_whole
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import sidecars
from tests.pipeline.test_32_hosts_away import stores
from tests.pipeline.units import broker
from tests.support.playbooks import on, play

pytestmark = pytest.mark.long

# Rows a second: more than two minutes for the lab's data set.
RATE = 180
LEAST = 2
OVER = "/run/test-watch.over"
# Looks for partitions with fewer copies in sync than must hold a record, until it is told to end.
# Whom it has asked may be the one that is restarted: then it asks again.
WATCH = f"""
from pathlib import Path
looks, short, admin = 0, set(), None
while not Path("{OVER}").exists():
    try:
        admin = admin or KafkaAdminClient(bootstrap_timeout_ms=5000, **common)
        found = {{
            f"{{t['name']}}-{{p['partition_index']}}: {{p['isr_nodes']}} of {{p['replica_nodes']}}"
            for t in admin.describe_topics() for p in t["partitions"]
            if len(p["isr_nodes"]) < min({LEAST}, len(p["replica_nodes"]))
        }}
    except Exception:
        admin = None
    else:
        looks, short = looks + 1, short | found
    time.sleep(0.1)
print(json.dumps([looks, sorted(short)]))
"""


@contextmanager
def never_short() -> Iterator[None]:
    """Assert that meanwhile each partition has as many copies in sync as must hold a record."""
    on("kafka-1", f"rm -f {OVER}")
    finish = in_background("kafka-1", as_broker(WATCH))
    try:
        yield
    finally:
        on("kafka-1", f"touch {OVER}")
        looks, short = json.loads(finish())
        on("kafka-1", f"rm {OVER}")
    assert looks > 20, "it was hardly looked"
    assert short == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_rolling_restart_is_not_noticed(run_pipeline: Run, run_name: Name, client: str) -> None:
    """No row is missing or there twice, and two copies are in sync at every moment."""
    before = accounting.end_offsets()
    pids = {node: broker(node).pid() for node in HA.brokers}

    def roll(running: Running) -> None:
        stores(running)
        with never_short():
            result = play("playbooks/kafka_restart.yml", inventory=THREE)
        assert result.status == 0, result.tail()
        assert not running.over.is_set(), "the run was over first"

    _, folder = disturbed(
        run_pipeline,
        run_name(f"roll-{client}"),
        roll,
        pipeline_rate=RATE,
        pipeline_kafka_client=client,
        inventory=THREE,
    )
    wait_until_whole()
    accounting.check(folder, before)
    for node in HA.consumers:
        assert {sidecar["duplicates"] for sidecar in sidecars(node, folder.name)} == {0}
    assert all(broker(node).pid() != pid for node, pid in pids.items())
