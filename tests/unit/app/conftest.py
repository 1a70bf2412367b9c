"""Fixtures of the app's unit tests: no network, settings as files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from pytest_socket import disable_socket, enable_socket
from server_monitoring.cli import main

from tests.support.app_settings import settings, write_settings
from tests.unit.app.app_command import App, Said

# How long an example takes says how busy the machine is.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no unit test reach beyond this machine's own file system."""
    disable_socket(allow_unix_socket=True)
    # It asks the broker why no answer came; here there is none.
    monkeypatch.setattr("server_monitoring.broker.failures.connection_error", lambda _: None)
    yield
    enable_socket()


@pytest.fixture
def values(tmp_path: Path) -> dict[str, Any]:
    """Return valid settings to be changed by a test."""
    return settings(tmp_path / "data")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[object], Path]:
    """Return a function that writes settings to a file."""
    return lambda content: write_settings(tmp_path / "config.yml", content)


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Return a function that writes a data set to a file."""

    def write_file(content: str | bytes) -> Path:
        path = tmp_path / "metrics.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def app(
    values: dict[str, Any],
    write: Callable[[object], Path],
    write_csv: Callable[[str | bytes], Path],
    capsys: pytest.CaptureFixture[str],
) -> App:
    """Return a function that runs a command with the test's settings, and a data set if given."""

    def run(*argv: str, dataset: str | None = None) -> Said:
        data = [] if dataset is None else ["--dataset", str(write_csv(dataset))]
        status = main([*argv, *data, "--config", str(write(values))])
        return Said(status, *capsys.readouterr())

    return run
