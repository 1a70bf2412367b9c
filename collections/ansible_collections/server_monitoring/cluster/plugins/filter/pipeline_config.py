"""The app's own validator, asked on the control machine before any host is touched."""

from collections.abc import Mapping
from typing import Any


def config_problem(config: Mapping[str, Any]) -> str:
    """Return what is wrong with the app's configuration, named by inventory variable, or "".

    `config` is what config.yml would hold; each of its keys is the inventory's variable
    without the prefix `pipeline_`.
    """
    # Ansible imports this file also for the collection's other filters.
    from server_monitoring.settings.config import problem  # noqa: PLC0415

    return problem(plain(config), prefix="pipeline_") or ""


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


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by the name that tasks use."""
        return {"pipeline_config_problem": config_problem}
