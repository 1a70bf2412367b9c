"""The way back removes what was made, and no folder of data that was there before."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.project import PROJECT


def remove(kafka: Path, data: Path) -> None:
    """Remove the data of both folders as playbooks/reset.yml does."""
    [play] = yaml.safe_load((PROJECT / "playbooks/reset.yml").read_text(encoding="utf-8"))
    script = play["vars"]["_reset_script"]
    subprocess.run(["sh", "-c", script, "sh", kafka, data], check=True, capture_output=True)


def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return both folders with what services left in them."""
    kafka, data = tmp_path / "kafka", tmp_path / "data"
    for folder in (
        kafka / "data",
        kafka / "tmp",
        data / "runs/r1",
        data / "units",
        data / "spark",
        data / "live/2026-11-30",
    ):
        folder.mkdir(parents=True)
        (folder / "file").write_text("")
    return kafka, data


def test_a_folder_that_was_made_goes(tmp_path: Path) -> None:
    """With all that is in it."""
    for folder in (made := folders(tmp_path)):
        (folder / ".made-by-provision").write_text("")
    remove(*made)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_folder_that_was_there_stays(tmp_path: Path, *, is_marked: bool) -> None:
    """And one in which there is anything else, whoever made it."""
    kafka, data = folders(tmp_path)
    if is_marked:
        for folder in (kafka, data):
            (folder / ".made-by-provision").write_text("")
            (folder / "lost+found").mkdir()
    remove(kafka, data)
    left = ["lost+found"] if is_marked else []
    assert [path.name for path in (*kafka.iterdir(), *data.iterdir())] == left * 2


def test_what_a_service_linked_is_not_followed(tmp_path: Path) -> None:
    """Neither in its own folders nor in their place."""
    kafka, data = folders(tmp_path)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("")
    (data / "runs" / "r1" / "out").symlink_to(precious)
    (data / "spark").rename(data / "old")
    (data / "spark").symlink_to(precious)
    remove(kafka, data)
    assert (precious / "file").exists()
    assert not (data / "runs").exists()
