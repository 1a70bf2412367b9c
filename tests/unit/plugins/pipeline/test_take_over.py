"""Runs of an older version come to the users of this one, and nothing else of the node does."""

import grp
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.server_monitoring.cluster.plugins.filter.pipeline import owners
from ansible_collections.server_monitoring.cluster.plugins.modules import pipeline_take_over

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
# Users of Debian that play those of the units.
FORMER, CONSUMER, PRODUCER = ("games", 5), ("daemon", 1), ("nobody", 65534)
OWNERS = {"raw/topic-cpu": CONSUMER[0], "consume-*.json": CONSUMER[0], "produce.*": PRODUCER[0]}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run as the older version made it."""
    folder = tmp_path / "runs" / "r1"
    (folder / "raw" / "topic-cpu").mkdir(parents=True)
    (tmp_path / "units").mkdir()
    for name in ("raw/topic-cpu/0.csv", "produce.lock", "config.yml", "analyze.env"):
        (folder / name).write_text(name)
    for path in (folder, *folder.rglob("*")):
        if path.name not in ("config.yml", "analyze.env"):
            os.chown(path, FORMER[1], FORMER[1])
    return folder


@pytest.fixture
def take_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, Any]]:
    """Return a function that runs the module and returns its result."""
    monkeypatch.setattr(pipeline_take_over, "GROUP", "daemon")

    def act() -> dict[str, Any]:
        given = {"data_dir": str(tmp_path), "former": FORMER[0], "owners": OWNERS}
        with patch_module_args(given), pytest.raises(SystemExit):
            pipeline_take_over.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return act


def test_each_file_comes_to_whom_goes_on_with_it(
    run: Path, tmp_path: Path, take_over: Callable[[], dict[str, Any]]
) -> None:
    """Folders are root's and open to the units; what systemd reads has moved; once is enough."""
    assert take_over()["runs"] == ["r1"]
    owned = {str(path.relative_to(run)): path.stat().st_uid for path in run.rglob("*")}
    assert owned == {
        "raw": 0,
        "raw/topic-cpu": CONSUMER[1],
        "raw/topic-cpu/0.csv": CONSUMER[1],
        "produce.lock": PRODUCER[1],
        "config.yml": 0,
        "analyze.env": 0,
    }
    for folder in (run, run / "raw"):
        found = folder.stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (0, 0o1770)
        assert found.st_gid == grp.getgrnam("daemon").gr_gid
    assert (tmp_path / "units" / "r1" / "analyze.env").read_text() == "analyze.env"
    assert not take_over()["changed"]


def test_what_the_former_user_could_leave_is_not_followed(
    run: Path, tmp_path: Path, take_over: Callable[[], dict[str, Any]]
) -> None:
    """Links to root's files and folders, root's file by a second name, pipes."""
    secret, folder = tmp_path / "secret", tmp_path / "system"
    secret.write_text("secret")
    folder.mkdir()
    (folder / "0.csv").write_text("")
    (run / "produce.json").symlink_to(secret)
    (run / "produce.progress").hardlink_to(secret)
    (run / "produce.env").symlink_to(secret)
    (run / "raw" / "topic-cpu" / "1.csv").symlink_to(secret)
    (run / "raw" / "topic-mem").symlink_to(folder)
    os.mkfifo(run / "produce.checked")
    (tmp_path / "runs" / "r2").symlink_to(folder)
    assert take_over()["runs"] == ["r1"]
    assert (secret.stat().st_uid, folder.stat().st_uid) == (0, 0)
    assert (folder / "0.csv").stat().st_uid == 0
    assert not (tmp_path / "units" / "r1" / "produce.env").exists()


def test_owners_name_what_a_run_leaves() -> None:
    """Each topic's folder is its consumer's, the table its Spark job's."""
    groups = {"net": {"metrics": [{"topic": "topic-net"}], "output_file": "NET.csv"}}
    assert owners(groups) == {
        "produce.*": "sm-produce",
        "bad-rows.csv": "sm-produce",
        "raw/topic-net": "sm-consume-net",
        "consume-net.json": "sm-consume-net",
        "analyze-net.json": "sm-analyze-net",
        "corrupt-net.csv": "sm-analyze-net",
        "NET.csv": "sm-analyze-net",
    }
