"""What the subcommands share."""

import argparse
import gc
import math
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from server_monitoring.broker.cluster import (
    CREDENTIAL,
    SASL_SSL,
    Cluster,
    read_credentials,
)
from server_monitoring.errors import ConfigError
from server_monitoring.host.runs import Run, checked_run_id
from server_monitoring.settings.config import Config, load
from server_monitoring.settings.signing import SIGNING_KEYS

if TYPE_CHECKING:
    from server_monitoring.sources.dataset import Dataset

DEFAULT_CONFIG = Path("/etc/server-monitoring/config.yml")
DEFAULT_DATA_DIR = Path("/var/lib/server-monitoring")


def add_path(
    parser: argparse._ActionsContainer,
    name: str,
    about: str,
    *,
    metavar: str = "FILE",
    required: bool = False,
) -> None:
    """Add an option that names a file or a folder; `~` is a home, also where no shell says so."""
    parser.add_argument(name, type=_path, required=required, metavar=metavar, help=about)


def _path(text: str) -> Path:
    # Unlike Path.expanduser, this leaves the name of nobody's home as it is.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def add_config(parser: argparse._ActionsContainer) -> None:
    """Add `--config`."""
    about = (
        "the configuration (default: the run's own config.yml below the data directory if it has "
        f"one, else {DEFAULT_CONFIG})"
    )
    add_path(parser, "--config", about)


def add_run_id(parser: argparse._ActionsContainer, *, required: bool = True) -> None:
    """Add `--run-id`."""
    parser.add_argument(
        "--run-id",
        required=required,
        metavar="ID",
        help="names the run: 1 to 64 letters, digits, '.', '_' or '-'",
    )


def add_day(parser: argparse._ActionsContainer, about: str, *, required: bool = True) -> None:
    """Add `--day`."""
    about += ", in UTC: windows that start in it, with the first rows of the next day"
    parser.add_argument("--day", required=required, metavar="YYYY-MM-DD", help=about)


def add_group(parser: argparse.ArgumentParser) -> None:
    """Add `--group`."""
    parser.add_argument(
        "--group", required=True, metavar="GROUP", help="a metric group, such as cpu_mem"
    )


def add_run_dir(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add `RUN_DIR`."""
    parser.add_argument(
        "run_dir",
        type=Path,
        nargs=None if required else "?",
        metavar="RUN_DIR",
        help="results of a run, such as results/latest",
    )


def add_credentials(parser: argparse._ActionsContainer) -> None:
    """Add `--credentials`."""
    about = (
        'JSON {"username": ..., "password": ...} of mode 0600, where the configuration says '
        f"{SASL_SSL} (default: {CREDENTIAL} among those that systemd gives to the unit)"
    )
    add_path(parser, "--credentials", about)


def add_signing_keys(parser: argparse.ArgumentParser) -> None:
    """Add `--signing-keys`."""
    about = (
        'JSON {"SERVER": "64 hexadecimal digits", ...} of mode 0600, where live.signed is true '
        f"(default: {SIGNING_KEYS} among the credentials that systemd gives to the unit)"
    )
    add_path(parser, "--signing-keys", about)


def not_negative(text: str, zero: str) -> float:
    """Return an argument that is a number of at least 0, where 0 means `zero`."""
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number, 0 for {zero}")
    return number


def with_credentials(cluster: Cluster, path: Path | None) -> Cluster:
    """Return the cluster with the credentials in a file, where it needs any.

    Raises:
        ConfigError: see `cluster.read_credentials`.

    """
    if cluster.ca_file is None:
        return cluster
    return replace(cluster, credentials=read_credentials(path))


def load_config_to_connect(args: argparse.Namespace) -> Config:
    """Load the configuration, and the credentials that its brokers ask for."""
    config = load_config(args)
    return replace(config, cluster=with_credentials(config.cluster, args.credentials))


def load_config(args: argparse.Namespace) -> Config:
    """Load the configuration that the arguments name or imply."""
    run_id = getattr(args, "run_id", None)
    if run_id is not None:
        checked_run_id(run_id)
    path: Path = args.config or default_path(run_id)
    return load(path)


def is_provisioned() -> bool:
    """Return whether this host has a configuration, be it one that may not be read."""
    try:
        return DEFAULT_CONFIG.exists()
    except PermissionError:
        return True


def open_dataset(path: Path, config: Config) -> "Dataset":
    """Open a data set with the columns, the time form and the layout of the configuration.

    Raises:
        DatasetError: see `dataset.Dataset`.

    """
    # Only where there is one: an agent shares these arguments, and reads none.
    from server_monitoring.sources.dataset import Dataset  # noqa: PLC0415

    columns = [metric.column for metric in config.metrics()]
    return Dataset(path, columns, config.time_form(), config.layout)


def stop_on_signals() -> Callable[[], bool]:
    """Take SIGTERM and SIGINT as orders to end; return what tells whether one came."""
    came: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda found, _: came.append(found))
    return lambda: bool(came)


def collect_rarely() -> None:
    """Let Python look for reference cycles rarely: that is else a third of a record's cost.

    A record makes several short-lived objects and no lasting cycle, so memory stays as bounded
    as before (70 MB at a million records).
    """
    gc.set_threshold(100_000, 50, 50)


def open_run(args: argparse.Namespace, config: Config) -> Run:
    """Return the run that the arguments name; its directory exists."""
    run = Run(config.data_dir, checked_run_id(args.run_id))
    run.create()
    return run


def default_path(run_id: str | None) -> Path:
    """Return the run's own copy of the configuration if it has one, else the host's."""
    if run_id is None:
        return DEFAULT_CONFIG
    try:
        data_dir = load(DEFAULT_CONFIG).data_dir if DEFAULT_CONFIG.exists() else DEFAULT_DATA_DIR
        own = Run(data_dir, run_id).directory / "config.yml"
        return own if own.exists() else DEFAULT_CONFIG
    except PermissionError as error:
        raise ConfigError(
            f"{error.filename}: {error.strerror}; run this as root or server-monitoring, "
            "or name a file with --config"
        ) from error
