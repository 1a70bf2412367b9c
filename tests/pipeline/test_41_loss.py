"""Nodes and brokers that are lost in the middle of a run, one, two or all three at once.

Also a run that begins while one is away.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.pipeline import accounting
from tests.pipeline.brokers import HA, THREE, gone, wait_until_whole
from tests.pipeline.disturbed import Running, disturbed, until
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import rows_stored
from tests.pipeline.test_30_faults import stopped
from tests.pipeline.test_32_hosts_away import stores
from tests.support.playbooks import Result

pytestmark = pytest.mark.long

# Rows a second: a minute and a half for the lab's data set.
RATE = 300
# Longer than a broker's session, and than what a connection that is gone is noticed in.
AWAY_SECONDS = 20


def survives(run_pipeline: Run, run_id: str, *nodes: str, seconds: float = AWAY_SECONDS) -> Result:
    """Kill nodes in the middle of a run, start them again, and account for every row."""

    def lose(running: Running) -> None:
        stores(running)
        with gone(*nodes):
            time.sleep(seconds)
        assert not running.over.is_set(), "the run was over first"

    before = accounting.end_offsets()
    result, folder = disturbed(run_pipeline, run_id, lose, pipeline_rate=RATE, inventory=THREE)
    wait_until_whole()
    accounting.check(folder, before)
    return result


@pytest.mark.parametrize("node", ["producer-1", "consumer-1"])
def test_a_broker_that_is_producer_or_consumer_too_may_be_killed_with_its_node(
    run_pipeline: Run, run_name: Name, node: str
) -> None:
    """The run waits for it; its units go on where they were, and so does its broker."""
    result = survives(run_pipeline, run_name(f"lost-{node}"), node)
    assert result.says(f"{node} does not answer, waited for at most"), result.tail()
    assert result.says(f"{node}: started again during the run"), result.tail()


def test_the_active_controller_may_be_killed_with_its_node(
    run_pipeline: Run, run_name: Name
) -> None:
    """Another one takes its place, whichever it was."""
    leader = wait_until_whole()
    survives(run_pipeline, run_name("lost-controller"), leader, seconds=0)


def test_all_brokers_may_be_killed_with_their_nodes_at_once(
    run_pipeline: Run, run_name: Name
) -> None:
    """What was acknowledged is in the copies that the machines' memory and disks keep."""
    survives(run_pipeline, run_name("lost-all"), *HA.brokers, seconds=0)


def test_without_two_brokers_a_run_waits_and_goes_on_with_them(
    run_pipeline: Run, run_name: Name
) -> None:
    """Two copies of a record are asked for: the line says that the broker is waited for."""
    before = accounting.end_offsets()

    def lose(running: Running) -> None:
        stores(running)
        with stopped("kafka-1", "kafka"), stopped("producer-1", "kafka"):
            time.sleep(40)

    result, folder = disturbed(
        run_pipeline, run_name("two-away"), lose, pipeline_rate=RATE, inventory=THREE
    )
    wait_until_whole()
    accounting.check(folder, before)
    assert result.says("producer-1: waiting for the broker, at most"), result.tail()


def test_without_two_brokers_a_run_ends_in_its_bound_and_says_what_is_missing(
    run_pipeline: Run, run_name: Name
) -> None:
    """One line, with the addresses or with the copies that are missing; the next run works."""
    name = run_name("two-gone")
    settings = {"pipeline_broker_timeout": 20, "pipeline_rate": RATE}
    with ThreadPoolExecutor(max_workers=1) as pool:
        lost = pool.submit(run_pipeline, name, inventory=THREE, **settings)
        until("rows are stored", lambda: rows_stored("consumer-1", name) > 0)
        with stopped("kafka-1", "kafka"), stopped("producer-1", "kafka"):
            result, _ = lost.result()
    assert result.status != 0
    lines = [line for line in result.output.splitlines() if line.startswith("failed: ")]
    [line] = [line for line in lines if "stopped in step produce: producer-1: " in line]
    servers = ", ".join(f"{address}:9092" for address in HA.brokers.values())
    assert f"broker {servers}: no answer in time" in line or "NotEnoughReplicas" in line, line
    assert "Traceback" not in result.output
    wait_until_whole()
    result, _ = run_pipeline(run_name("two-back"), inventory=THREE)
    assert result.status == 0, result.tail()


def test_a_run_begins_without_a_broker_that_does_nothing_else(
    run_pipeline: Run, run_name: Name
) -> None:
    """It says who is away, and ends right."""
    before = accounting.end_offsets()
    with gone("kafka-1"):
        # Until its session has ended its leaders are still expected there.
        time.sleep(AWAY_SECONDS)
        result, folder = run_pipeline(run_name("without"), inventory=THREE)
    wait_until_whole()
    assert result.status == 0, result.tail()
    assert result.says("WARNING: kafka-1: no answer; the other brokers go on without")
    accounting.check(folder, before)
