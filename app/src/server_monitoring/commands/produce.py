"""`server-monitoring produce`: send a data set to the topics."""

import argparse
import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

from server_monitoring import __version__
from server_monitoring.broker.client import client_for
from server_monitoring.broker.failures import in_mid_run
from server_monitoring.commands import common
from server_monitoring.errors import DatasetError
from server_monitoring.host import notify
from server_monitoring.host.durable import write_json
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.progress import sent_text
from server_monitoring.host.runs import Run, checked_run_id
from server_monitoring.host.summary import Timer, rates
from server_monitoring.produce import checked, producer
from server_monitoring.produce.bad_rows import set_aside
from server_monitoring.produce.marker import only_producer
from server_monitoring.produce.pace import Pace
from server_monitoring.settings.config import Config
from server_monitoring.sources.dataset import Dataset, Report, Row

HELP = "send a data set to the topics, one record per metric and row; started again, go on"
EXAMPLE = "server-monitoring produce --run-id 2024-05-01 --dataset metrics.csv"
STOP, SKIP = "stop", "skip"
# Free before another try on a full disk: all that is written but the bad rows is smaller.
NEEDED_BYTES = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    parser.add_argument(
        "--dataset",
        required=True,
        type=Path,
        metavar="FILE",
        help="file with ts, server_id and a column for each metric: CSV, plain or compressed "
        "(gzip, zstd), or Parquet",
    )
    parser.add_argument(
        "--on-bad-row",
        choices=(STOP, SKIP),
        default=STOP,
        help="stop before anything is sent (default), or leave bad rows out and list them in the "
        "run's bad-rows.csv",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help="send at most N rows a second (default: as fast as the broker takes them)",
    )
    parser.add_argument(
        "--realtime",
        action="store_true",
        help="send each row as long after the first one as their times say",
    )
    common.add_config(parser)
    common.add_credentials(parser)


def _rate(text: str) -> float | None:
    """Return rows a second; 0 is no limit, so that a setting can say so."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1
    if not 0 <= rate < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number, 0 for no limit")
    return rate or None


def run(args: argparse.Namespace) -> int:
    """Validate the data set, once a run, send what is not there yet, and write produce.json."""
    common.collect_rarely()
    config = common.load_config_to_connect(args)
    with common.open_dataset(args.dataset, config) as dataset:
        sha256, size = dataset.sha256()
        known = checked.recall(Run(config.data_dir, checked_run_id(args.run_id)), dataset, sha256)
        report = known or _validated(dataset, args)
        run_files = common.open_run(args, config)
        status = notify.Status()
        full_disk = FullDisk(
            [run_files.directory], config.full_disk_timeout, status.tell, needed=NEEDED_BYTES
        )
        with contextlib.ExitStack() as held:
            full_disk.retry(lambda: held.enter_context(only_producer(run_files)))
            full_disk.retry(lambda: set_aside(dataset, run_files, report))
            full_disk.retry(lambda: checked.note(run_files, dataset, sha256, report))
            pace = Pace(args.rate, dataset.form.to_seconds if args.realtime else None)
            sending = Sending(config, run_files, dataset, report, status, full_disk)
            summary = sending.run(sha256, pace)
            if summary is None:
                return 0
            about = {"name": args.dataset.name, "sha256": sha256, "bytes": size}
            head = {
                "run_id": args.run_id,
                "dataset": {**about, "rows": report.rows},
                "on_bad_row": args.on_bad_row,
                "bad_rows": report.bad_rows,
                "missing": report.missing,
            }
            path, content = _summary_path(run_files), head | summary
            full_disk.retry(lambda: write_json(path, content))
    return 0


def _validated(dataset: Dataset, args: argparse.Namespace) -> Report:
    report = dataset.validate()
    if report.bad_rows and args.on_bad_row == STOP:
        raise DatasetError(
            f"{args.dataset}: {report.bad_rows} bad rows, nothing was sent: {report.text()}; "
            "mend them or pass --on-bad-row=skip"
        )
    if not report.rows:
        raise DatasetError(f"{args.dataset}: no good row, nothing was sent: {report.text()}")
    return report


def _summary_path(run_files: Run) -> Path:
    return run_files.directory / "produce.json"


class Sending:
    """The rows of a data set on their way to the topics."""

    def __init__(
        self,
        config: Config,
        run_files: Run,
        dataset: Dataset,
        report: Report,
        status: notify.Status,
        full_disk: FullDisk,
    ) -> None:
        """Send the good rows of `dataset`, as `report` counts them."""
        self._config = config
        self._run = run_files
        self._dataset = dataset
        self._report = report
        self._status = status
        self._full_disk = full_disk
        self._timer = Timer()

    def run(self, sha256: str, pace: Pace) -> dict[str, object] | None:
        """Send rows not in the topics yet; return the summary, None if it is there already."""
        config, run_files, report = self._config, self._run, self._report
        name, path = self._dataset.path.name, self._dataset.path
        marker, resumed = producer.start(config, run_files, sha256, path, self._full_disk)
        if resumed and _summary_path(run_files).exists():
            notify.ready(f"run {run_files.run_id} was sent before, whole; nothing to do")
            return None
        held = producer.find_sent(config, run_files, marker, self._good) if resumed else {}
        pace.after = min(held.values(), default=0)
        again = ", going on where an earlier start was broken off" if resumed else ""
        notify.ready(f"sending {report.rows} rows of {name}{again}")
        self._timer = timer = Timer()
        with in_mid_run():
            sent = producer.produce(
                config, run_files, marker, self._good(), held, pace, self._show, self._full_disk
            )
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

    def _show(self, rows: int, messages: int) -> None:
        if self._status.due() or rows == self._report.rows:
            metrics, seconds = len(self._config.metrics()), self._timer.seconds()
            self._status.tell(sent_text(rows, self._report.rows, metrics, messages, seconds))

    def _good(self) -> Iterator[Row]:
        """Yield the good rows; stop if the file is not the one that was validated."""
        rows = bad = 0
        for row in self._dataset.read():
            if isinstance(row, Row):
                rows += 1
                yield row
            else:
                bad += 1
        if (rows, bad) != (self._report.rows, self._report.bad_rows):
            raise DatasetError(
                f"{self._dataset.path}: changed while it was sent: found {rows} good and {bad} bad "
                f"rows, expected {self._report.rows} and {self._report.bad_rows}; start a run with "
                "another id"
            )
