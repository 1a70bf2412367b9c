"""Lay replicas as declared, and show how far that is as one line that goes along."""

import time
from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils.screen import POLL_SECONDS, Screen

MODULE = "server_monitoring.cluster.kafka_spread"
TIMEOUT_SECONDS = 60


class ActionModule(ActionBase):
    """The action: it calls the module, which begins the move, until that is over."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what was changed when all is as declared, or `failed` with what is left."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self.facts = task_vars or {}
        self.host = self.facts.get("inventory_hostname", "kafka")
        first = self._call({})
        if not (first.get("failed") or first.get("over", True) or self._task.check_mode):
            first = self._follow(first)
        return result | first

    def _call(self, more: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=self._task.args | more, task_vars=self.facts
        )
        return found

    def _follow(self, first: dict[str, Any]) -> dict[str, Any]:
        """Ask until all is done, or does not get on any more."""
        screen = Screen()
        timeout = float(self._task.args.get("timeout", TIMEOUT_SECONDS))
        state, since = first, time.monotonic()
        while not state["over"]:
            screen.show(f"{self.host}: {progress(state)}")
            time.sleep(POLL_SECONDS)
            now = self._call({"targets": first["targets"]})
            if now.get("failed"):
                # Brokers may be away for a while; what was refused stays refused.
                if "problems" in now or time.monotonic() - since > timeout:
                    screen.close(f"{self.host}: {progress(state)}")
                    return first | now
                continue
            first["changed"] = first["changed"] or now["changed"]
            if gets_on(state, now):
                since = time.monotonic()
            state = now
            if time.monotonic() - since > timeout and not state["over"]:
                screen.close(f"{self.host}: {progress(state)}")
                return first | {"failed": True, "msg": f"{self.host}: {stuck(state, timeout)}"}
        screen.close(f"{self.host}: {progress(state)}")
        return state | {"changed": first["changed"], "diff": first["diff"]}


def gets_on(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Tell whether anything was moved between two results of the module."""
    same = all(now[key] == before[key] for key in ("left", "waits_for", "over"))
    return not same or now.get("copied", 0) > before.get("copied", 0)


def progress(state: dict[str, Any]) -> str:
    """Return how far the move is, in a line: 12 of 36 partitions moved, 1.2 GB to copy."""
    total = sum(map(len, state["targets"].values()))
    if state["left"]:
        to_copy = f", {size(state['left_bytes'])} to copy" if "left_bytes" in state else ""
        return f"{total - state['left']} of {total} partitions moved{to_copy}"
    done = f"all {total} partitions moved" if total else "all replicas in place"
    return f"{done}; waiting for {state['waits_for']}" if state["waits_for"] else done


def stuck(state: dict[str, Any], seconds: float) -> str:
    """Return in a line that nothing gets on, and what is left."""
    still = f"{state['left']} partitions are still to move" if state["left"] else "it waits for"
    return (
        f"nothing moved for {seconds:g} s, {still}: {state['waits_for']}: see whether all brokers "
        "are well and the throttle is above what producers write, then run it again to go on"
    )


def size(count: float) -> str:
    """Return bytes in the largest unit that fits: 900 B, 1.2 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - what the units stand for
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
