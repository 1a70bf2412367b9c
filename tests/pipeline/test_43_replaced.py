"""Each broker in turn loses its disk while rows flow: one provision run gives it its place again.

The first one too, on which the cluster began.
"""

import pytest

from tests.pipeline import accounting
from tests.pipeline.brokers import DATA, NODES, THREE, assert_copies, registered, voters
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import rows_stored
from tests.support.playbooks import on, play

pytestmark = pytest.mark.long
# Rows a second, so that they outlast what is done beside.
RATE = 150
IDENTITY = f"grep ^cluster.id= {DATA}/meta.properties"
# It would start again by itself, as long as systemd is not told to let it be.
LOST = f"systemctl kill --signal=KILL kafka; systemctl stop kafka; find {DATA} -mindepth 1 -delete"


@pytest.fixture(scope="module")
def _three() -> None:
    """Provision three brokers, where there is one."""
    result = play("provision.yml", inventory=THREE)
    assert result.status == 0, result.tail()


@pytest.mark.usefixtures("_three")
@pytest.mark.parametrize("broker", NODES.values())
def test_a_broker_that_lost_its_disk_takes_its_place_again(
    run_pipeline: Run, run_name: Name, broker: str
) -> None:
    """It votes, and has all copies, in the same cluster; no row is missing, or stored twice."""
    other = next(host for host in NODES.values() if host != broker)
    cluster_id = on(other, IDENTITY)
    before = accounting.end_offsets()

    def replace(running: Running) -> None:
        running.until("rows are stored", lambda: rows_stored("consumer-1", running.id) > 0)
        on(broker, LOST)
        result = play("provision.yml", inventory=THREE)
        assert result.status == 0, result.tail()
        assert not running.over.is_set(), "the run was over first"

    _, folder = disturbed(
        run_pipeline, run_name(f"replaced-{broker}"), replace, pipeline_rate=RATE, inventory=THREE
    )
    assert_copies(other, set(NODES))
    assert voters(other) == registered(other) == set(NODES)
    assert {on(host, IDENTITY) for host in NODES.values()} == {cluster_id}
    accounting.check(folder, before)
