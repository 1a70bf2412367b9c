"""The detection of one group's share: rows in; windows, alerts, states and offsets out.

Pure: no Kafka, and no clock of its own. What it says of windows depends on the rows of each
partition and their times of arrival alone, so that rows that are read again change nothing.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from server_monitoring.detect import state
from server_monitoring.detect.alerts import (
    Alert,
    Told,
    step,
    transition_record,
    window_record,
)
from server_monitoring.detect.rows import Row
from server_monitoring.detect.rules import Rules
from server_monitoring.detect.server import Server
from server_monitoring.detect.windows import METRICS, Window
from server_monitoring.model.live import (
    CLOCK_SECONDS,
    FIRING,
    NO_DATA,
    PENDING,
    PROGRESS,
    RESOLVED,
    state_key,
)
from server_monitoring.model.wire import partition_for

FUTURE, LATE, REFUSED = "future", "late", "refused"
# An agent that was broken into may make up names: memory for them ends here.
MOST_SERVERS = 20_000


class Out(NamedTuple):
    """A record to be written to a partition; a state record without a value is taken away."""

    partition: int
    key: bytes
    value: bytes | None


@dataclass
class Output:
    """What is to be written since this was asked before.

    Attributes:
        alerts: records of windows that alert, and of transitions, in their order.
        states: records of the state topic; the last one of a key counts.
        windows: every window that was closed, with its server and label.

    """

    alerts: list[Out] = field(default_factory=list)
    states: dict[bytes, Out] = field(default_factory=dict)
    windows: list[tuple[str, Window, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return whether anything is to be written."""
        return bool(self.alerts or self.states)


