"""What the action makes of a systemd unit's properties and journal."""

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.pipeline import systemd


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ({"ActiveState": "inactive", "Result": "success", "Job": "12"}, "starting"),
        ({"ActiveState": "activating", "Result": "success"}, "starting"),
        ({"ActiveState": "activating", "SubState": "auto-restart", "Result": "signal"}, "starting"),
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
