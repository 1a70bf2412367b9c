"""A broker leaves while rows flow, and comes back as a new one.

The tests follow one another; the lab keeps the three brokers.
"""

import pytest

from tests.pipeline import accounting
from tests.pipeline.brokers import DATA, NODES, THREE, assert_copies, registered, voters
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import rows_stored
from tests.support.playbooks import Result, on, play

pytestmark = pytest.mark.long
# In the middle of the group, so that the other two must keep their numbers.
LEAVES = "producer-1"
# Rows a second, so that they outlast what is done beside.
RATE = 90


def leave(*arguments: str) -> Result:
    """Run the playbook that takes the broker out."""
    extra = {"kafka_leaving": LEAVES}
    return play("playbooks/kafka_leave.yml", *arguments, inventory=THREE, extra=extra)


@pytest.fixture(scope="module")
def _three() -> None:
    """Provision three brokers, where there is one."""
    result = play("provision.yml", inventory=THREE)
    assert result.status == 0, result.tail()


@pytest.mark.usefixtures("_three")
def test_what_would_be_done_is_said_and_not_done() -> None:
    """In check mode; and whoever is no broker cannot leave."""
    seen = leave("--check")
    assert seen.status == 0, seen.tail()
    assert seen.says("WARNING: without producer-1 each record has 2 copies, it had 3"), seen.tail()
    assert voters("kafka-1") == registered("kafka-1") == set(NODES)
    assert_copies("kafka-1", set(NODES))
    stranger = {"kafka_leaving": "consumer-2"}
    refused = play("playbooks/kafka_leave.yml", inventory=THREE, extra=stranger)
    assert refused.status != 0
    assert refused.says("kafka_leaving: found consumer-2, expected hosts of the group kafka")


@pytest.mark.usefixtures("_three")
def test_a_broker_leaves_while_rows_flow(run_pipeline: Run, run_name: Name) -> None:
    """Each row once; nothing of it is left in the cluster, and a second call changes nothing."""
    before = accounting.end_offsets()

    def go(running: Running) -> None:
        running.until("rows are stored", lambda: rows_stored("consumer-1", running.id) > 0)
        result = leave()
        assert result.status == 0, result.tail()
        assert not running.over.is_set(), "the run was over first"
        assert result.says("consumer-1: kafka_node_id: 3"), result.tail()

    _, folder = disturbed(run_pipeline, run_name("left"), go, pipeline_rate=RATE, inventory=THREE)
    assert_copies("kafka-1", {1, 3})
    assert (registered("kafka-1"), voters("kafka-1")) == ({1, 3}, {1})
    assert on(LEAVES, "systemctl is-active kafka || systemctl is-enabled kafka || true") == (
        "inactive\ndisabled"
    )
    assert on(LEAVES, f"ls -A {DATA}") == ""
    accounting.check(folder, before)
    again = leave()
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(200)
    assert again.says(f"{LEAVES}: had left already")


@pytest.mark.usefixtures("_three")
def test_a_broker_that_left_joins_again_as_a_new_one() -> None:
    """By a provision run that has it in its group."""
    result = play("provision.yml", inventory=THREE)
    assert result.status == 0, result.tail()
    assert_copies("kafka-1", set(NODES))
    assert voters("kafka-1") == registered("kafka-1") == set(NODES)
