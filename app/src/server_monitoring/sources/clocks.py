"""Times of day that go back within a server: then they are of several days, or of no one clock."""

from collections.abc import Sequence

from server_monitoring.errors import DatasetError, shown
from server_monitoring.model.timestamps import CLOCK

GOES_BACK_SECONDS = 1_800
# Of more servers only these are watched, the first ones of the file.
SERVERS = 100_000


class Clocks:
    """The last time of day of each server, in bounded memory."""

    def __init__(self, where: str) -> None:
        """Know none yet; `where` says in messages what the numbers of rows are of."""
        self._where = where
        self._last: dict[str, str] = {}

    def watch(self, lines: Sequence[int], times: Sequence[str], server_ids: Sequence[str]) -> None:
        """Look at the rows that follow, with canonical times of day.

        Raises:
            DatasetError: a time lies GOES_BACK_SECONDS or more before the server's last one.

        """
        last, servers = self._last, set(server_ids)
        if len(last) + len(servers) <= SERVERS:
            # Mostly nothing can have gone back, as all is within a few minutes or in order.
            latest = max(filter(None, map(last.get, servers)), default=times[0])
            ordered = sorted(times)
            lowest, highest = ordered[0], ordered[-1]
            in_order = ordered == list(times) or not _went_back(highest, lowest)
            if in_order and not _went_back(latest, lowest):
                last.update(zip(server_ids, times, strict=True))
                return
        for line, now, server_id in zip(lines, times, server_ids, strict=True):
            before = last.get(server_id)
            if before is not None and _went_back(before, now):
                raise DatasetError(
                    f"{self._where} {line}: the clock of server {shown(server_id)} goes back from "
                    f"{before} to {now}, expected the times of one day; write times as ISO 8601 "
                    "with date and zone, or set pipeline_clock_goes_back to keep"
                )
            if before is not None or len(last) < SERVERS:
                last[server_id] = now


def _went_back(before: str, now: str) -> bool:
    return now < before and CLOCK.to_seconds(before) - CLOCK.to_seconds(now) >= GOES_BACK_SECONDS
