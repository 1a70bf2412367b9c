"""What systemctl shows of several units, as it comes over ssh."""

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.pipeline import systemd


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_several_units_are_told_apart_however_lines_end(end: str) -> None:
    """A command run over ssh has a terminal, whose lines end with a carriage return too."""
    one, other = ["ActiveState=inactive", "Result=success"], ["ActiveState=active", "Job="]
    units = systemd.parse_units(end.join([*one, "", *other, ""]), 2)
    assert [systemd.state_of(unit) for unit in units] == ["ended", "ready"]


def test_a_unit_that_was_not_shown_is_still_starting() -> None:
    """There is one answer for each unit, also where the host gave none."""
    units = systemd.parse_units("ActiveState=active\n", 2)
    assert [systemd.state_of(unit) for unit in units] == ["ready", "starting"]
