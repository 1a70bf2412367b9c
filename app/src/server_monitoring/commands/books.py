"""`server-monitoring books`: hold a day's live alerts against its batch analysis."""

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from server_monitoring.commands import common
from server_monitoring.errors import UsageError
from server_monitoring.host.runs import Day, checked_day
from server_monitoring.model.groups import Group
from server_monitoring.model.live import CLOCK_SECONDS
from server_monitoring.model.windows import Windows
from server_monitoring.results.books import Books, close_day, line
from server_monitoring.settings.config import Config

HELP = (
    "compare a day's live alerts with its analyzed tables, and tell by an alert where they differ: "
    "exit status 0 if they are the same"
)
EXAMPLE = "server-monitoring books --day 2026-11-30"
# The exit status that says that there is something; errors have lower ones.
FOUND = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_day(parser, "close the books of this day, which was analyzed")
    parser.add_argument(
        "--group",
        metavar="GROUP",
        help="compare one metric group alone (default: all that this host consumes)",
    )
    about = "the live alerts as JSON lines, all of them this host's (default: those in the topic)"
    common.add_path(parser, "--alerts", about)
    common.add_config(parser)
    common.add_credentials(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, write books.json, print a line; return 0 if there is no difference, else FOUND."""
    config = common.load_config(args)
    day = Day.of(config.data_dir, checked_day(args.day))
    groups = [config.group(n) for n in ([args.group] if args.group else config.consumers)]
    if args.alerts is None:
        cluster = common.with_credentials(config.cluster, args.credentials)
        config = replace(config, cluster=cluster)
    windows = Windows(config.window_seconds, config.slide_seconds, None)

    def tell(books: Books) -> None:
        for group in groups if args.alerts is None else ():
            # Only here: books of a file need no client.
            from server_monitoring.consume.alert_log import tell_books  # noqa: PLC0415

            of = day.day.isoformat(), books.differing[group.name], books.differences.windows
            tell_books(config, group, *of)

    servers = config.live.servers if config.live else ()
    of_group = partial(_alerts, config, day, args)
    is_over = time.time() > _last_row(config, day)
    books = close_day(day, groups, windows, of_group, servers, tell, is_over=is_over)
    print(line(day.day, books))
    return FOUND if books.differences.count else 0


def _last_row(config: Config, day: Day) -> float:
    """Return when the last row that counts live for the day's windows may have come."""
    late = config.live.late_hours * 3600 if config.live else 0
    return day.seconds().stop + config.window_seconds + late + CLOCK_SECONDS


def _alerts(config: Config, day: Day, args: argparse.Namespace, group: Group) -> Iterable[str]:
    if args.alerts is None:
        from server_monitoring.consume.alert_log import read_alerts  # noqa: PLC0415 - clients

        return read_alerts(config, group, day.seconds().start)
    try:
        return filter(None, args.alerts.read_text(encoding="utf-8").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--alerts: {args.alerts}: {error}; give a file of JSON lines") from error
