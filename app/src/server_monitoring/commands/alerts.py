"""`server-monitoring alerts`: print a run's incidents, or follow the live alerts."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from server_monitoring.commands import common
from server_monitoring.errors import UsageError, printable, printable_lines
from server_monitoring.model import timestamps
from server_monitoring.model.csv_text import table_row
from server_monitoring.model.live import read_positions
from server_monitoring.remote.following import Following
from server_monitoring.remote.node import find_node
from server_monitoring.report import export
from server_monitoring.report.live_lines import live_line
from server_monitoring.report.terminal import change_lines, incident_lines
from server_monitoring.results.changes import Change, check_comparable, compare
from server_monitoring.results.folder import Results, read_results

HELP = (
    "print a run's incidents: exit status 0 if there are none, 10 if there are some; or follow the "
    "live alerts"
)
EXAMPLE = "server-monitoring alerts results/latest --format csv"
# The exit status that says that there is something; errors have lower ones.
FOUND = 10
TABLE, JSON, CSV = "table", "json", "csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_dir(parser, required=False)
    parser.add_argument(
        "--format",
        choices=(TABLE, JSON, CSV),
        default=TABLE,
        help="how to print them: a table for people (default), or what a program reads",
    )
    about = (
        "results of another run: print only new, gone and changed incidents; exit status 0 if "
        "there are none"
    )
    common.add_path(parser, "--against", about, metavar="OTHER")
    _add_live(parser)


def _add_live(parser: argparse.ArgumentParser) -> None:
    live = parser.add_argument_group("live alerts")
    about = "follow what fires and is resolved, from the control machine through ssh, until Ctrl-C"
    live.add_argument("--live", action="store_true", help=about)
    about = "with --live: alerts since this time in ISO 8601, such as 2026-11-30T12:00:00Z"
    live.add_argument("--since", type=_iso, metavar="TIME", help=about)
    about = "with --live: where Ansible's inventory is (default: where Ansible looks)"
    common.add_path(live, "--inventory", about, metavar="DIR")
    about = "with --live: the node to read on (default: the first that consumes a metric group)"
    live.add_argument("--node", metavar="HOST", help=about)
    about = "with --live, on a node: read the topic itself, and print each record as a JSON line"
    live.add_argument("--json", action="store_true", help=about)
    about = "with --live and --json: print servers, what fires, and how far detectors are; and end"
    live.add_argument("--status", action="store_true", help=about)
    live.add_argument("--from", dest="places", type=_positions, help=argparse.SUPPRESS)
    common.add_config(live)
    common.add_credentials(live)


def run(args: argparse.Namespace) -> int:
    """Print incidents or changes; return 0 if there are none, else FOUND. Or follow live ones."""
    if not args.live:
        _check_no_live(args)
        return _of_run(args)
    if args.run_dir is not None or args.against is not None or args.format != TABLE:
        raise UsageError("--live: found RUN_DIR, --against or --format too; they are of a run")
    if args.json:
        return _read(args)
    if args.status:
        raise UsageError("--status: found no --json; give both, on a node")
    return _follow(args)


def _check_no_live(args: argparse.Namespace) -> None:
    for name in ("since", "inventory", "node", "json", "status", "places"):
        if getattr(args, name):
            raise UsageError(f"--{name}: found no --live; it is of live alerts")
    if args.run_dir is None:
        raise UsageError(
            "RUN_DIR: missing; name a run's results, or follow the live alerts: --live"
        )


def _iso(text: str) -> str:
    if timestamps.form_of(text) is not timestamps.ISO:
        message = f"found {text!r}, expected a time in ISO 8601, such as 2026-11-30T12:00:00Z"
        raise argparse.ArgumentTypeError(message)
    return text


def _positions(text: str) -> dict[int, int]:
    try:
        return read_positions(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _read(args: argparse.Namespace) -> int:
    """Read on this host, and print what programs read."""
    # Only here: the control machine has no client.
    from server_monitoring.detect.following import follow  # noqa: PLC0415
    from server_monitoring.detect.status import status  # noqa: PLC0415

    stopped = common.stop_on_signals()
    config = common.load_config_to_connect(args)
    if args.status:
        print(json.dumps(status(config), ensure_ascii=False))
        return 0
    since = None if args.since is None else timestamps.ISO.to_seconds(args.since)
    follow(config, since, args.places or {}, lambda line: print(line, flush=True), stopped)
    return 0


def _follow(args: argparse.Namespace) -> int:
    """Read on a node, and print what people read, until Ctrl-C."""
    try:
        node = find_node(args.inventory, args.node)
        following = Following(node, args.since, _tell)
        colour = sys.stdout.isatty()
        for told in following.records():
            line = live_line(told, following.units, colour=colour)
            if line is not None:
                print(line, flush=True)
    except KeyboardInterrupt:
        pass
    return 0


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)


def _of_run(args: argparse.Namespace) -> int:
    results = read_results(args.run_dir, keep_series=False)
    if args.against is None:
        incidents = results.incidents()
        lines = _incidents(results, args.format)
        found = bool(incidents)
    else:
        other = read_results(args.against, keep_series=False)
        check_comparable(results.manifest, other.manifest)
        changes = compare(results.incidents(), other.incidents())
        lines = _changes(results, other, changes, args.format)
        found = bool(changes)
    # A program gets the texts as they are.
    show = printable_lines if sys.stdout.isatty() else str
    for line in lines:
        print(show(line), end="")
    return FOUND if found else 0


def _incidents(results: Results, form: str) -> Iterator[str]:
    manifest = results.manifest
    if form == CSV:
        yield from export.csv_lines(results.incidents(), manifest)
    elif form == JSON:
        yield _json(export.document(results.incidents(), manifest))
    else:
        yield from incident_lines(results.worst_first(), manifest)


def _changes(results: Results, other: Results, changes: list[Change], form: str) -> Iterator[str]:
    manifest = results.manifest
    if form == CSV:
        yield table_row(export.CHANGE_COLUMNS)
        for change in changes:
            fields = export.change_row(change, manifest)
            yield export.csv_line(fields, export.CHANGE_COLUMNS)
    elif form == JSON:
        yield _json(
            {
                "run_id": manifest.run_id,
                "against": other.manifest.run_id,
                "changes": [export.change_json(change, manifest) for change in changes],
            }
        )
    else:
        yield from change_lines(changes, manifest, other.manifest)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
