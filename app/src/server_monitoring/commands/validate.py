"""`server-monitoring validate`: check a configuration and, if named, a data set.

It runs where the data set is: Python's own library and PyYAML are enough for plain and gzip CSV.
"""

import argparse
import json

from server_monitoring.commands import common
from server_monitoring.errors import printable
from server_monitoring.model.groups import DEFAULT_COLUMNS
from server_monitoring.produce.bad_rows import SKIP, STOP
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import Report

HELP = "check a configuration and, if one is named, a data set"
EXAMPLE = "server-monitoring validate --dataset metrics.csv"
SKIP_ADVICE = (
    "mend the file, or leave bad rows out: pipeline_on_bad_row=skip, or produce --on-bad-row=skip"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    about = "file to check row by row: CSV, plain or compressed (gzip, zstd), or Parquet"
    common.add_path(parser, "--dataset", about)
    parser.add_argument(
        "--on-bad-row",
        choices=(STOP, SKIP),
        default=STOP,
        help="fail at bad rows (default), or only if there is no good one",
    )
    parser.add_argument(
        "--json", action="store_true", help="print what was found as JSON instead of a line"
    )
    about = (
        f"the configuration (default: {common.DEFAULT_CONFIG}; where there is none, a data set is "
        "read by the pipeline's defaults)"
    )
    common.add_path(parser, "--config", about)


def run(args: argparse.Namespace) -> int:
    """Load the configuration, read the whole data set, and print what was found."""
    found: dict[str, object] = {}
    said = []
    config = None
    if args.dataset is None or args.config or common.is_provisioned():
        config = common.load_config(args)
        found["groups"] = sorted(config.groups)
        said.append(f"configuration valid: groups {', '.join(config.groups)}")
    if args.dataset is None:
        print(json.dumps(found, indent=2) if args.json else said[0])
        return 0
    with (
        common.open_dataset(args.dataset, config)
        if config
        else Dataset(args.dataset, DEFAULT_COLUMNS, None)
    ) as dataset:
        sha256, size = dataset.sha256()
        report = dataset.validate()
    found["dataset"] = {"name": args.dataset.name, "sha256": sha256, "bytes": size, **_json(report)}
    said.append(f"{args.dataset}: {report.text()}")
    refused = not report.rows or (report.bad_rows > 0 and args.on_bad_row == STOP)
    if args.json:
        print(json.dumps(found, indent=2))
    elif not refused:
        print(printable("; ".join(said)))
    if refused:
        raise report.refusal(args.dataset, SKIP_ADVICE if report.rows else "mend the file")
    return 0


def _json(report: Report) -> dict[str, object]:
    return {
        "lines": report.lines,
        "rows": report.rows,
        "empty_lines": report.empty,
        "missing": report.missing,
        "bad_rows": report.bad_rows,
        "problems": [problem._asdict() for problem in report.shown],
    }
