"""How much the units may touch, as systemd itself rates it: at most 1.5 (15 for the tool)."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import jinja2
import pytest

from tests.support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

ROLES = PROJECT / "roles"
THRESHOLD = "15"
UNITS = ["kafka/kafka", "pipeline/produce", "pipeline/consume", "pipeline/analyze"]


class Placeholder(jinja2.Undefined):
    """A number in place of each variable: none of those in these units counts for the rating."""

    def __str__(self) -> str:
        """Return what stands in the unit."""
        return "60"

    def __int__(self) -> int:  # type: ignore[override]
        """Return the same as a number."""
        return 60


@pytest.mark.parametrize("name", UNITS)
def test_unit_s_exposure_is_low(name: str, tmp_path: Path) -> None:
    """Each unit is rated below the threshold by the systemd of this machine."""
    role, unit = name.split("/")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLES / role / "templates"),
        undefined=Placeholder,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    file = tmp_path / f"{unit}.service"
    paths = {"pipeline_data_dir": "/var/lib/x", "kafka_data_dir": "/var/lib/x"}
    file.write_text(environment.get_template(f"{unit}.service.j2").render(paths), "utf-8")
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={THRESHOLD}",
        "--no-pager",
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
    assert "Overall exposure level" in done.stdout
