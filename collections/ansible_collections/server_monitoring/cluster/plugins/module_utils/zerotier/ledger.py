"""What the role made on this node, so that it can be taken back when the inventory says otherwise.

A JSON file in the service's home directory: {"network_id": str, "moons": [str]}. What a person
joined or orbited by hand is not in it, and is left alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .api import ZerotierError
from .files import replace

Json = dict[str, Any]

NAME = "server-monitoring.json"


def read(home: str) -> Json:
    """Return the ledger, with empty entries where there is none yet.

    Raises ZerotierError where the file is not what the role wrote.
    """
    file = Path(home) / NAME
    try:
        found = json.loads(file.read_text("utf-8"))
        ledger = {"network_id": str(found["network_id"]), "moons": list(found["moons"])}
    except FileNotFoundError:
        return {"network_id": "", "moons": []}
    except (ValueError, KeyError, TypeError) as problem:
        message = (
            f"{file} is not what this role wrote there (found {problem!r}, expected JSON with "
            "network_id and moons); remove it"
        )
        raise ZerotierError(message) from problem
    return ledger


def write(home: str, **entries: Any) -> None:
    """Change some entries; a reader sees the old file or the new one, never a part."""
    text = json.dumps(read(home) | entries, sort_keys=True) + "\n"
    replace(Path(home) / NAME, text.encode())
