"""The keys of all servers: a file that only the reader may read, and no key in any message."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.errors import ConfigError
from server_monitoring.settings import config
from server_monitoring.settings.signing import read_keys, senders

from tests.support.app_settings import live_section
from tests.unit.app.app_command import App

SECRET = "ab" * 32
Write = Callable[[object], Path]


def laid(path: Path, content: str, mode: int = 0o600) -> Path:
    """Return a file with this content."""
    path.write_text(content)
    path.chmod(mode)
    return path


def test_keys_are_read_from_a_file_or_from_the_units_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any number of servers that systemd lets through."""
    keys = {f"server-{n}": SECRET for n in range(5_000)}
    path = laid(tmp_path / "signing.json", json.dumps(keys))
    assert read_keys(path) == dict.fromkeys(keys, b"\xab" * 32)
    with pytest.raises(ConfigError, match=r"live\.signed: found true, but no keys; start this by"):
        read_keys(None)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert len(read_keys(None)) == 5_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (SECRET, "expected JSON"),
        (json.dumps([SECRET]), "expected JSON"),
        (json.dumps({"a": SECRET + "00"}), "server 'a': expected a key of 64 hexadecimal digits"),
        (json.dumps({"a\n": 5}), "server 'a\\n': expected a key of 64 hexadecimal digits"),
    ],
)
def test_what_is_wrong_is_said_without_a_key(tmp_path: Path, content: str, said: str) -> None:
    """In one line."""
    with pytest.raises(ConfigError) as caught:
        read_keys(laid(tmp_path / "keys", content))
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_others_may_not_read_them(tmp_path: Path) -> None:
    """As with credentials."""
    with pytest.raises(
        ConfigError, match="found mode 0640, expected 0600: others may read the keys"
    ):
        read_keys(laid(tmp_path / "keys", json.dumps({"a": SECRET}), 0o640))


def test_without_signatures_no_file_is_asked_for(values: dict[str, Any], write: Write) -> None:
    """And all of the servers that are listed may send."""
    live = config.live_of(config.load(write(values | {"live": live_section(servers=["a"])})))
    whose = senders(live, None)
    assert whose.keys is None
    assert (whose.lists("a"), whose.lists("b")) == (True, False)


@pytest.mark.parametrize("command", [["consume", "--live"], ["detect"]])
def test_who_reads_rows_says_that_the_keys_are_missing(
    app: App, values: dict[str, Any], command: list[str]
) -> None:
    """Before it connects."""
    values["live"] = live_section(signed=True)
    said = app(*command, "--group", "cpu_mem")
    assert said.status == 3
    assert "live.signed: found true, but no keys" in said.error()
