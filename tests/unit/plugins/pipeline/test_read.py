"""What units wrote is read as it stands, and nothing that they put in its place."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.server_monitoring.cluster.plugins.plugin_utils.unit_action import (
    UnitAction,
)


class Local(UnitAction):
    """The action, whose host is this machine."""

    def __init__(self) -> None:
        """Need no task."""

    def run(self, *_: object, **__: object) -> dict[str, Any]:
        """Do nothing."""
        return {}

    def command(self, *argv: str) -> str:
        """Run a command here."""
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout


def test_each_document_is_read(tmp_path: Path) -> None:
    """In the order that was asked for."""
    (tmp_path / "a").write_text('{"rows": 1}\n')
    (tmp_path / "b").write_text("[2]")
    assert Local().read([str(tmp_path / "b"), str(tmp_path / "a")]) == [[2], {"rows": 1}]


def test_a_link_is_not_followed_and_a_pipe_not_waited_for(tmp_path: Path) -> None:
    """Root could read what the link shows to, and nobody may ever write to the pipe."""
    (tmp_path / "secret").write_text('{"password": "x"}')
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(AnsibleActionFail, match="found nothing, expected JSON in"):
            Local().read([str(tmp_path / name)])
