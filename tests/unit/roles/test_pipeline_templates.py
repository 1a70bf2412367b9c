"""The pipeline's templates render with every variable defined, as closed units."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from app_settings import settings
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plugins import PROJECT

TEMPLATES = PROJECT / "roles" / "pipeline" / "templates"
UNITS = sorted(path.name for path in TEMPLATES.glob("*.service.j2"))


def render(name: str) -> str:
    """Render a template of the role as Ansible would, undefined variables refused."""
    environment = Environment(  # noqa: S701 -- units and YAML, not HTML
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["to_nice_yaml"] = lambda value, **_: yaml.safe_dump(value, sort_keys=False)
    variables: dict[str, Any] = {
        **yaml.safe_load((TEMPLATES.parent / "defaults" / "main.yml").read_text(encoding="utf-8")),
        "ansible_managed": "Ansible managed",
        "item": "cpu_mem",
        "_pipeline_config": settings(Path("/var/lib/server-monitoring")),
    }
    return environment.get_template(name).render(variables)


def directives(text: str) -> dict[str, list[str]]:
    """Return the [Service] directives of a unit with all their values."""
    _, _, service = text.replace("\\\n", " ").partition("[Service]")
    found: dict[str, list[str]] = {}
    for line in service.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value.strip())
    return found


def test_there_is_a_unit_for_each_part() -> None:
    """Producer, consumer and analysis."""
    assert UNITS == ["analyze.service.j2", "consume.service.j2", "produce.service.j2"]


@pytest.mark.parametrize("name", UNITS)
def test_unit_is_closed_in(name: str) -> None:
    """Each unit has its own user, no capability, and one place to write."""
    service = directives(render(name))
    assert service["User"] == ["server-monitoring"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["ReadWritePaths"] == ["/var/lib/server-monitoring"]
    assert service["NoNewPrivileges"] == ["true"]
    assert service["CapabilityBoundingSet"] == [""]


def test_spark_stays_on_loopback_without_a_ui() -> None:
    """Driver host, bind address and UI are set where the job is started."""
    [command] = directives(render("analyze.service.j2"))["ExecStart"]
    for setting in ("driver.host=127.0.0.1", "driver.bindAddress=127.0.0.1", "ui.enabled=false"):
        assert f"--conf spark.{setting}" in command


def test_a_job_is_one_command_as_systemd_reads_it() -> None:
    """Java, its options, Spark's, the app's: nothing is left between the last and the next line."""
    [command] = directives(render("analyze.service.j2"))["ExecStart"]
    words = shlex.split(command)
    assert words[:3] == ["/usr/bin/java", "-cp", "/opt/spark/jars/*"]
    assert "-XX:SharedArchiveFile=/opt/spark/classes.jsa" in words
    assert words[words.index("org.apache.spark.deploy.SparkSubmit") + 1 :][:2] == [
        "--master",
        "local[*]",
    ]
    app = "/opt/spark/server-monitoring.py analyze --run-id %i --group cpu_mem"
    assert words[-6:] == app.split()


@pytest.mark.parametrize("name", ["consume.service.j2", "produce.service.j2"])
def test_killed_process_is_restarted_but_not_one_that_gave_a_reason(name: str) -> None:
    """Systemd restarts after a signal; the app's own exit statuses end the unit."""
    service = directives(render(name))
    assert service["Restart"] == ["on-failure"]
    assert service["RestartPreventExitStatus"] == ["1 2 3 4 5 6 7"]


def test_producer_gets_the_runs_options_each_as_one_word() -> None:
    """Braces keep an empty value as a word; without them it is none."""
    [command] = directives(render("produce.service.j2"))["ExecStart"]
    assert command.endswith(" --on-bad-row ${ON_BAD_ROW} --rate ${RATE} $REALTIME")


def test_configuration_renders_as_it_stands() -> None:
    """What the app reads is exactly the mapping that was validated."""
    assert yaml.safe_load(render("config.yml.j2")) == settings(Path("/var/lib/server-monitoring"))
