"""The app's own validator, asked on the control machine before any host is touched."""

from collections.abc import Mapping
from typing import Any

from ..plugin_utils.filters import PublicFunctions, plain


def config_problems(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the app's configuration, each named by its inventory variable.

    `config` is what config.yml would hold; each of its keys is the inventory's variable
    without the prefix `pipeline_`.
    """
    # Ansible imports this file also for the collection's other filters.
    from server_monitoring.settings.problems import problems  # noqa: PLC0415

    return problems(plain(config), prefix="pipeline_")


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "pipeline_"
