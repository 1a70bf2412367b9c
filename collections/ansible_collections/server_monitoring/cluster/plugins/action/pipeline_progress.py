"""Watch a step on all its hosts, and show it as one line that goes along."""

import time
from pathlib import Path
from typing import Any

from ansible import constants
from server_monitoring.host import progress

from ..module_utils.pipeline import systemd
from ..module_utils.pipeline.board import ENDED, FAILED, GOING_ON, OVER, Board, Entry, line, step_of
from ..plugin_utils.screen import ON_TERMINAL, POLL_SECONDS, WIDTH, Screen
from ..plugin_utils.unit_action import UnitAction

DOCUMENTATION = r"""
module: pipeline_progress
short_description: Watch a step on all its hosts, and show it as one line that goes along
description:
  - Each host polls its own units and writes what they say on a board on the control machine.
  - One host shows the whole as a line, in place on a terminal, every few seconds elsewhere.
  - A unit that fails ends the task on every host; on its own with its reason and its journal.
options:
  title: {description: The step's name in the line., type: str, required: true}
  units:
    description: Name and label of each unit on this host.
    type: list
    elements: dict
    required: true
  leader:
    description:
      - The host whose first unit's end is the end of the step; the others only watch theirs.
      - Without it each host waits until its own units have ended.
    type: str
  start: {description: Whether to start the first unit., type: bool, default: false}
  expected: {description: Rows that each topic will have., type: dict, default: {}}
  read:
    description: JSON files to read when this host's units have ended; returned as a list, RV(told).
    type: list
    elements: path
    default: []
  timeout: {description: Seconds after which to give up., type: int, default: 3600}
  patience: {description: Seconds that a host may be away., type: int, default: 0}
"""
SPEC: dict[str, dict[str, Any]] = {
    "title": {"type": "str", "required": True},
    "units": {"type": "list", "elements": "dict", "required": True},
    "leader": {"type": "str", "default": ""},
    "start": {"type": "bool", "default": False},
    "expected": {"type": "dict", "default": {}},
    "read": {"type": "list", "elements": "path", "default": []},
    "timeout": {"type": "int", "default": 3600},
    "patience": {"type": "int", "default": 0},
}
# Seconds without a word of the leader after which a host that only watches leaves: with fewer forks
# than hosts the leader may have to wait for its place.
PATIENCE = 60.0
# Seconds within which the line is closed when a host that does not show it fails.
CLOSE_SECONDS = 5.0


