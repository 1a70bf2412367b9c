"""A broker that is away, a server that is, and a batch run beside: nothing is lost, none mixed."""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.model.live import FIRING, RESOLVED, utc_second

from tests.kafka.kafka_broker import Broker, Pipeline
from tests.kafka.kafka_runs import run_through, write_dataset
from tests.live import live_accounts
from tests.live.driven import Driver
from tests.live.site import GROUPS, Site, make_site
from tests.live.told import silences
from tests.support.reference_tables import tables

SERVERS = ("web-1", "web,2", "Zürich 💡")
INTERVAL = 1
SILENCE_SECONDS = 3 * INTERVAL + 3
"""As the role has it by default."""
BAR_SECONDS = 3 * INTERVAL + 5
WINDOW, SLIDE = 6, 1
"""Short, so that a test ends soon after its last incident."""


@contextmanager
def driven(broker: Broker, directory: Path, **changed: Any) -> Iterator[tuple[Site, Driver]]:
    """Run live mode with agents whose values make incidents."""
    settings: dict[str, Any] = {"window_seconds": WINDOW, "slide_seconds": SLIDE, **changed}
    site = make_site([broker.address], directory / "site", SERVERS, **settings)
    driver = Driver(list(site.agents.values()), seed=47)
    try:
        site.start()
        site.wait_for(lambda: min(site.closed_to().values()) > 0, "all judged")
        yield site, driver
    finally:
        driver.end()
        site.end()


def settle(site: Site, driver: Driver) -> None:
    """Let it be calm until no open window has an alert, and stop once all is done."""
    driver.calm()
    time.sleep(site.values["window_seconds"] + site.values["slide_seconds"])
    site.stop_when_drained()


@pytest.mark.long
def test_what_is_sampled_while_the_broker_is_away_is_judged_afterwards(
    mortal: Broker, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """For `--away` seconds: in order, all windows right, at most one "no data" a server."""
    away = request.config.getoption("--away")
    with driven(mortal, tmp_path, silence_seconds=away // 2, broker_timeout=20) as running:
        site, driver = running
        mortal.stop(hard=True)
        time.sleep(away)
        mortal.start()
        now = int(time.time())
        site.wait_for(lambda: min(site.closed_to().values()) > now, "all judged again")
        settle(site, driver)
        counts = live_accounts.check(site)
    for told in silences(site.told.records()).values():
        assert [one["state"] for one in told] in ([], [FIRING, RESOLVED])
    assert counts["samples"] >= away * len(SERVERS)
    assert counts["alerts cpu_mem"] > 0 < counts["alerts net_disk"]


def test_a_server_that_is_switched_off_has_no_data_in_time_until_it_is_back(
    mortal: Broker, tmp_path: Path
) -> None:
    """Within three intervals and 5 s after its last sample, by the times of the records."""
    with driven(mortal, tmp_path, silence_seconds=SILENCE_SECONDS) as (site, _):
        agent = site.agents["web-1"]
        agent.unit.end()
        last = agent.spooled()[-1].second

        def states(state: str) -> bool:
            told = silences(site.told.records())
            return all(
                [one["state"] for one in told.get((group, "web-1"), [])][-1:] == [state]
                for group in GROUPS
            )

        site.wait_for(lambda: states(FIRING), "no data")
        agent.unit.start()
        site.wait_for(lambda: states(RESOLVED), "resolved")
        told = silences(site.told.records())
        back = next(row.second for row in agent.spooled() if row.second > last)
        site.end()
    assert set(told) == {(group, "web-1") for group in GROUPS}
    for fired, resolved in told.values():
        assert last <= utc_second(fired["since"]) <= utc_second(fired["at"]) <= last + BAR_SECONDS
        assert fired["since"] == resolved["since"]
        assert utc_second(resolved["at"]) >= back


@pytest.mark.long
def test_a_batch_run_beside_live_traffic_leaves_both_exact(mortal: Broker, tmp_path: Path) -> None:
    """On the same topics: the run's tables are those of exact arithmetic, the books are equal."""
    dataset = tmp_path / "dataset.csv"
    write_dataset(dataset, 20_000)
    usual: dict[str, Any] = {"window_seconds": 30, "slide_seconds": 10, "start": "00:00:00"}
    with driven(mortal, tmp_path, **usual) as (site, driver):
        data = site.directory / "data"
        before = len(site.told.records())
        run_through(Pipeline(mortal, site.configs[GROUPS[0]], site.values, data), "r1", dataset)
        for group in GROUPS:
            done = site.run("analyze", "--run-id", "r1", "--group", group)
            assert done.returncode == 0, done.stderr
        assert len(site.told.records()) > before, "nothing was told during the run"
        settle(site, driver)
        live_accounts.check(site)
    wanted = tables(dataset, site.values["thresholds"], usual["start"])
    for group, table in zip(GROUPS, wanted, strict=True):
        path = data / "runs" / "r1" / site.values["groups"][group]["output_file"]
        with path.open(encoding="utf-8", newline="") as file:
            assert list(csv.reader(file, strict=True))[1:] == table
