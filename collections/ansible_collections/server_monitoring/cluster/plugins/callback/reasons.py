"""End a playbook that failed with its reasons: each on one line, neither wrapped nor quoted."""

import re
from collections.abc import Iterator
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: reasons
type: notification
short_description: End a playbook that failed with its reasons, each on one line
description:
  - Tells at the end why each host failed that did, once where several say the same.
  - A failure that was rescued is none, and a host that stops as another one failed tells nothing.
  - On standard error where another callback than the default one writes to standard output.
"""

# What a host says that stops because another one did (roles/pipeline/tasks/run/abort.yml).
ELSEWHERE = "another host failed, see there"
_PREFIX = re.compile(r"^(?:Task failed: )?(?:Action failed: |Module failed: )?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class CallbackModule(CallbackBase):
    """Keeps the last failure of each host until the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "server_monitoring.cluster.reasons"

    def __init__(self, *args: Any, **options: Any) -> None:
        """Begin without a failure."""
        super().__init__(*args, **options)
        self._last: dict[str, list[str]] = {}

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002 -- Ansible's signature
        """Keep a failure that is not ignored."""
        if not ignore_errors:
            self._keep(result, "failed without a message")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Keep that a host does not answer."""
        self._keep(result, "does not answer")

    def _keep(self, result: Any, otherwise: str) -> None:
        host = result.host.get_name()
        told = list(told_by(result.result)) or [otherwise]
        named = "" if host == "localhost" or any(host in line for line in told) else f"{host}: "
        self._last[host] = [named + line for line in told]

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Tell the reasons of those hosts that failed in the end."""
        hosts = [host for host in self._last if host in stats.failures or host in stats.dark]
        lines = dict.fromkeys(line for host in hosts for line in self._last[host])
        first = [line for line in lines if ELSEWHERE not in line]
        aside = constants.DEFAULT_STDOUT_CALLBACK not in ("default", "ansible.builtin.default")
        for line in first or lines:
            self._display.display(f"failed: {line}", stderr=aside, color=constants.COLOR_ERROR)


def told_by(result: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a failed result: its own, or those of its items that failed.

    Control characters are shown as escapes: a message may quote what a host or a file says.
    """
    items = [item for item in result.get("results", []) if item.get("failed")]
    for failed in items or [result]:
        text = _PREFIX.sub("", str(failed.get("msg") or failed.get("censored") or "")).strip()
        for line in text.splitlines():
            if line.strip():
                yield _CONTROLS.sub(lambda found: repr(found[0])[1:-1], line.strip())
