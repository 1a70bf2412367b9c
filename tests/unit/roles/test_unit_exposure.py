"""What the units may touch, as systemd itself rates it, and what they owe to no machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jinja2
import pytest
from server_monitoring.model import names

from tests.support.project import PROJECT

ROLES = PROJECT / "roles"
# 1.5 for the tool.
THRESHOLD = "15"
UNITS = sorted(str(path.relative_to(ROLES)) for path in ROLES.glob("*/templates/*.service.j2"))


class Placeholder(jinja2.Undefined):
    """A number in place of each variable: none of those in these units counts for the rating."""

    def __str__(self) -> str:
        """Return what stands in the unit."""
        return "60"

    def __int__(self) -> int:  # type: ignore[override]
        """Return the same as a number."""
        return 60


def render(name: str) -> str:
    """Return the unit of a template below roles/."""
    template = ROLES / name
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, PROJECT]),
        undefined=Placeholder,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    environment.filters["server_monitoring.cluster.pipeline_user_name"] = names.user
    environment.filters["bool"] = bool
    paths = {"pipeline_data_dir": "/var/lib/x", "kafka_data_dir": "/var/lib/x"}
    return environment.get_template(template.name).render(paths)


def test_all_units_are_found() -> None:
    """A new one is held to the same."""
    assert len(UNITS) >= len(("firewall", "kafka", "produce", "consume", "analyze", "agent"))


@pytest.mark.parametrize("name", UNITS)
def test_unit_s_exposure_is_low(name: str, tmp_path: Path) -> None:
    """Each unit is rated below the threshold by the systemd of this machine."""
    file = tmp_path / Path(name).name.removesuffix(".j2")
    file.write_text(render(name), "utf-8")
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


@pytest.mark.parametrize("name", UNITS)
def test_unit_owes_nothing_to_its_machine(name: str) -> None:
    """Language, zone and rights of new files are its own, and memory and threads have an end."""
    lines = render(name).splitlines()
    given = [line.partition("=")[2].split() for line in lines if line.startswith("Environment=")]
    variables = dict(pair.split("=", 1) for words in given for pair in words)
    assert {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}.items() <= variables.items()
    for directive in ("UMask", "MemoryMax", "TasksMax"):
        [line] = [line for line in lines if line.startswith(f"{directive}=")]
        assert line != f"{directive}="
