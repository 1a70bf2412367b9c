"""Settings that cannot work, told all at once by one task."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..plugin_utils.filters import PublicFunctions

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_WORDS = {"true": True, "false": False}


def typed(value: Any) -> Any:
    """Return a setting as what it spells; whoever validates it decides whether that is right.

    `-e name=value` gives text: a whole number, true or false in it is taken as that. Nothing else
    is changed, so that 45.5, "1e2" or true is never taken for a whole number.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    return int(text) if _WHOLE.fullmatch(text) else _WORDS.get(text.lower(), value)


def digits(value: Any) -> Any:
    """Return a name that YAML read as a whole number as its digits; anything else as it is."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(int(value)) if whole else value


def problems(checks: Iterable[Mapping[str, Any]], where: str) -> list[str]:
    """Return a line for each check that is not `ok`: what it found `where`, and expected."""
    return [
        f"{where}: {check['name']}: found {check['found']}, expected {check['expected']}"
        for check in checks
        if not check["ok"]
    ]


def files(folder: str, pattern: str) -> list[str]:
    """Return the paths of a folder's files by a pattern of their names; none where it is not there.

    Whatever stands in the folder's own name is no pattern.
    """
    return sorted(str(path) for path in Path(folder).glob(pattern))


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "settings_"
