"""Start a systemd unit on the host and stay with it, showing what it says of itself."""

import time
from typing import Any

from ..module_utils.pipeline import systemd
from ..plugin_utils.unit_action import UnitAction, tell

DOCUMENTATION = r"""
module: pipeline_unit
short_description: Start a systemd unit and stay with it, showing what it says of itself
description:
  - Starts the unit (if O(start) is set) and polls it until it is ready or has ended.
  - Each new status text that the unit reports (sd_notify STATUS=) is shown as one line.
  - A unit that fails ends the task with its reason and the last lines of its journal.
options:
  name: {description: The unit's full name., type: str, required: true}
  label: {description: What to call it in the lines shown., type: str, required: true}
  start: {description: Whether to start it first., type: bool, default: false}
  again:
    description: Whether to start it once more if it has failed before this task.
    type: bool
    default: false
  until:
    description: What to wait for.
    type: str
    choices: [started, ready, ended]
    default: ended
  timeout: {description: Seconds after which to give up., type: int, default: 3600}
  patience: {description: Seconds that the host may be away., type: int, default: 0}
  read:
    description: JSON file to read when the unit has ended; returned as RV(told).
    type: path
"""


class ActionModule(UnitAction):
    """The action: it runs on the control machine and asks the host by its connection."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Start the unit, poll it, and return `changed`, or `failed` with the reason."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            argument_spec={
                "name": {"type": "str", "required": True},
                "label": {"type": "str", "required": True},
                "start": {"type": "bool", "default": False},
                "again": {"type": "bool", "default": False},
                "until": {
                    "type": "str",
                    "choices": ["started", "ready", "ended"],
                    "default": "ended",
                },
                "timeout": {"type": "int", "default": 3600},
                "patience": {"type": "int", "default": 0},
                "read": {"type": "path"},
            },
        )
        self.host = host = (task_vars or {}).get("inventory_hostname", "host")
        self.patience = args["patience"]
        self.title = f"{host}: {args['label']}"
        start = args["start"] or (
            args["again"] and systemd.state_of(self._properties(args["name"])) == "failed"
        )
        if start:
            self.start(args["name"])
        if args["until"] == "started":
            return result | {"changed": start}
        properties = self._watch(args)
        state = systemd.state_of(properties)
        result.update(changed=start, booted=self.booted)
        if state == args["until"]:
            if args["read"]:
                [result["told"]] = self.read([args["read"]])
            return result
        log = systemd.lines(self.command(*systemd.journal(args["name"])))
        why = (
            systemd.reason(log, properties)
            if state == "failed"
            else f"{state}, not {args['until']}, after at most {args['timeout']} s; last said: "
            f"{properties.get('StatusText') or 'nothing'}"
        )
        result.update(
            failed=True,
            msg=f"{host}: {args['label']} ({args['name']}): {why}",
            journal=log,
        )
        return result

    def _watch(self, args: dict[str, Any]) -> dict[str, str]:
        """Poll until the unit is in a state that ends the wait, showing each new status text."""
        wanted = ("ready", "ended", "failed") if args["until"] == "ready" else ("ended", "failed")
        deadline = time.monotonic() + args["timeout"]
        shown = ""
        while True:
            properties = self._properties(args["name"])
            text = properties.get("StatusText", "")
            if text and text != shown:
                self._tell(text)
                shown = text
            if (state := systemd.state_of(properties)) in wanted or time.monotonic() > deadline:
                if not shown:  # it was quicker than the first look
                    self._tell(state)
                return properties
            time.sleep(1)

    def _properties(self, unit: str) -> dict[str, str]:
        return self.show([unit])[0]

    def away(self, left: float) -> None:
        """Show it as a line, each time."""
        self._tell(f"its host does not answer, waited for at most {left:.0f} s more")

    def _tell(self, text: str) -> None:
        tell(f"  {self.title}: {systemd.one_line(text)}")
