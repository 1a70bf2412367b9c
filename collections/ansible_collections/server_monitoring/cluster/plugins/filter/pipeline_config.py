"""The app's own validator, asked on the control machine before any host is touched."""

from collections.abc import Mapping
from typing import Any

from ..plugin_utils.filters import PublicFunctions, plain

_LIVE = "pipeline_live."


def config_problems(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the app's configuration, each named by its inventory variable.

    `config` is what config.yml would hold; each of its keys is the inventory's variable
    without the prefix `pipeline_`, and each in its section `live` one without `live_`.
    """
    # Ansible imports this file also for the collection's other filters.
    from server_monitoring.settings.problems import problems  # noqa: PLC0415

    found = problems(plain(config), prefix="pipeline_")
    return [f"live_{p.removeprefix(_LIVE)}" if p.startswith(_LIVE) else p for p in found]


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "pipeline_"
