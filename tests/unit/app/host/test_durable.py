"""Whole files, and state that is read back as the dataclass it was written from."""

import errno
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from server_monitoring.errors import DiskFullError, StorageError
from server_monitoring.host.durable import read_json, replace_file, write_json, write_text


@dataclass(frozen=True)
class State:
    """Every shape that a state file has."""

    name: str
    count: int
    columns: list[str]
    offsets: dict[str, dict[str, int]]

    def __post_init__(self) -> None:
        """Refuse what the types let pass."""
        if self.count < 0:
            message = "count: found less than 0"
            raise ValueError(message)


STATE = State("ä", 3, ["a", "b"], {"t": {"0": 1}, "u": {}})


def test_state_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """As readable JSON in between."""
    write_json(tmp_path / "state", asdict(STATE))
    assert read_json(tmp_path / "state", State) == STATE
    assert (tmp_path / "state").read_text(encoding="utf-8").startswith('{\n  "name": "ä",\n')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "name: found 3"),
        ({"count": "3"}, "count: found '3'"),
        ({"count": True}, "count: found True"),
        ({"count": 3.0}, r"count: found 3\.0"),
        ({"count": None}, "count: found None"),
        ({"count": -1}, "count: found less than 0"),
        ({"columns": {"a": "b"}}, "columns: found {'a': 'b'}"),
        ({"columns": ["a", 1]}, r"columns: found \['a', 1\]"),
        ({"offsets": []}, r"offsets: found \[\]"),
        ({"offsets": {"t": 1}}, "offsets: found {'t': 1}"),
        ({"offsets": {"t": {"0": "1"}}}, "offsets: found {'t': {'0': '1'}}"),
        ({"more": 1}, "found .* unexpected keyword argument 'more'"),
        ({"name": "x" * 1_000, "count": ""}, "count: found ''"),
    ],
)
def test_a_field_of_another_type_or_name_is_told(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    """On one line, with what was found."""
    path = tmp_path / "state"
    path.write_text(json.dumps(asdict(STATE) | change))
    with pytest.raises(ValueError, match=message) as caught:
        read_json(path, State)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"{}", b"\xff", b'"name"'])
def test_what_is_no_such_state_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    """Torn, of another kind, without its fields, not UTF-8."""
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_json(tmp_path / "state", State)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none", State)


def cut_off(path: Path) -> None:
    """Write half of a file, and find the disk full."""
    path.write_text("ne")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stop(path: Path) -> None:
    """Write half of a file, and end for a reason of its own."""
    path.write_text("ne")
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fill", "kind", "message"),
    [
        (cut_off, DiskFullError, "table: No space left on device; free space"),
        (lambda _: (_ for _ in ()).throw(PermissionError(13, "no")), StorageError, "table: no;"),
        (lambda _: None, StorageError, "table: No such file or directory"),
        (stop, KeyboardInterrupt, "^$"),
    ],
)
def test_the_file_stays_as_it_was_when_the_new_one_cannot_be_written(
    tmp_path: Path, fill: Callable[[Path], None], kind: type[BaseException], message: str
) -> None:
    """One error for it all, and nothing is left beside the file."""
    path = tmp_path / "table"
    path.write_text("old\n")
    with pytest.raises(kind, match=message):
        replace_file(path, fill)
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    """Whatever line ends it has."""
    write_text(tmp_path / "text", "ä\r\nb\n")
    assert (tmp_path / "text").read_bytes() == b"\xc3\xa4\r\nb\n"
