"""The agent: one thread samples and writes to the spool, another sends what is there."""

import sys
from collections.abc import Callable
from contextlib import closing

from server_monitoring.agent.config import AgentConfig
from server_monitoring.agent.counters import CountersFile
from server_monitoring.agent.row import Row, utc_text
from server_monitoring.agent.schedule import Schedule
from server_monitoring.agent.sender import Sender
from server_monitoring.agent.spool import Spool
from server_monitoring.errors import one_line, printable
from server_monitoring.host import notify
from server_monitoring.sources.host_sample import FileSource, HostSource, PsutilSource

STATUS_SECONDS = 10.0
STOP_SECONDS = 5.0
"""What is left at the end is sent for so long; the rest waits in the spool for the next start."""


def log(line: str) -> None:
    """Write a line to standard error: systemd's journal."""
    print(printable(line), file=sys.stderr, flush=True)


def run(config: AgentConfig, key: bytes | None, wait: Callable[[float], bool]) -> None:
    """Sample and send until `wait`, which waits so many seconds, says to stop.

    Raises:
        StorageError: the data directory cannot be used.
        CredentialsError: the brokers no longer take the password; a new start may have a new one.

    """
    file = CountersFile(config.data_dir / "counters.json", log)
    with closing(Spool(config.data_dir, config.spool_bytes, file.counters, log)) as spool:
        sender = Sender(config, spool, key, log)

        def stopping(seconds: float) -> bool:
            if sender.failure is not None:
                raise sender.failure
            return wait(seconds)

        schedule = Schedule(config.interval, spool.last_second, stopping, log)
        sampler = Sampler(config, spool, file, sender)
        file.save()
        sender.start()
        notify.ready(f"sampling each {config.interval} s")
        try:
            while (due := schedule.next()) is not None:
                sampler.sample(due.second, due.missed)
        finally:
            sender.stop(STOP_SECONDS)
            file.save()
    notify.status(f"stopped; {spool.waiting} rows wait for the next start")


def source_of(config: AgentConfig) -> HostSource:
    """Return where the numbers come from."""
    if config.source_file is not None:
        return FileSource(config.source_file)
    return PsutilSource(log, config.nics, config.disks)


class Sampler:
    """Takes the samples."""

    def __init__(
        self, config: AgentConfig, spool: Spool, file: CountersFile, sender: Sender
    ) -> None:
        """Sample into `spool`, and count in `file`."""
        self._server_id = config.server_id
        self._source = source_of(config)
        self._spool = spool
        self._file = file
        self._sender = sender
        self._status = notify.Status(STATUS_SECONDS)
        self._trouble = ""

    def sample(self, second: int, missed: int) -> None:
        """Take the sample of a second, after so many were missed, and tell from time to time."""
        counters = self._file.counters
        counters.missed += missed
        dropped, trouble = counters.dropped, ""
        try:
            values = self._source.sample()
        except (OSError, ValueError) as error:
            counters.unreadable += 1
            trouble = one_line(error)
        else:
            self._spool.append(Row(second, self._server_id, values))
        if trouble != self._trouble:
            log(f"no sample: {trouble}" if trouble else "samples again")
            self._trouble = trouble
        due = self._status.due()
        if due:
            self._status.tell(self._line(second))
        if due or counters.dropped != dropped:
            self._file.save()

    def _line(self, second: int) -> str:
        spool = self._spool
        return (
            f"{self._sender.state}; sampled {utc_text(second)}; {spool.waiting} rows wait "
            f"({spool.size} bytes); {self._file.counters}"
        )
