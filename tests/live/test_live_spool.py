"""A day without a broker: what an agent spooled arrives whole."""

from pathlib import Path

import pytest
from server_monitoring.agent.config import SPOOL_BYTES
from server_monitoring.agent.counters import Counters
from server_monitoring.agent.row import COLUMNS, Row
from server_monitoring.agent.spool import Spool
from server_monitoring.broker.limits import CLIENTS
from server_monitoring.model.live import utc_second, utc_text

from tests.kafka.kafka_broker import Broker
from tests.live.site import make_site
from tests.support.live_rows import DAY, stored

SERVER = "web,1"
OFFLINE = "2026-11-28"


@pytest.mark.long
@pytest.mark.parametrize("client", CLIENTS)
def test_a_day_offline_at_a_sample_a_second_loses_nothing(
    mortal: Broker, tmp_path: Path, client: str
) -> None:
    """Within the default bound: 86,400 rows of four values, in their order."""
    agent = {"interval_seconds": 3600, "spool_bytes": SPOOL_BYTES}
    site = make_site([mortal.address], tmp_path / "site", [SERVER], [client] * 2, agent)
    begin = utc_second(f"{OFFLINE}T00:00:00Z")
    counters, told = Counters(), list[str]()
    spool = Spool(site.agents[SERVER].directory / "data", SPOOL_BYTES, counters, told.append)
    for second in range(begin, begin + DAY):
        spool.append(Row(second, SERVER, tuple(f"{second % 97}.{n}25" for n in range(4))))
    spool.close()
    assert (counters, told) == (Counters(), [])
    site.agents[SERVER].drive([1.0] * len(COLUMNS))
    for unit in (site.agents[SERVER].unit, *site.consumers.values()):
        unit.start()
    try:
        site.wait_for(lambda: min(map(site.rows, site.topics)) >= DAY, "all stored")
    finally:
        site.end()
    for place, topic in enumerate(site.topics):
        rows = stored(site.live, topic)[OFFLINE]
        assert rows == [
            [utc_text(second), SERVER, f"{second % 97}.{place}25"]
            for second in range(begin, begin + DAY)
        ]
