"""The import contracts of pyproject.toml hold, and find what breaks them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import PROJECT

SOURCE = PROJECT / "app" / "src"
FACES = sorted(path.parent.name for path in (SOURCE / "server_monitoring").glob("*/__init__.py"))


def lint(source: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package below `source`."""
    return subprocess.run(
        ["lint-imports", "--no-cache", "--config", str(PROJECT / "pyproject.toml")],
        check=False,
        capture_output=True,
        text=True,
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source), "COLUMNS": "200"},
    )


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("store/segment.py", "from server_monitoring.broker import client", "speak to no broker"),
        ("model/windows.py", "from server_monitoring.host import runs", "Data flows down"),
        ("model/windows.py", "import pathlib", "The words are pure"),
        ("produce/pace.py", "from pyspark.sql import Row", "Spark is known in analysis alone"),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """The source as it is breaks no contract; one import against the data's way breaks one."""
    shutil.copytree(SOURCE / "server_monitoring", tmp_path / "server_monitoring")
    assert lint(tmp_path).returncode == 0
    planted = tmp_path / "server_monitoring" / module
    planted.write_text(f"{planted.read_text()}\n{line}\n")
    broken = lint(tmp_path)
    assert broken.returncode != 0
    assert any(contract in row and "BROKEN" in row for row in broken.stdout.splitlines())


def test_few_files_stand_beside_the_packages() -> None:
    """The door, and the tree of errors."""
    files = {path.name for path in (SOURCE / "server_monitoring").glob("*.py")}
    assert files == {"__init__.py", "__main__.py", "cli.py", "errors.py"}


@pytest.mark.parametrize("package", FACES)
def test_each_package_says_what_it_is(package: str) -> None:
    """Its face is a docstring."""
    text = (SOURCE / "server_monitoring" / package / "__init__.py").read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert len(text.splitlines()) > 1
