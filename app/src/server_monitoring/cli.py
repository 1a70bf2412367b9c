"""The command line: parse, run one command, report an error as one line."""

import argparse
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from server_monitoring import __version__
from server_monitoring.errors import ServerMonitoringError, UsageError, printable
from server_monitoring.model.names import ERROR_PREFIX

COMMANDS = (
    "produce",
    "consume",
    "detect",
    "analyze",
    "rehearse",
    "validate",
    "probe",
    "simulate",
    "collect",
    "report",
    "alerts",
    "agent",
    "books",
)
EXIT_STATUSES = (
    "exit status: 0 done, 2 usage, 3 configuration, 4 data set, 5 broker or topic, 6 storage, "
    "7 analysis, 8 broker does not answer, 9 results folder, 10 incidents found (alerts) or "
    "differences (books), 11 credentials changed during the run, 12 another detector took over"
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def command_module(name: str) -> Any:
    """Return one of COMMANDS; only then is it imported, as an agent has little memory to spare."""
    return importlib.import_module(f"server_monitoring.commands.{name}")


def build_parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the commands `names`."""
    parser = _Parser(
        prog="server-monitoring",
        description="Server metrics from a CSV file through Kafka to windowed alert tables.",
        epilog=EXIT_STATUSES,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        module = command_module(name)
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=f"{module.HELP[0].upper()}{module.HELP[1:]}.",
            epilog=f"example: {module.EXAMPLE}",
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    named = argv[:1] if argv and argv[0] in COMMANDS else COMMANDS
    try:
        args = build_parser(named).parse_args(argv)
        status: int = args.run(args)
    except ServerMonitoringError as error:
        # A message may quote a file: nothing of it may be an order to the terminal.
        for line in (*error.details, f"{ERROR_PREFIX}{error}"):
            print(printable(line), file=sys.stderr)
        return error.exit_status
    except ModuleNotFoundError as error:
        print(
            f"{ERROR_PREFIX}{error.name}: not installed in {sys.prefix}; run analyze "
            "from the analysis venv and everything else from the pipeline's",
            file=sys.stderr,
        )
        return ServerMonitoringError.exit_status
    except BrokenPipeError:
        # The reader of standard output went away; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
