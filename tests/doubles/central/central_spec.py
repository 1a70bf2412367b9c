"""The specification's facts: what a value breaks of a schema, and what a request may change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SPEC: Json = json.loads((Path(__file__).parent / "central_spec.json").read_text("utf-8"))
SCHEMAS: dict[str, dict[str, str]] = SPEC["schemas"]
_TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}


def problems(kind: str, value: Any, where: str = "") -> list[str]:
    """Return what of a value does not fit a type in the specification's notation."""
    plain = kind.rstrip("?!")
    if value is None:
        return [] if "?" in kind else [f"{where or kind}: null"]
    if plain.startswith("["):
        if not isinstance(value, list):
            return [f"{where or kind}: {value!r} is no list"]
        return [line for one in value for line in problems(plain[1:-1], one, f"{where}[]")]
    if plain in SCHEMAS:
        return _schema_problems(plain, value, where)
    # To Python, True is an integer as well.
    fits = isinstance(value, _TYPES[plain]) and (plain != "integer" or value is not bool(value))
    return [] if fits else [f"{where or kind}: {value!r} is no {plain}"]


def _schema_problems(name: str, value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where or name}: {value!r} is no {name}"]
    schema, prefix = SCHEMAS[name], f"{where}." if where else ""
    strange = [f"{prefix}{key}: not in {name}" for key in value if key not in schema]
    known = [key for key in value if key in schema]
    return strange + [
        line for key in known for line in problems(schema[key], value[key], prefix + key)
    ]


def taken_over(name: str, record: Json, body: Json) -> Json:
    """Return what a request changes in a record of a schema, as a partial record.

    What the request does not name stays; null and what only Central writes are passed over;
    objects of a schema are gone into, lists are replaced whole.
    """
    changes: Json = {}
    for key, value in body.items():
        kind = SCHEMAS[name].get(key, "!")
        if value is None or kind.endswith("!"):
            continue
        inner = kind.rstrip("?")
        if inner in SCHEMAS:
            changes[key] = taken_over(inner, record.get(key) or {}, value)
        else:
            changes[key] = value
    return changes


def merged(record: Json, changes: Json) -> Json:
    """Return a record with a partial record laid over it, objects within objects."""
    result = dict(record)
    for key, value in changes.items():
        within = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if within else value
    return result
