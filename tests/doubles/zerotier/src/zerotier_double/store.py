"""The home directory: secrets and records, each written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any

from .errors import HomeError
from .identity import Identity, new_identity, parse_identity

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]

_TOKEN_CHARACTERS = 24
_SECRET, _PUBLIC = "identity.secret", "identity.public"


class Home:
    """The service's directory, laid out as zerotier-one lays out /var/lib/zerotier-one.

    Guarantee: a reader sees a file's old text or its new text, never a part of one; every file is
    readable by its owner alone, except identity.public and zerotier-one.port.
    """

    def __init__(self, path: Path) -> None:
        """Use the directory `path`; it is made where it is missing."""
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def write_text(self, name: str, text: str, mode: int = 0o600) -> None:
        """Replace a file's text; `name` is relative to the home directory."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + ".tmp")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.chmod(mode)
        fresh.replace(target)

    def write(self, name: str, record: Json) -> None:
        """Replace a JSON record."""
        self.write_text(name, json.dumps(record, sort_keys=True))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def records(self, pattern: str) -> dict[str, Json]:
        """Return the JSON records that a glob finds, keyed by their file's stem."""
        found = sorted(self.path.glob(pattern))
        return {file.stem: json.loads(file.read_text("utf-8")) for file in found}

    def read(self, name: str) -> str:
        """Return a file's text, empty where the file is missing or holds no text."""
        try:
            return (self.path / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def identity(self) -> Identity:
        """Return the node's identity, made at the first call and kept; raises HomeError."""
        text = self.read(_SECRET)
        if not text:
            made = new_identity()
            self.write_text(_SECRET, made.secret)
            self.write_text(_PUBLIC, made.public, 0o644)
            return made
        held = parse_identity(text)
        if held is None or not held.secret:
            message = (
                "zerotier-one: fatal error: invalid identity loaded from disk. Please remove "
                f"identity.public and identity.secret from {self.path} and try again"
            )
            raise HomeError(message)
        if self.read(_PUBLIC) not in {"", held.public}:
            self.write_text(_PUBLIC, held.public, 0o644)
        return held

    def forget_identity(self) -> None:
        """Put the identity aside, as zerotier-one does after a collision."""
        self.write_text(f"{_SECRET}.saved_after_collision", self.read(_SECRET))
        self.remove(_SECRET)
        self.remove(_PUBLIC)

    def auth_token(self) -> str:
        """Return the API's token, made at the first call and kept."""
        file = self.path / "authtoken.secret"
        if not file.exists():
            self.write_text(file.name, secrets.token_hex(_TOKEN_CHARACTERS // 2))
        return file.read_text("utf-8").strip()
