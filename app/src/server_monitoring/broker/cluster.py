"""Which brokers, and how to reach them: in plain text, or by TLS with a user's credentials."""

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from server_monitoring.errors import ConfigError, one_line

PLAINTEXT, SASL_SSL = "PLAINTEXT", "SASL_SSL"
PROTOCOLS = (PLAINTEXT, SASL_SSL)
MECHANISM = "SCRAM-SHA-512"
CREDENTIAL = "kafka.json"
"""Name of the credential that a unit loads (LoadCredential=)."""
_MAX_BYTES = 4096
_SECRETS = {"password": "credentials", "key": "signing key", "keys": "signing keys"}
_SERVER = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_MAX_PORT = 65_535


@dataclass(frozen=True)
class Credentials:
    """A user of the brokers; the password is in no representation."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Cluster:
    """Brokers and how to reach them.

    Attributes:
        servers: host:port of the first ones to ask.
        ca_file: certificates of the trusted authorities; None for plain text.
        credentials: who to be; always there with TLS.

    """

    servers: tuple[str, ...]
    ca_file: Path | None = None
    credentials: Credentials | None = None

    def __str__(self) -> str:
        """Return the addresses, for messages."""
        return ", ".join(self.servers)

    @property
    def identity(self) -> Credentials:
        """Return the credentials, without which nothing connects by TLS.

        Raises:
            ConfigError: there are none.

        """
        return self.credentials or read_credentials(None)

    @property
    def user(self) -> str:
        """Return who this host is to the brokers."""
        return self.credentials.username if self.credentials else "ANONYMOUS"


def parse_server(text: str) -> bool:
    """Return whether `text` is host:port."""
    return _SERVER.fullmatch(text) is not None and 0 < int(text.rpartition(":")[2]) <= _MAX_PORT


def default_secret(name: str) -> Path | None:
    """Return the file of this name that systemd gave this unit, or None where there is none."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
    path = Path(directory) / name
    try:
        path.stat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # It is there; reading it says what is wrong.
    return path if directory else None


def read_credentials(path: Path | None) -> Credentials:
    """Read the JSON file `{"username": ..., "password": ...}`; None means that of the unit.

    Raises:
        ConfigError: there is none, others may read it, or it is something else. The message
            never holds what is in the file.

    """
    own = default_secret(CREDENTIAL)
    file = path or own
    if file is None:
        raise ConfigError(
            f"credentials: none found (kafka_security.protocol is {SASL_SSL}); start this by its "
            "systemd unit, which loads them, or name a file with --credentials"
        )
    return _credentials(file, secret_content(file, own, "password"))


def secret_content(file: Path, own: Path | None, what: str, most: int = _MAX_BYTES) -> bytes:
    """Return the content of a file that only this user may read; `own` is that of the unit.

    At most its first `most` bytes.

    Raises:
        ConfigError: it cannot be read, or others may read the `what` in it.

    """
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            content = opened.read(most)
    except OSError as error:
        raise ConfigError(
            f"{file}: {error.strerror}; name a {_SECRETS[what]} file that this user may read"
        ) from error
    # systemd lets the unit's user in by an access list, whose mask shows as the group's rights.
    if mode & (0o007 if file == own else 0o077):
        raise ConfigError(
            f"{file}: found mode {mode:04o}, expected 0600: others may read the {what}; "
            f"chmod 600 {file}, and change the {what} if they did"
        )
    return content


def _credentials(file: Path, content: bytes) -> Credentials:
    wanted = {"username", "password"}
    try:
        found = json.loads(content)
    except ValueError:
        found = None  # Its error quotes the content.
    if not isinstance(found, dict):
        raise ConfigError(f'{file}: expected JSON {{"username": "...", "password": "..."}}')
    if set(found) != wanted:
        names = one_line(", ".join(sorted(map(repr, set(found) - wanted))) or "fewer", 80)
        raise ConfigError(f"{file}: found the keys {names}, expected only username and password")
    for key in sorted(wanted):
        if not isinstance(found[key], str) or not found[key] or not found[key].isprintable():
            raise ConfigError(f"{file}: {key}: expected printable text")
    return Credentials(found["username"], found["password"])
