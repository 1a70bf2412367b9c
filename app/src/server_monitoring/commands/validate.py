"""`server-monitoring validate`: check a configuration and, if named, a data set."""

import argparse
import json

from server_monitoring.commands import common
from server_monitoring.errors import DatasetError

HELP = "check a configuration and, if one is named, a data set"
EXAMPLE = "server-monitoring validate --dataset metrics.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    about = "file to check row by row: CSV, plain or compressed (gzip, zstd), or Parquet"
    common.add_path(parser, "--dataset", about)
    parser.add_argument(
        "--json", action="store_true", help="print what was found as JSON instead of a line"
    )
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Load the configuration, read the whole data set, and print what was found."""
    config = common.load_config(args)
    found: dict[str, object] = {"groups": sorted(config.groups)}
    line = f"configuration valid: groups {', '.join(config.groups)}"
    if args.dataset is not None:
        with common.open_dataset(args.dataset, config) as dataset:
            sha256, size = dataset.sha256()
            report = dataset.validate()
        found["dataset"] = {
            "name": args.dataset.name,
            "sha256": sha256,
            "bytes": size,
            "rows": report.rows,
            "missing": report.missing,
            "bad_rows": report.bad_rows,
            "problems": [problem._asdict() for problem in report.shown],
        }
        line += f"; {args.dataset}: {report.rows} good rows"
        if report.bad_rows:
            if args.json:
                print(json.dumps(found, indent=2))
            raise DatasetError(
                f"{args.dataset}: {report.bad_rows} bad rows: {report.text()}; mend them, or "
                "produce with --on-bad-row=skip"
            )
    print(json.dumps(found, indent=2) if args.json else line)
    return 0
