"""Live mode's units as systemd reads them: always at work or closing a day, and closed in."""

import subprocess
from pathlib import Path

import jinja2
import pytest
import yaml
from server_monitoring.model import names

from tests.support.project import PROJECT

ROLES = PROJECT / "roles"
TEMPLATES = ROLES / "live" / "templates"
PIPELINE = ROLES / "pipeline" / "templates"
LIVE = "/var/lib/server-monitoring/live"
CREDENTIALS = "/etc/server-monitoring/credentials"


def render(name: str, changes: dict[str, object]) -> str:
    """Return a template of the role for the group cpu_mem."""
    defaults = [ROLES / role / "defaults" / "main.yml" for role in ("pipeline", "live")]
    values = {
        **{k: v for path in defaults for k, v in yaml.safe_load(path.read_text()).items()},
        "ansible_managed": "Ansible managed",
        "item": "cpu_mem",
        "kafka_access_enabled": True,
        "kafka_access_credentials_dir": CREDENTIALS,
        "agent_signed": False,
        "pipeline_spark_memory_max": "3G",
        "live_late_hours": 2,
        "live_keep_days": 30,
        "_kafka_cluster_addresses": ["172.29.0.1", "172.29.0.2"],
        "_kafka_cluster_live_mark": "/etc/server-monitoring/live.stopped",
        "_live_close_program": "/usr/local/sbin/server-monitoring-close",
        "_live_analysis_units": ["sm-analyze-cpu_mem@.service", "sm-analyze-net_disk@.service"],
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, PIPELINE, PROJECT]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    environment.filters["bool"] = bool
    environment.filters["server_monitoring.cluster.pipeline_user_name"] = names.user
    return environment.get_template(name).render(values | changes)


def directives(name: str, **changes: object) -> dict[str, list[str]]:
    """Return the directives of a unit with all their values."""
    found: dict[str, list[str]] = {}
    for line in render(name, changes).replace("\\\n", " ").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


SERVICES = {
    "live-consume.service.j2": ("consume --live", "sm-live-cpu_mem", "consumer_cpu_mem"),
    "detect.service.j2": ("detect", "sm-detect-cpu_mem", "detect_cpu_mem"),
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_always_at_work(name: str) -> None:
    """Whatever it ended with, and however often, also after a boot; but where it is stopped."""
    found = directives(name)
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["WantedBy"] == ["multi-user.target"]
    assert found["ConditionPathExists"] == ["!/etc/server-monitoring/live.stopped"]
    assert not {"RestartPreventExitStatus", "SuccessExitStatus"} & found.keys()


@pytest.mark.parametrize(("name", "of"), SERVICES.items())
@pytest.mark.parametrize("is_signed", [False, True])
def test_a_service_has_an_account_and_a_user_of_its_own(
    name: str, of: tuple[str, str, str], *, is_signed: bool
) -> None:
    """It reaches brokers alone, and has the keys of all servers only where these sign."""
    found = directives(name, agent_signed=is_signed)
    command, user, account = of
    program = "/opt/server-monitoring/bin/server-monitoring"
    assert found["ExecStart"] == [f"{program} {command} --group cpu_mem"]
    assert (found["User"], found["ReadWritePaths"]) == ([user], [LIVE])
    keys = [f"signing.json:{CREDENTIALS}/signing.json"] if is_signed else []
    assert found["LoadCredential"] == [f"kafka.json:{CREDENTIALS}/{account}.json", *keys]
    assert found["IPAddressDeny"] == ["any"]
    assert found["IPAddressAllow"] == ["172.29.0.1 172.29.0.2"]
    assert "LoadCredential" not in directives(name, kafka_access_enabled=False)


def test_a_day_is_analyzed_as_a_run_is() -> None:
    """By the same command under the same limits, which its archive of classes holds for."""
    found = directives("analyze-day.service.j2")
    [command] = found["ExecStart"]
    batch = directives("analyze.service.j2")
    words, of_run = command.split(), batch["ExecStart"][0].split()
    at = of_run.index("analyze")
    assert words[:at] == of_run[:at]
    assert words[at:] == ["analyze", "--day", "%i", "--group", "cpu_mem"]
    for same in ("User", "MemoryMax", "TasksMax", "PrivateNetwork"):
        assert found[same] == batch[same]
    assert found["ReadWritePaths"] == [f"{LIVE} /var/lib/server-monitoring/spark"]
    assert "LoadCredential" not in found


def test_books_come_after_all_analyses_of_the_day() -> None:
    """A difference is no failure of the unit; an analysis that failed is."""
    found = directives("books.service.j2")
    units = "sm-analyze-cpu_mem@%i.service sm-analyze-net_disk@%i.service"
    assert found["Requires"] == found["After"] == [units]
    assert found["Type"] == ["oneshot"]
    assert found["SuccessExitStatus"] == ["10"]
    assert found["User"] == ["sm-books"]
    assert found["LoadCredential"] == [f"kafka.json:{CREDENTIALS}/books.json"]


def test_days_are_closed_by_the_clock_also_after_a_time_off() -> None:
    """By a program that may remove what others own in the folder of days, and nothing else."""
    timer = directives("server-monitoring-close.timer.j2", live_close_at="03:15")
    assert timer["OnCalendar"] == ["*-*-* 03:15:00 UTC"]
    assert timer["Persistent"] == ["true"]
    assert timer["ConditionPathExists"] == ["!/etc/server-monitoring/live.stopped"]
    found = directives("server-monitoring-close.service.j2")
    assert found["ExecStart"] == [f"/usr/local/sbin/server-monitoring-close {LIVE} 2 30"]
    assert found["CapabilityBoundingSet"] == ["", "CAP_DAC_OVERRIDE CAP_FOWNER"]
    assert found["ReadWritePaths"] == [LIVE]


def test_systemd_takes_the_units_as_they_are(tmp_path: Path) -> None:
    """Every line is known to it; the programs are not on this machine."""
    units = {
        "server-monitoring-live-consume-cpu_mem.service": "live-consume.service.j2",
        "server-monitoring-detect-cpu_mem.service": "detect.service.j2",
        "sm-analyze-cpu_mem@.service": "analyze-day.service.j2",
        "sm-books@.service": "books.service.j2",
        "server-monitoring-close.service": "server-monitoring-close.service.j2",
        "server-monitoring-close.timer": "server-monitoring-close.timer.j2",
    }
    for name, template in units.items():
        text = render(template, {"_live_analysis_units": ["sm-analyze-cpu_mem@.service"]})
        for program in ("/opt/server-monitoring/bin/server-monitoring", "/usr/bin/java"):
            text = text.replace(f"ExecStart={program} ", "ExecStart=/bin/true ")
        text = text.replace("ExecStart=/usr/local/sbin/", "ExecStart=/bin/true ")
        (tmp_path / name).write_text(text, encoding="utf-8")
    names_ = [str(tmp_path / name.replace("@.", "@2026-11-30.")) for name in units]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names_],
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert ours == []
