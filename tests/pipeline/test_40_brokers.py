"""One broker becomes three while rows flow, and a run does not need any one of them.

The lab keeps the three.
"""

import pytest

from tests.pipeline import accounting
from tests.pipeline.brokers import THREE, assert_copies, gone, voters, wait_until_whole
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import rows_stored
from tests.support.playbooks import play

# Rows a second, so that they outlast what is done beside.
RATE = 220


@pytest.fixture(scope="module")
def _three(run_pipeline: Run, run_name: Name) -> None:
    """Provision two more brokers while rows flow, each of which comes out once."""

    def grow(running: Running) -> None:
        result = play("provision.yml", inventory=THREE)
        assert result.status == 0, result.tail()
        assert not running.over.is_set(), "the run was over first"

    before = accounting.end_offsets()
    _, folder = disturbed(run_pipeline, run_name("grown"), grow, pipeline_rate=RATE)
    accounting.check(folder, before)


@pytest.mark.usefixtures("_three")
def test_everything_has_three_copies_and_three_controllers_vote() -> None:
    """Kafka's own topics too; a second provision run has nothing to do."""
    assert_copies("kafka-1", {1, 2, 3})
    assert voters("kafka-1") == {1, 2, 3}
    again = play("provision.yml", inventory=THREE)
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(200)


@pytest.mark.usefixtures("_three")
def test_a_broker_that_is_killed_with_its_node_is_not_missed(
    run_pipeline: Run, run_name: Name
) -> None:
    """The run ends right without it; once it is back all copies are, without a hand."""
    before = accounting.end_offsets()

    def lose(running: Running) -> None:
        running.until("rows are stored", lambda: rows_stored("consumer-1", running.id) > 0)
        running.until("it is killed, and the run is over", lambda: _outlives(running))

    def _outlives(running: Running) -> bool:
        with gone("kafka-1"):
            return running.over.wait(100)

    _, folder = disturbed(run_pipeline, run_name("lost"), lose, pipeline_rate=900, inventory=THREE)
    wait_until_whole()
    accounting.check(folder, before)
