"""Settings that cannot work, told all at once by one task."""

from collections.abc import Iterable, Mapping
from typing import Any


def problems(checks: Iterable[Mapping[str, Any]], where: str) -> list[str]:
    """Return a line for each check that is not `ok`: what it found `where`, and expected."""
    return [
        f"{where}: {check['name']}: found {check['found']}, expected {check['expected']}"
        for check in checks
        if not check["ok"]
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that tasks use."""
        return {"settings_problems": problems}
