"""What the action makes of a systemd unit's properties and journal, and when it starts one."""

from pathlib import Path

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.module_utils.pipeline import systemd

from tests.unit.plugins.pipeline.progress_plays import BROKEN, CONSUMER, ENDED, play, write_site


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ({"ActiveState": "inactive", "Result": "success", "Job": "12"}, "starting"),
        ({"ActiveState": "activating", "Result": "success"}, "starting"),
        ({"ActiveState": "activating", "SubState": "auto-restart", "Result": "signal"}, "starting"),
        (
            {"ActiveState": "activating", "SubState": "auto-restart", "Result": "oom-kill"},
            "failed",
        ),
        ({"ActiveState": "active", "Result": "success"}, "ready"),
        ({"ActiveState": "deactivating", "Result": "success"}, "starting"),
        ({"ActiveState": "inactive", "Result": "success"}, "ended"),
        ({"ActiveState": "inactive", "Result": "exit-code"}, "failed"),
        ({"ActiveState": "failed", "Result": "signal"}, "failed"),
        ({"LoadState": "not-found", "ActiveState": "inactive", "Result": "success"}, "failed"),
    ],
)
def test_state_of_a_unit(properties: dict[str, str], state: str) -> None:
    """A pending job counts as starting; an end counts as good only with the result success."""
    assert systemd.state_of(properties) == state


def test_properties_keep_what_stands_after_the_first_equals_sign() -> None:
    """A status text may hold equals signs."""
    assert systemd.parse_properties("StatusText=a=b\nJob=\n") == {"StatusText": "a=b", "Job": ""}


def test_reason_is_the_app_s_own_error() -> None:
    """The app's last error line tells more than systemd does."""
    log = ["x", "server-monitoring: error: topic-cpu: missing; provision", "Main process exited"]
    assert systemd.reason(log, {"Result": "exit-code"}) == "topic-cpu: missing; provision"


def test_reason_of_a_unit_that_is_not_there_is_what_to_do() -> None:
    """A host that was not provisioned for its group is told so."""
    assert "run provision.yml" in systemd.reason([], {"LoadState": "not-found"})


def test_reason_without_an_error_line_is_systemd_s() -> None:
    """A killed process left no word; the log's last line goes along."""
    told = systemd.reason(["last words"], {"Result": "signal", "ExecMainStatus": "9"})
    assert told == "systemd reports signal, exit status 9; its last line: last words"


@pytest.mark.parametrize(
    ("step", "setting"), [("consume-cpu_mem", "client"), ("analyze-cpu_mem", "spark")]
)
def test_a_unit_that_needed_too_much_memory_is_told_so(step: str, setting: str) -> None:
    """Its limit and the setting to raise, whatever an earlier start had said."""
    unit = {"Id": f"server-monitoring-{step}@r.service", "MemoryMax": "1073741824"}
    told = systemd.reason(
        ["server-monitoring: error: an earlier one"], unit | {"Result": "oom-kill"}
    )
    assert told.startswith("found more memory in use than 1024 MiB, so the kernel ended it")
    assert f"raise pipeline_{setting}_memory_max" in told


@pytest.mark.parametrize("again", [False, True])
def test_a_unit_that_failed_before_is_started_once_more_for_who_asks(
    tmp_path: Path, *, again: bool
) -> None:
    """One look whether it has failed, and then those of the new start; else its reason is told."""
    environment = write_site(tmp_path, {CONSUMER: [BROKEN, ENDED] if again else [BROKEN]})
    watch = {"name": CONSUMER, "label": "job", "again": again}
    task = {"name": "Watch", "server_monitoring.cluster.pipeline_unit": watch}
    site = [{"hosts": "c1", "gather_facts": False, "tasks": [task]}]
    (tmp_path / "site.yml").write_text(yaml.safe_dump(site), encoding="utf-8")
    done = play(tmp_path, environment)
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    if again:
        assert done.returncode == 0, done.stdout
        assert "changed: [c1]" in done.stdout
        assert "c1: job: ended" in done.stdout
    else:
        assert f"c1: job ({CONSUMER}): topic-cpu: gone; provision" in done.stdout
    assert calls.count(f"start --no-block {CONSUMER}") == again
