"""What a service wrote comes as it is, and nothing else of its node in its place."""

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.server_monitoring.cluster.plugins.action import pipeline_fetch

from tests.support.playbooks import Result, play


def fetch(folder: Path) -> Result:
    """Bring the file `table.csv`."""
    book = folder / "play.yml"
    task = {
        "name": "Bring it",
        "server_monitoring.cluster.pipeline_fetch": {
            "src": str(folder / "table.csv"),
            "dest": str(folder / "parts" / "h1.csv"),
        },
    }
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    return play(str(book))


def said(path: Path, start: int = 0) -> str:
    """Return what the script of a piece prints."""
    command = ["sh", "-c", pipeline_fetch.script(str(path), start)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout


def test_a_file_of_several_pieces_comes_whole(tmp_path: Path) -> None:
    """The second one begins where the first has ended."""
    content = b"12:00:00,server,1.0\n" * 900_000 + b"end"
    assert len(content) > pipeline_fetch.PIECE
    (tmp_path / "table.csv").write_bytes(content)
    result = fetch(tmp_path)
    assert result.status == 0, result.tail()
    assert (tmp_path / "parts" / "h1.csv").read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Root could read what it shows to."""
    (tmp_path / "secret").write_text("root:secret")
    (tmp_path / "table.csv").symlink_to(tmp_path / "secret")
    result = fetch(tmp_path)
    assert result.status != 0
    assert result.says("table.csv: found no file to bring"), result.tail()
    assert (tmp_path / "parts" / "h1.csv").read_bytes() == b""


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda _: None])
def test_what_is_no_file_is_told(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """Nobody may ever write to a pipe."""
    make(tmp_path / "table.csv")
    with pytest.raises(ValueError, match=r"^$"):
        pipeline_fetch.unpacked(said(tmp_path / "table.csv"))


def test_what_is_swapped_after_the_look_is_not_followed(tmp_path: Path) -> None:
    """The file is a link by the time that it is opened, again and again."""
    secret, path, other = tmp_path / "secret", tmp_path / "table.csv", tmp_path / "other"
    secret.write_text("root:secret")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            other.write_text("own")
            other.replace(path)
            other.symlink_to(secret)
            other.replace(path)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(20):
            text = said(path)
            assert not text or pipeline_fetch.unpacked(text) in (b"own", b"")
    finally:
        over.set()
        thread.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_what_a_user_may_not_read_does_not_come() -> None:
    """Where folders above the file are a service's, the service's own rights are the bound."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        table = Path(folder, "table.csv")
        table.write_text("its own")
        script = pipeline_fetch.script(str(table), 0, "nobody")
        command = ["sh", "-c", script.replace("--regid=server-monitoring", "--regid=nogroup")]
        found = {}
        for mode in (0o644, 0o600):
            table.chmod(mode)
            found[mode] = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert pipeline_fetch.unpacked(found[0o644]) == b"its own"
    assert found[0o600] == ""
