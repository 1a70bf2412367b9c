"""The lab's inventory takes the ZeroTier that the lab was made with, whatever a later call says."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.project import PROJECT


@pytest.mark.parametrize(
    ("made", "given", "taken"),
    [
        (None, "/x.deb", "/x.deb"),
        ("/x.deb", "", "/x.deb"),
        ("", "/x.deb", "ZEROTIER_DEB: found /x.deb, expected none, for the double, with which"),
        ("/x.deb", "/y.deb", "ZEROTIER_DEB: found /y.deb, expected /x.deb, with which this lab"),
    ],
)
def test_a_lab_stays_with_its_zerotier(
    tmp_path: Path, made: str | None, given: str, taken: str
) -> None:
    """A node with the real one must not get the double's port opened."""
    if made is not None:
        (tmp_path / "zerotier").write_text(f"{made}\n", encoding="utf-8")
    done = subprocess.run(
        [
            *("ansible", "-i", "inventory/lab", "localhost", "-m", "ansible.builtin.debug"),
            *("-a", "msg=<{{ zerotier_deb }}>", "-e", f"lab_state_dir={tmp_path}"),
        ],
        cwd=PROJECT,
        env={**os.environ, "ZEROTIER_DEB": given, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(f"{done.stdout} {done.stderr}".split())
    assert (f"<{taken}>" if done.returncode == 0 else taken) in said
    assert (done.returncode == 0) is (taken == (made or given))