class ActionModule(UnitAction):
    """The action: a worker for each host, on the control machine."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Watch until the step is over; return `changed`, or `failed` with the reason."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, self.args = self.validate_argument_spec(argument_spec=SPEC)
        facts = task_vars or {}
        self.host = facts.get("inventory_hostname", "host")
        self.hosts = set(facts.get("ansible_play_hosts", [self.host]))
        # With fewer forks than hosts some only begin when others have left.
        self.together = facts.get("ansible_forks", len(self.hosts)) >= len(self.hosts)
        self.patience = self.args["patience"]
        self.texts: dict[str, str] = {}
        self.waits: dict[str, str] = {}
        # One host alone shows the line; the others stay until it has closed it.
        self.drawer = self.args["leader"] or min(self.hosts)
        self.draws = self.drawer == self.host
        name = f"pipeline-progress/{self.args['title'].encode().hex()}"
        self.board = Board(Path(constants.DEFAULT_LOCAL_TMP) / name)
        self.screen = Screen()
        if self.args["start"]:
            self.start(self.args["units"][0]["name"])
        result["changed"] = self.args["start"]
        try:
            result.update(self._watch(), booted=self.booted)
        except BaseException:
            self._fail()
            raise
        return result

    def _watch(self) -> dict[str, Any]:
        """Poll until the step is over for this host; return what to add to the result."""
        began = time.monotonic()
        while True:
            found = self._poll()
            states = [systemd.state_of(properties) for properties in found]
            seconds = time.monotonic() - began
            late = seconds > self.args["timeout"]
            ended = states[0] == "ended" if self._leads() else all(s == "ended" for s in states)
            if "failed" in states or (late and not (ended or self._follows())):
                wrong = "failed" if "failed" in states else next(s for s in states if s != "ended")
                self._fail()
                return self._failure(states.index(wrong), wrong, found)
            self._write(ENDED if ended else GOING_ON)
            entries = self.board.read()
            if any(entry.state == FAILED for entry in entries.values()):
                self._close(self._line(entries))
                return {}
            if self._over(entries, seconds, ended=ended):
                self._close(self._last_line(entries))
                return {"told": self.read(self.args["read"])}
            if self.draws:
                self.screen.show(self._line(entries))
            time.sleep(POLL_SECONDS)

    def _leads(self) -> bool:
        return bool(self.args["leader"]) and self.draws

    def _follows(self) -> bool:
        return bool(self.args["leader"]) and not self.draws

    def _over(self, entries: dict[str, Entry], seconds: float, *, ended: bool) -> bool:
        """Tell whether this host need not go on."""
        if self._leads():
            return ended
        if self.draws:
            # A host that has not written yet may be a slow one, or wait for a worker.
            told = self.hosts <= entries.keys() or not self.together or seconds > PATIENCE
            return told and all(entry.state != GOING_ON for entry in entries.values())
        return (ended or self._follows()) and self._released(entries, seconds)

    def _released(self, entries: dict[str, Entry], seconds: float) -> bool:
        """Tell whether the host that shows the line has closed it, or gives no sign of life."""
        drawer = entries.get(self.drawer)
        if drawer is None:
            return not self.together or seconds > PATIENCE
        return drawer.state in (OVER, FAILED) or time.time() - drawer.written > PATIENCE

    def _line(self, entries: dict[str, Entry]) -> str:
        width = WIDTH if ON_TERMINAL else 0
        return line(self.args["title"], step_of(entries.values(), self.args["expected"]), width)

    def _last_line(self, entries: dict[str, Entry]) -> str:
        """Return the line of a step that went well; a unit's last status may have been missed."""
        if not self.args["leader"]:
            return f"{self.args['title']}: every consumer has reached its end offsets"
        told = map(progress.read, entries[self.drawer].texts) if self.drawer in entries else []
        total = max((p.total for p in told if p), default=0)
        return f"{self.args['title']}: all {total:,} rows sent" if total else self._line(entries)

    def _write(self, state: str) -> None:
        self.board.write(
            self.host, Entry(state, [*self.texts.values()], waits=[*self.waits.values()])
        )

    def _close(self, text: str) -> None:
        """Close the line, if it is this host's, and then let the others go."""
        if self.draws:
            self.screen.close(text)
            self._write(OVER)

    def _fail(self) -> None:
        """Tell the others, and give the line the time to be closed before Ansible says why."""
        if self.draws:
            self.screen.close(self._line(self.board.read()))
        self._write(FAILED)
        until = time.monotonic() + CLOSE_SECONDS
        while not self.draws and time.monotonic() < until:
            drawer = self.board.read().get(self.drawer)
            if drawer is None or drawer.state in (OVER, FAILED):
                return
            time.sleep(POLL_SECONDS / 10)

    def _poll(self) -> list[dict[str, str]]:
        """Return each unit's properties; keep the texts that tell a progress."""
        names = [unit["name"] for unit in self.args["units"]]
        found = self.show(names)
        self.waits.pop("", None)
        for name, properties in zip(names, found, strict=True):
            text = properties.get("StatusText", "")
            if progress.read(text):
                self.texts[name] = text
            self.waits.pop(name, None)
            if waits := progress.waits(text):
                self.waits[name] = f"{self.host}: {waits}"
        return found

    def away(self, left: float) -> None:
        """Tell all hosts' line that this one does not answer."""
        self.waits[""] = f"{self.host} does not answer, waited for at most {left:.0f} s more"
        self._write(GOING_ON)
        if self.draws:
            self.screen.show(self._line(self.board.read()))

    def _failure(self, at: int, state: str, found: list[dict[str, str]]) -> dict[str, Any]:
        """Return the failed result of the unit at a place of the list."""
        unit, said = self.args["units"][at], found[at].get("StatusText") or "nothing"
        log = systemd.lines(self.command(*systemd.journal(unit["name"])))
        late = f"{state}, not ended, after at most {self.args['timeout']} s; last said: {said}"
        why = systemd.reason(log, found[at]) if state == "failed" else late
        msg = f"{self.host}: {unit['label']} ({unit['name']}): {why}"
        return {"failed": True, "msg": msg, "journal": log}
