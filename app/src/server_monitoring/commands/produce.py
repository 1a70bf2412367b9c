"""`server-monitoring produce`: send a data set to the topics."""

import argparse

from server_monitoring.commands import common
from server_monitoring.host.runs import Run
from server_monitoring.produce.bad_rows import SKIP, STOP
from server_monitoring.produce.sending import Options, send

HELP = "send a data set to the topics, one record per metric and row; started again, go on"
EXAMPLE = "server-monitoring produce --run-id 2024-05-01 --dataset metrics.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    about = (
        "file with ts, server_id and a column for each metric: CSV, plain or compressed (gzip, "
        "zstd), or Parquet"
    )
    common.add_path(parser, "--dataset", about, required=True)
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
    return common.not_negative(text, "no limit") or None


def run(args: argparse.Namespace) -> int:
    """Validate the data set, once a run, send what is not there yet, and write produce.json."""
    common.collect_rarely()
    config = common.load_config_to_connect(args)
    options = Options(args.on_bad_row, args.rate, realtime=args.realtime)
    with common.open_dataset(args.dataset, config) as dataset:
        send(config, Run(config.data_dir, args.run_id), dataset, options)
    return 0
