"""The keys by which servers sign their rows, as those who read these have them."""

import json
from pathlib import Path

from server_monitoring.broker.cluster import default_secret, secret_content
from server_monitoring.errors import ConfigError, shown
from server_monitoring.model.senders import Senders
from server_monitoring.model.signature import parse_key
from server_monitoring.settings.live import Live

SIGNING_KEYS = "signing.json"
"""Name of the credential that a unit loads where rows are signed."""
# As much as systemd takes for a credential: of some 10,000 servers.
_MAX_BYTES = 1 << 20


def senders(live: Live, path: Path | None) -> Senders:
    """Return whose rows count; with the keys, where rows are signed, of a file or of the unit.

    Raises:
        ConfigError: see `read_keys`.

    """
    return Senders(frozenset(live.servers), read_keys(path) if live.signed else None)


def read_keys(path: Path | None) -> dict[str, bytes]:
    """Read the JSON file {server id: 64 hexadecimal digits}; None means that of the unit.

    Raises:
        ConfigError: there is none, others may read it, or it is something else. The message
            never holds a key.

    """
    own = default_secret(SIGNING_KEYS)
    file = path or own
    if file is None:
        raise ConfigError(
            "live.signed: found true, but no keys; start this by its systemd unit, which loads "
            "them, or name a file with --signing-keys"
        )
    try:
        found = json.loads(secret_content(file, own, "keys", _MAX_BYTES))
    except ValueError:
        found = None  # Its error quotes the content.
    if not isinstance(found, dict):
        raise ConfigError(f'{file}: expected JSON {{"SERVER": "64 hexadecimal digits", ...}}')
    return {server_id: _key(file, server_id, text) for server_id, text in found.items()}


def _key(file: Path, server_id: str, text: object) -> bytes:
    try:
        return parse_key(text if isinstance(text, str) else "")
    except ValueError as error:
        raise ConfigError(f"{file}: server {shown(server_id)}: expected {error}") from error
