"""SIGKILLs at random moments cost live mode time, and neither a sample nor an alert."""

import time
from itertools import islice
from pathlib import Path

import pytest

from tests.kafka.kafka_cluster import KafkaCluster
from tests.live import live_accounts
from tests.live.driven import Driver
from tests.live.kill_plan import plan
from tests.live.live_storm import LiveStorm
from tests.live.site import make_site
from tests.pipeline.storm import Overcome, report

pytestmark = pytest.mark.long

SERVERS = ("web-1", "web,2", "db-1", "Zürich 💡")
WINDOW, SLIDE = 30, 1
"""A window ends at each second, so that hardly a moment is without its alerts."""
REPORT_EACH = 10
# With which a unit may end by itself while a broker is away: its unit starts it again.
BROKER, UNREACHABLE = 5, 8


def test_nothing_is_lost_or_told_twice_whatever_is_killed(
    cluster: KafkaCluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """`--faults` kills, `--seed` to repeat them; then Spark analyzes, and the books are equal."""
    wanted, seed = request.config.getoption("--faults"), request.config.getoption("--seed")
    site = make_site(
        cluster.bootstrap, tmp_path / "site", SERVERS, window_seconds=WINDOW, slide_seconds=SLIDE
    )
    driver = Driver(list(site.agents.values()), seed)
    done: list[Overcome] = []
    try:
        site.start()
        storm = LiveStorm(site, cluster)
        for overcome in storm.rage(islice(plan(storm.victims(), seed), wanted)):
            done.append(overcome)
            if len(done) % REPORT_EACH == 0:
                print(f"{len(done)} of {wanted} faults\n{report(done)}")  # noqa: T201
        driver.calm()
        # Windows that are still open at the end have no alert, so nobody has to close them.
        time.sleep(WINDOW + SLIDE)
        site.stop_when_drained()
        counts = live_accounts.check(site)
    finally:
        driver.end()
        site.end()
    print(f"{live_accounts.text(counts)}\n{report(done)}")  # noqa: T201
    assert counts["alerts cpu_mem"] > 0 < counts["alerts net_disk"]
    for unit in site.units:
        assert set(unit.statuses) <= {BROKER, UNREACHABLE}, f"{unit.name}: {unit.statuses}"
        assert "Traceback" not in unit.said(), unit.said()
