"""What the agents of watched servers send where, and their configuration's own validator."""

from collections.abc import Mapping
from typing import Any

from server_monitoring.model.groups import DEFAULT_COLUMNS

from ..plugin_utils.filters import PublicFunctions, plain


def topics(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the topic of each column that an agent sends; `groups` as `pipeline_groups`."""
    metrics = [metric for group in groups.values() for metric in group["metrics"]]
    found = {str(metric["column"]): str(metric["topic"]) for metric in metrics}
    return {column: found[column] for column in DEFAULT_COLUMNS if column in found}


def config_problems(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with an agent's configuration, as agent.yml would hold it.

    Each of its keys is the inventory's variable without the prefix `agent_`.
    """
    # Ansible imports this file also for the collection's other filters.
    from server_monitoring.agent.config import problems  # noqa: PLC0415

    return problems(plain(config), prefix="agent_")


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "agent_"
