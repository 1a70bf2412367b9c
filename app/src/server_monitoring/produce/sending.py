"""Send a data set as one run: validated once, with its status lines and its summary."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from server_monitoring import __version__
from server_monitoring.broker.client import client_for
from server_monitoring.broker.failures import in_mid_run
from server_monitoring.broker.patience import Patience
from server_monitoring.errors import DatasetError, counted
from server_monitoring.host import notify
from server_monitoring.host.durable import write_json
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.progress import sent_text, waiting_text
from server_monitoring.host.runs import Run
from server_monitoring.host.summary import Timer, rates
from server_monitoring.model.timestamps import seconds_of
from server_monitoring.produce import checked, producer
from server_monitoring.produce.bad_rows import STOP, bad_rows_path, set_aside
from server_monitoring.produce.marker import only_producer
from server_monitoring.produce.pace import Pace
from server_monitoring.settings.config import Config
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import BadRow, Report, Row

# Free before another try on a full disk: all that is written but the bad rows is smaller.
NEEDED_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Options:
    """How a data set is sent.

    Attributes:
        on_bad_row: STOP before anything is sent, or SKIP bad rows and list them.
        rate: rows a second at most; None for no limit.
        realtime: whether each row is sent as long after the first one as their times say.

    """

    on_bad_row: str = STOP
    rate: float | None = None
    realtime: bool = False


def send(config: Config, run: Run, dataset: Dataset, options: Options) -> None:
    """Validate a data set, once a run, send what is not there yet, and write `produce.json`.

    Raises:
        DatasetError: no good row, or bad ones that are not to be skipped; nothing was sent. Or
            the file is not the one that an earlier start sent, or changed meanwhile.
        BrokerError, StorageError: see `producer`; UnreachableError and DiskFullError only once the
            broker has been away, or the disk full, for as long as the configuration allows.

    """
    sha256, size = dataset.sha256()
    known = checked.recall(run, dataset, sha256)
    report = known or _validated(dataset, options.on_bad_row)
    run.create()
    status = notify.Status()
    full_disk = FullDisk(
        [run.directory], config.full_disk_timeout, status.tell, needed=NEEDED_BYTES
    )

    def waiting(left: float, why: object) -> None:
        status.tell(waiting_text("the broker", left, why))

    patience = Patience(config.broker_timeout, waiting)
    with contextlib.ExitStack() as locks:
        full_disk.retry(lambda: locks.enter_context(only_producer(run)))
        full_disk.retry(lambda: set_aside(dataset, run, report))
        full_disk.retry(lambda: checked.note(run, dataset, sha256, report))
        marker, resumed = producer.start(
            config, run, sha256, dataset.path, full_disk=full_disk, patience=patience
        )
        if resumed and _summary_path(run).exists():
            notify.ready(f"run {run.run_id} was sent before, whole; nothing to do")
            return
        pace = Pace(options.rate, seconds_of if options.realtime else None)
        sending = producer.Sending(config, run, marker, pace, full_disk, patience, waiting)
        summary = {
            "run_id": run.run_id,
            "dataset": {
                "name": dataset.path.name,
                "sha256": sha256,
                "bytes": size,
                "lines": report.lines,
                "rows": report.rows,
                "empty_lines": report.empty,
            },
            "on_bad_row": options.on_bad_row,
            "bad_rows": report.bad_rows,
            "bad_rows_file": str(bad_rows_path(run)) if report.bad_rows else "",
            "missing": report.missing,
        } | _send_rows(sending, dataset, report, status, resumed=resumed)
        full_disk.retry(lambda: write_json(_summary_path(run), summary))


def _validated(dataset: Dataset, on_bad_row: str) -> Report:
    report = dataset.validate()
    if report.bad_rows and on_bad_row == STOP:
        raise report.refusal(dataset.path, "mend them or pass --on-bad-row=skip")
    if not report.rows:
        raise report.refusal(dataset.path, "mend the file")
    return report


def _summary_path(run: Run) -> Path:
    return run.directory / "produce.json"


def _send_rows(
    sending: producer.Sending,
    dataset: Dataset,
    report: Report,
    status: notify.Status,
    *,
    resumed: bool,
) -> dict[str, object]:
    """Send the good rows that are not in the topics; return the summary's part about that."""
    good = partial(_good, dataset, report)
    held = producer.find_sent(sending, good) if resumed else {}
    sending.pace.after = min(held.values(), default=0)
    again = ", going on where an earlier start was broken off" if resumed else ""
    notify.ready(f"sending {counted(report.rows, 'row')} of {dataset.path.name}{again}")
    config, timer = sending.config, Timer()
    show = _shown(status, report.rows, len(config.metrics()), timer)
    with in_mid_run():
        sent = producer.produce(sending, good(), held, show)
    now = {topic: rows - sent.found[topic] for topic, rows in sent.rows.items()}
    return {
        "rows": sent.rows,
        "sent_before": sent.found,
        "end_offsets": sent.end_offsets,
        **timer.span(),
        "messages_per_second": rates(now, timer.seconds()),
        "client": client_for(config.kafka_client).description(),
        "app_version": __version__,
    }


def _shown(
    status: notify.Status, total: int, metrics: int, timer: Timer
) -> Callable[[int, int], None]:
    """Return what `producer.produce` is to call with the rows and messages so far."""

    def show(rows: int, messages: int) -> None:
        if status.due() or rows == total:
            status.tell(sent_text(rows, total, metrics, messages, timer.seconds()))

    return show


def _good(dataset: Dataset, report: Report) -> Iterator[Row]:
    """Yield the good rows; stop if the file is not the one that was validated."""
    rows = bad = 0
    for row in dataset.read():
        if isinstance(row, Row):
            rows += 1
            yield row
        elif isinstance(row, BadRow):
            bad += 1
    if (rows, bad) != (report.rows, report.bad_rows):
        raise DatasetError(
            f"{dataset.path}: changed while it was sent: found {rows} good and {bad} bad "
            f"rows, expected {report.rows} and {report.bad_rows}; start a run with another id"
        )
