"""`server-monitoring produce`: send a data set to the topics."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from server_monitoring import __version__, notify
from server_monitoring.commands import common
from server_monitoring.dataset import Dataset, Report, Row
from server_monitoring.durable import replace_file, storage_error, write_json
from server_monitoring.errors import DatasetError, StorageError
from server_monitoring.runs import Run
from server_monitoring.segment import csv_row
from server_monitoring.summary import Timer, rates

HELP = "send a data set to the topics, one record per metric and row"
EXAMPLE = "server-monitoring produce --run-id 2024-05-01 --dataset metrics.csv"
STOP, SKIP = "stop", "skip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    parser.add_argument(
        "--dataset",
        required=True,
        type=Path,
        metavar="FILE",
        help="CSV file with ts, server_id and a column for each metric",
    )
    parser.add_argument(
        "--on-bad-row",
        choices=(STOP, SKIP),
        default=STOP,
        help="stop before anything is sent (default), or leave bad rows out and list them in the "
        "run's bad-rows.csv",
    )
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Validate the whole data set, send it, and write produce.json."""
    # Kafka's client is not there in the analysis venv.
    from server_monitoring.producer import partition_counts, produce  # noqa: PLC0415

    common.collect_rarely()
    config = common.load_config(args)
    metrics = config.metrics()
    with Dataset(args.dataset, [m.column for m in metrics]) as dataset:
        sha256, size = dataset.sha256()
        report = dataset.validate()
        if report.bad_rows and args.on_bad_row == STOP:
            raise DatasetError(
                f"{args.dataset}: {report.bad_rows} bad rows, nothing was sent: {report.text()}; "
                "mend them or pass --on-bad-row=skip"
            )
        if not report.rows:
            raise DatasetError(f"{args.dataset}: no good row, nothing was sent: {report.text()}")
        run_files = common.open_run(args, config)
        _set_aside(dataset, run_files, report)
        partitions = partition_counts(config.bootstrap_servers, metrics)
        _begin(run_files)
        notify.ready(f"sending {report.rows} rows of {args.dataset.name}")
        timer = Timer()
        status = notify.Status()

        def progress(rows: int) -> None:
            if status.due() or rows == report.rows:
                status.tell(_line(rows, report.rows, len(metrics), timer.seconds()))

        sent = produce(config, args.run_id, _good(dataset, report), partitions, progress)
    about = {"name": args.dataset.name, "sha256": sha256, "bytes": size, "rows": report.rows}
    head = {"run_id": args.run_id, "dataset": about, "on_bad_row": args.on_bad_row}
    span = timer.span()
    summary = head | {
        "bad_rows": report.bad_rows,
        "rows": sent.rows,
        "end_offsets": sent.end_offsets,
        **span,
        "messages_per_second": rates(sent.rows, timer.seconds()),
        **_versions(),
    }
    write_json(run_files.directory / "produce.json", summary)
    return 0


def _versions() -> dict[str, str]:
    from server_monitoring.broker import CLIENT  # noqa: PLC0415 - as in run

    return {"client": CLIENT, "app_version": __version__}


def _line(rows: int, total: int, metrics: int, seconds: float) -> str:
    rate = rows * metrics / seconds if seconds > 0 else 0.0
    return f"sent {rows} of {total} rows ({rows * metrics} messages, {rate:.0f}/s)"


def _begin(run_files: Run) -> None:
    """Mark the run as sent from here on: sending twice would double its records."""
    marker = run_files.directory / "produce.started"
    try:
        marker.touch(exist_ok=False)
    except FileExistsError as error:
        raise StorageError(
            f"{marker}: run {run_files.run_id} was sent before, whole or in part, and sending it "
            "again would double its records; start a run with another id"
        ) from error
    except OSError as error:
        raise storage_error(marker, error) from error


def _good(dataset: Dataset, report: Report) -> Iterator[Row]:
    """Yield the good rows; stop if the file is not the one that was validated."""
    rows = bad = 0
    for row in dataset.read():
        if isinstance(row, Row):
            rows += 1
            yield row
        else:
            bad += 1
    if (rows, bad) != (report.rows, report.bad_rows):
        raise DatasetError(
            f"{dataset.path}: changed while it was sent: found {rows} good and {bad} bad rows, "
            f"expected {report.rows} and {report.bad_rows}; start a run with another id"
        )


def _set_aside(dataset: Dataset, run_files: Run, report: Report) -> None:
    """List the bad rows, with line and reason, in the run's bad-rows.csv."""
    if not report.bad_rows:
        return
    path = run_files.directory / "bad-rows.csv"

    def fill(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
            out.write(csv_row(["line", "reason", "row"]))
            for row in dataset.read():
                if not isinstance(row, Row):
                    reason = "; ".join(
                        str(problem).removeprefix(f"line {row.line}").lstrip(",: ")
                        for problem in row.problems
                    )
                    out.write(csv_row([row.line, reason, csv_row(row.fields).rstrip("\n")]))

    try:
        replace_file(path, fill)
    except OSError as error:
        raise storage_error(path, error) from error