class Engine:
    """All servers of a detector's share.

    Attributes:
        servers: by id.
        seen: records that are no row of a server that is watched, by reason.

    """

    def __init__(self, rules: Rules) -> None:
        """Begin without any server."""
        self.servers: dict[str, Server] = {}
        self.seen: Counter[str] = Counter()
        self._rules = rules
        self._began: float | None = None
        self._listed = frozenset(rules.live.servers)
        self._over: list[tuple[Server, Alert]] = []
        self._output = Output()

    def restore(self, partition: int, server_id: str, label: str, value: bytes | None) -> None:
        """Take a state record that an earlier detector wrote; the last one of a key counts.

        Raises:
            ValueError: it is no state record.

        """
        if self._listed and server_id not in self._listed:
            self._retire(Server(self._rules, server_id, partition), label, value)
            return
        server = self._server(server_id, partition)
        if server is None:
            return
        if label != PROGRESS:
            alert = None if value is None else state.read_alert(self._rules, label, value)
            server.alerts.pop(label, None)
            if alert is not None:
                server.alerts[label] = alert
        elif value is None:
            del self.servers[server_id]
        else:
            server.restore(self._rules, state.read_progress(value))

    def begin(self, partitions: Collection[int], count: int, now: float) -> None:
        """Wait from `now` on for the servers that are listed and of these of `count` partitions.

        To be called once all states are restored: what fires of a server that is watched no more
        is over then, as nobody would end it later.
        """
        for server, alert in self._over:
            self._write_alert(
                server, transition_record(self._rules, server.server_id, alert, int(now))
            )
        self._over = []
        for server_id in self._rules.live.servers:
            partition = partition_for(server_id, count)
            if partition in partitions:
                self._server(server_id, partition)
        for server in self.servers.values():
            if not server.heard and NO_DATA not in server.alerts:
                server.heard = now

    def take(self, metric: int, partition: int, rows: Iterable[Row], known_to: int = 0) -> None:
        """Take rows of one of the group's two topics, in the order of their offsets.

        Rows before the offset `known_to` were read before: they are not counted again.
        """
        rules, touched = self._rules, {}
        for row in rows:
            server = self.servers.get(row.server_id) or self._server(row.server_id, partition)
            if server is None:
                self.seen[REFUSED] += 1
                continue
            touched[row.server_id] = server
            server.heard = max(server.heard, row.arrived)
            if row.second > row.arrived + rules.live.future_seconds:
                reason: str | None = FUTURE
            elif row.second < row.arrived - rules.late_seconds:
                reason = LATE
            else:
                reason = server.windows.add(metric, row.second, row.value, row.offset)
            if reason is not None and row.offset >= known_to:
                server.counts[reason] += 1
        for server in touched.values():
            self._close(server)
            if (alert := server.speaks()) is not None:
                self._tell(server, alert, int(server.heard))

    def due(self, now: float) -> bool:
        """Return whether `tick` has something to do."""
        return any(True for _ in self._silent(now)) or any(True for _ in self._waiting(now))

    def tick(self, now: float) -> None:
        """Say which servers are silent, and close windows for which no row is taken any more.

        To be called only once all rows that arrived before `now` were taken.
        """
        for server in list(self._silent(now)):
            self._tell(server, server.falls_silent(), int(now))
        for server in list(self._waiting(now)):
            self._close(server, self._expired(now))

    def needed(self) -> dict[tuple[int, int], int]:
        """Return the oldest offset that open windows need, by metric and partition."""
        found: dict[tuple[int, int], int] = {}
        for server in self.servers.values():
            for metric in METRICS:
                offset = server.windows.needed(metric)
                if offset is not None:
                    place = metric, server.partition
                    found[place] = min(offset, found.get(place, offset))
        return found

    def output(self) -> Output:
        """Return what is to be written, and forget it."""
        output, self._output = self._output, Output()
        return output

    def pending(self) -> bool:
        """Return whether there is something to be written."""
        return bool(self._output)

    def counted(self) -> Counter[str]:
        """Return how many rows were not taken, by reason."""
        return sum((server.counts for server in self.servers.values()), Counter(self.seen))

    def _server(self, server_id: str, partition: int) -> Server | None:
        found = self.servers.get(server_id)
        if found is None and len(self.servers) < MOST_SERVERS:
            found = self.servers[server_id] = Server(self._rules, server_id, partition)
        return found

    def _retire(self, server: Server, label: str, value: bytes | None) -> None:
        """Take away a state record of a server that is watched no more."""
        if value is None:
            return
        self._write(server, label, None)
        alert = None if label == PROGRESS else state.read_alert(self._rules, label, value)
        if alert is not None and alert.state == FIRING:
            alert.state = RESOLVED
            self._over.append((server, alert))

    def _silent(self, now: float) -> Iterator[Server]:
        """Yield the servers that are silent; a detector that starts gives them time to speak."""
        if self._began is None:
            self._began = now
        seconds = self._rules.live.silence_seconds
        if now - self._began > seconds:
            yield from (s for s in self.servers.values() if s.silent(now, seconds))

    def _expired(self, now: float) -> int:
        """Return the second before which no row is taken any more."""
        return int(now) - self._rules.late_seconds - CLOCK_SECONDS

    def _waiting(self, now: float) -> Iterator[Server]:
        expired = self._expired(now)
        for server in self.servers.values():
            end = server.windows.first_end()
            if end is not None and end <= expired:
                yield server

    def _close(self, server: Server, expired: int | None = None) -> None:
        windows, before = server.windows, server.windows.closed_to
        closed = windows.close() if expired is None else windows.expire(expired)
        for window in closed:
            self._judge(server, window)
        if windows.closed_to != before:
            self._write(server, PROGRESS, state.progress_value(server.progress()))

    def _judge(self, server: Server, window: Window) -> None:
        """Say what a closed window means for its server's alerts."""
        rules, at = self._rules, window.start + self._rules.windows.window
        label = rules.label(window.numbers, server.limits)
        self._output.windows.append((server.server_id, window, label))
        if label:
            self._write_alert(server, window_record(rules, server.server_id, window, label))
        changed, moved = step(server.alerts, window, label, rules)
        for alert in changed:
            self._write_state(server, alert, at)
        for alert in moved:
            self._write_alert(server, transition_record(rules, server.server_id, alert, at))

    def _tell(self, server: Server, alert: Alert, at: int) -> None:
        self._write_state(server, alert, at)
        self._write_alert(server, transition_record(self._rules, server.server_id, alert, at))

    def _write_alert(self, server: Server, record: Told) -> None:
        value = json.dumps(record, ensure_ascii=False).encode()
        self._output.alerts.append(Out(server.partition, server.server_id.encode(), value))

    def _write_state(self, server: Server, alert: Alert, at: int) -> None:
        over = alert.state == PENDING and alert.label not in server.alerts
        value = None if over else state.alert_value(self._rules, alert, at)
        self._write(server, alert.label, value)

    def _write(self, server: Server, label: str, value: bytes | None) -> None:
        key = state_key(self._rules.group.name, server.server_id, label)
        self._output.states[key] = Out(server.partition, key, value)
