"""The app's own validator, asked on the control machine before any host is touched."""

from collections.abc import Mapping
from typing import Any


def config_problems(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the app's configuration, each named by its inventory variable.

    `config` is what config.yml would hold; each of its keys is the inventory's variable
    without the prefix `pipeline_`.
    """
    # Ansible imports this file also for the collection's other filters.
    from server_monitoring.settings.problems import problems  # noqa: PLC0415

    return problems(plain(config), prefix="pipeline_")


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
        return {"pipeline_config_problems": config_problems}
