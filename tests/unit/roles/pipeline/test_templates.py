"""The pipeline's templates render with every variable defined, as closed units."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from server_monitoring.model import names

from tests.support.app_settings import settings
from tests.support.project import PROJECT

TEMPLATES = PROJECT / "roles" / "pipeline" / "templates"
UNITS = sorted(path.name for path in TEMPLATES.glob("*.service.j2"))


def render(name: str, **given: object) -> str:
    """Render a template of the role as Ansible would, undefined variables refused."""
    environment = Environment(  # noqa: S701 -- units and YAML, not HTML
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["server_monitoring.cluster.pipeline_user_name"] = names.user
    environment.filters["to_nice_yaml"] = lambda value, **_: yaml.safe_dump(value, sort_keys=False)
    variables: dict[str, Any] = {
        **yaml.safe_load((TEMPLATES.parent / "defaults" / "main.yml").read_text(encoding="utf-8")),
        "ansible_managed": "Ansible managed",
        "item": "cpu_mem",
        "_pipeline_is_restricted": True,
        "kafka_access_credentials_dir": "/etc/server-monitoring/credentials",
        "_kafka_cluster_addresses": ["172.29.0.1", "172.29.0.2"],
        "_pipeline_config": settings(Path("/var/lib/server-monitoring")),
        **given,
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


USERS = {"produce": "sm-produce", "consume": "sm-consume-cpu_mem", "analyze": "sm-analyze-cpu_mem"}


@pytest.mark.parametrize("name", USERS)
def test_unit_is_closed_in(name: str) -> None:
    """Each unit has a user that no other has, no capability, and its run's folder to write in."""
    service = directives(render(f"{name}.service.j2"))
    assert service["User"] == [USERS[name]]
    assert service["ProtectSystem"] == ["strict"]
    own = "-/var/lib/server-monitoring/runs/%i"
    spark = " /var/lib/server-monitoring/spark" if name == "analyze" else ""
    assert service["ReadWritePaths"] == [own + spark]
    assert service["NoNewPrivileges"] == ["true"]
    assert service["CapabilityBoundingSet"] == [""]


@pytest.mark.parametrize("name", UNITS)
def test_what_systemd_reads_is_where_no_service_writes(name: str) -> None:
    """A pipe in the place of such a file would stop systemd itself."""
    service = directives(render(name))
    read = service.get("EnvironmentFile", [])
    assert {path.removeprefix("-").rpartition("/")[0] for path in read} <= {
        "/var/lib/server-monitoring/units/%i"
    }
    assert not any("units" in path for path in service["ReadWritePaths"])


@pytest.mark.parametrize("is_rehearsal", [False, True])
def test_what_a_play_tries_has_the_units_sandbox_and_a_user_of_its_own(
    *, is_rehearsal: bool
) -> None:
    """Else a unit of the same user would reach through it to what its own sandbox keeps away."""
    text = "[Service]\n" + render("check.j2", is_rehearsal=is_rehearsal)
    check, unit = directives(text), directives(render("consume.service.j2"))
    assert check["User"] == ["sm-check"]
    sandbox = directives("[Service]\n" + render("sandbox.j2", user="x", writable="y"))
    own = {"User", "ReadWritePaths", "MemoryMax", "TasksMax", "Environment"}
    for name in set(sandbox) - own:
        assert check[name] == sandbox[name] == unit[name], name
    writable = "/var/lib/server-monitoring/spark" if is_rehearsal else ""
    assert check["ReadWritePaths"] == [writable]
    assert ("PrivateNetwork" in check) == is_rehearsal
    assert ("IPAddressDeny" in check) != is_rehearsal


@pytest.mark.parametrize(
    ("name", "account"), [("produce", "producer"), ("consume", "consumer_cpu_mem")]
)
def test_unit_logs_in_as_its_account_and_talks_to_brokers_alone(name: str, account: str) -> None:
    """Systemd gives it the credentials of one account; packets of others are dropped."""
    service = directives(render(f"{name}.service.j2"))
    file = f"kafka.json:/etc/server-monitoring/credentials/{account}.json"
    assert service["LoadCredential"] == [file]
    assert service["IPAddressDeny"] == ["any"]
    assert service["IPAddressAllow"] == ["172.29.0.1 172.29.0.2"]


def test_spark_has_no_network_and_its_parts_prove_who_they_are() -> None:
    """No credentials either; RPC is authenticated and encrypted."""
    service = directives(render("analyze.service.j2"))
    assert service["PrivateNetwork"] == ["true"]
    assert "LoadCredential" not in service
    [command] = service["ExecStart"]
    for setting in ("authenticate=true", "network.crypto.enabled=true"):
        assert f"--conf spark.{setting}" in command


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
    app = "/opt/spark/server-monitoring.py analyze --run-id %i --wait ${WAIT} --group cpu_mem"
    assert words[-8:] == app.split()


@pytest.mark.parametrize("name", ["consume.service.j2", "produce.service.j2"])
def test_killed_process_is_restarted_but_not_one_that_gave_a_reason(name: str) -> None:
    """Systemd restarts after a signal, ten times; the app's own exit statuses end the unit."""
    unit, service = render(name).partition("[Service]")[0], directives(render(name))
    assert "StartLimitIntervalSec=120\nStartLimitBurst=10\n" in unit
    assert service["Restart"] == ["on-failure"]
    assert service["RestartPreventExitStatus"] == ["1 2 3 4 5 6 7 8"]
    assert service["TimeoutStartSec"] == ["infinity"]


def test_producer_gets_the_runs_options_each_as_one_word() -> None:
    """Braces keep an empty value as a word; without them it is none."""
    [command] = directives(render("produce.service.j2"))["ExecStart"]
    assert command.endswith(" --on-bad-row ${ON_BAD_ROW} --rate ${RATE} $REALTIME")


def test_configuration_renders_as_it_stands() -> None:
    """What the app reads is exactly the mapping that was validated."""
    assert yaml.safe_load(render("config.yml.j2")) == settings(Path("/var/lib/server-monitoring"))
