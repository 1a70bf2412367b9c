"""Hosts that go away in the middle of a run, machines that start two, and one that leaves."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.pipeline import accounting
from tests.pipeline.disturbed import Running, disturbed, until
from tests.pipeline.outages import PODMAN, overlay_cut
from tests.pipeline.runs import RUNS, Name, Run
from tests.pipeline.storm import rows_stored
from tests.pipeline.test_30_faults import ACTIVE, stopped
from tests.support.playbooks import on
from tests.support.project import PROJECT

# Some forty seconds for the lab's data set.
RATE = 600
FAILED = "systemctl list-units --plain --no-legend --state=failed 'server-monitoring-*@*'"


def stores(running: Running) -> None:
    """Wait until the run's rows are stored."""
    running.until("rows are stored", lambda: rows_stored("consumer-1", running.id) > 0)


@contextmanager
def cut_off(node: str) -> Iterator[None]:
    """Let a node neither get nor send anything but by its overlay, which needs the rest too."""
    with overlay_cut(node, on(node, "hostname --all-ip-addresses").split()[0]):
        yield


def start_again(running: Running) -> None:
    """Start a run of the same name while it goes on: it is refused, and stops nothing."""
    command = ["ansible-playbook", "run_pipeline.yml", "-e", f"pipeline_run_id={running.id}"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "still runs" in done.stdout


def test_a_node_that_is_started_again_goes_on_by_itself(run_pipeline: Run, run_name: Name) -> None:
    """Its units are started with it, the run ends right, and says which host it was.

    That somebody meanwhile starts a run of the same name changes nothing.
    """
    before = accounting.end_offsets()

    def restart(running: Running) -> None:
        stores(running)
        start_again(running)
        subprocess.run([*PODMAN, "restart", "--time=5", "consumer-1"], check=True)

    result, folder = disturbed(run_pipeline, run_name("boot"), restart, pipeline_rate=RATE)
    accounting.check(folder, before)
    assert result.says("consumer-1: started again during the run"), result.tail()
    assert on("consumer-1", "ls /etc/systemd/system/multi-user.target.wants | grep @ || true") == ""


@pytest.mark.long
def test_a_node_that_is_cut_off_for_a_while_is_waited_for(
    run_pipeline: Run, run_name: Name
) -> None:
    """The line says so, and all rows are there."""
    before = accounting.end_offsets()

    def cut(running: Running) -> None:
        stores(running)
        with cut_off("consumer-2"):
            time.sleep(40)

    result, folder = disturbed(run_pipeline, run_name("cut"), cut, pipeline_rate=RATE)
    accounting.check(folder, before)
    assert result.says("consumer-2 does not answer, waited for at most"), result.tail()


@pytest.mark.long
def test_a_node_that_stays_away_ends_the_run_and_the_next_one_works(
    run_pipeline: Run, run_name: Name
) -> None:
    """The reason names it; what it still runs is stopped by the next gate."""
    name, over = run_name("lost"), run_name("after")
    with ThreadPoolExecutor(max_workers=1) as pool:
        settings = {"pipeline_node_timeout": 20, "pipeline_rate": RATE}
        lost = pool.submit(run_pipeline, name, **settings)
        until("rows are stored", lambda: rows_stored("consumer-1", name) > 0)
        with cut_off("consumer-2"):
            result, _ = lost.result()
    assert result.status != 0
    assert result.says("consumer-2: no answer for"), result.tail()
    assert on("consumer-1", ACTIVE) == ""
    assert name in on("consumer-2", ACTIVE)
    until("consumer-2 is on the overlay", _reaches("consumer-2"))
    result, _ = run_pipeline(over)
    assert result.status == 0, result.tail()
    assert on("consumer-1", FAILED) == on("consumer-2", FAILED) == ""


def _reaches(node: str) -> Callable[[], bool]:
    connect = "timeout 2 bash -c '</dev/tcp/172.29.0.1/9092' 2>/dev/null && echo yes || true"
    return lambda: on(node, connect) == "yes"


def test_of_two_starts_at_once_one_passes_the_gate(run_pipeline: Run, run_name: Name) -> None:
    """The other one is refused, and says why."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        both = list(pool.map(run_pipeline, [run_name("one"), run_name("other")]))
    assert sorted(result.status == 0 for result, _ in both) == [False, True]
    [refused] = [result for result, _ in both if result.status != 0]
    assert refused.says("passes its gate since") or refused.says("still runs"), refused.tail()


@pytest.mark.long
def test_consumers_of_a_run_whose_control_machine_went_away_end_by_themselves(
    run_pipeline: Run, run_name: Name
) -> None:
    """Within pipeline_idle_timeout, with the reason; the next run is not refused."""
    name = run_name("orphan")
    settings = ["-e", f"pipeline_run_id={name}", "-e", "pipeline_idle_timeout=20"]
    command = ["ansible-playbook", "run_pipeline.yml", *settings]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.DEVNULL, start_new_session=True
    ) as playing:
        until("rows are stored", lambda: rows_stored("consumer-1", name) > 0)
        os.killpg(playing.pid, signal.SIGKILL)
    for node in ("consumer-1", "consumer-2"):
        until(f"{node} is idle", lambda node=node: on(node, ACTIVE) == "")  # type: ignore[misc]
    failed = on("consumer-1", f"cat {RUNS}/{name}/consume-cpu_mem.failed")
    assert "no record and no end offsets within 20 s" in failed
    result, _ = run_pipeline(run_name("next"))
    assert result.status == 0, result.tail()


@pytest.mark.long
def test_an_outage_is_bounded_by_the_setting_of_one_run(run_pipeline: Run, run_name: Name) -> None:
    """The producer gives up by itself, once, and the line says meanwhile what is waited for."""
    name = run_name("outage")
    with ThreadPoolExecutor(max_workers=1) as pool:
        settings = {"pipeline_broker_timeout": 20, "pipeline_rate": RATE}
        run = pool.submit(run_pipeline, name, **settings)
        until("rows are stored", lambda: rows_stored("consumer-1", name) > 0)
        with stopped("kafka-1", "kafka"):
            began = time.monotonic()
            result, _ = run.result()
            seconds = time.monotonic() - began
    assert result.status != 0
    assert seconds < 60
    assert result.says("producer-1: waiting for the broker, at most"), result.tail()
    assert (
        on("producer-1", f"journalctl -u server-monitoring-produce@{name} | grep -c Started") == "1"
    )
