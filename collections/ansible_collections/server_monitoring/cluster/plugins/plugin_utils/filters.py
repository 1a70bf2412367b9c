"""What Ansible asks each file of filters for, answered by the functions that are in the file."""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return the value in Python's own types; Ansible's carry tags that validators refuse."""
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


class PublicFunctions:
    """Offers the public functions that a file defines; what it imports stays its own.

    Attributes:
        prefix: what a filter's name has before the function's; tasks see all filters side by side.

    """

    prefix = ""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by the names that tasks use."""
        file = type(self).__module__
        return {
            f"{self.prefix}{name}": found
            for name, found in vars(sys.modules[file]).items()
            if inspect.isfunction(found) and found.__module__ == file and not name.startswith("_")
        }
