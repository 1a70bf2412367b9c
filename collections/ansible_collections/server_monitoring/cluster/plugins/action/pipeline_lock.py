"""Let one run at a time pass the gate, whichever machine it is started from."""

import json
import os
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from ..module_utils.pipeline import systemd
from ..plugin_utils.unit_action import WANTS, UnitAction, tell

DOCUMENTATION = r"""
module: pipeline_lock
short_description: Let one run at a time pass the gate, whichever machine it is started from
description:
  - Taken on one host before the gate, let go when the run's consumers are active, which keep other
    runs out from then on, or when the run ends before. Both by one step that nobody can interrupt.
  - When the run is over, nothing of it is started with the host any more, or counts as failed.
  - A holder whose play ran on this machine and has ended without a word, as by Ctrl-C, holds it no
    longer; of one on another machine that cannot be known.
  - On every host it tells which runs were given up while that host or another did not answer.
options:
  state:
    description:
      - C(taken), C(left), C(ended) by a run that succeeded.
      - C(over) by one that was given up; its units are stopped, and who does not answer is told of.
    type: str
    choices: [taken, left, ended, over]
    required: true
  units: {description: Pattern of the run's units., type: str, default: ""}
  boot: {description: What the gate said of the host's boot., type: str, default: ""}
  keeps: {description: Whether this host keeps the lock., type: bool, required: true}
  run: {description: The run's C(id), its C(token), and C(by) whom it was started., type: dict}
  force: {description: Whether to take it from another run., type: bool, default: false}
  seconds: {description: After how many it counts no longer., type: int, default: 3600}
"""

RETURN = r"""
booted: {description: Whether the host was started again since the gate., type: bool}
over: {description: The runs that were given up., type: list, elements: str, returned: success}
"""

SPEC: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["taken", "left", "ended", "over"], "required": True},
    "keeps": {"type": "bool", "required": True},
    "run": {"type": "dict", "required": True},
    "units": {"type": "str", "default": ""},
    "boot": {"type": "str", "default": ""},
    "force": {"type": "bool", "default": False},
    "seconds": {"type": "int", "default": 3600},
}
# Root's own folder, which a boot empties: no unit is active then either.
FOLDER = os.environ.get("SERVER_MONITORING_RUN") or "/run/server-monitoring-runs"
# Answers with the holder where there is another one, and then with the runs that were given up.
SCRIPT = """
[ {state} != over ] || systemctl stop {units}
case {state} in ended|over) rm -f {links}; systemctl reset-failed {units} ;; esac
mkdir -p -m 0755 {folder} && exec 9>{folder}/mutex && flock 9 && cd {folder} || exit
taken() {{ [ -s holder ] && [ $(($(date +%s) - $(stat -c %Y holder))) -lt {seconds} ] &&
    ! grep -qF {gone} holder; }}
case {state} in
taken) if taken && ! {force}; then echo "since $(stat -c %y holder)"; cat holder
    else printf '%s\\n' {holder} >holder; echo free; fi ;;
*) if grep -qF {token} holder 2>/dev/null; then rm holder; fi; echo free ;;
esac
[ -e over ] || : >over
case {asked} in
over) {{ echo {run_id}; head -n 50 over; }} >over.new && mv over.new over ;;
taken) grep -vxF {run_id} over >over.new; mv over.new over ;;
esac
echo; cat over
"""
AWAY = "does not answer: what it runs of the run is stopped when the next run begins"


class ActionModule(UnitAction):
    """The action: it runs on the control machine and asks the host by its connection."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Take or leave the lock; return `over`, or `failed` with whose it is."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=SPEC)
        self.host = self._task.delegate_to or (task_vars or {}).get("inventory_hostname", "host")
        run = args["run"]
        state = "left" if args["state"] == "taken" and not args["keeps"] else args["state"]
        holder = {name: str(run[name]) for name in ("id", "token", "by")} | {"play": own_play()}
        script = partial(
            SCRIPT.format,
            folder=shlex.quote(FOLDER),
            seconds=args["seconds"],
            state=state,
            asked=args["state"],
            force=str(args["force"]).lower(),
            holder=shlex.quote(json.dumps(holder)),
            token=shlex.quote(holder["token"]),
            run_id=shlex.quote(holder["id"]),
            units=shlex.quote(args["units"]),
            links=f"{WANTS}/{args['units']}",
        )
        try:
            boot, first, over = self._ask(script)
            if gone := gone_token(first):
                # By its token: of two who see that it is gone, one alone gets the lock.
                boot, first, over = self._ask(script, gone)
        except AnsibleActionFail:
            if state != "over":
                raise
            tell(f"  {self.host} {AWAY}")
            return result | {"changed": False, "over": []}
        booted = args["boot"] not in ("", boot.removeprefix("boot").strip())
        result.update(changed=state == "over", over=over.split(), booted=booted)
        if first.strip() != "free":
            result.update(failed=True, msg=f"{self.host}: {_refusal(first, args['seconds'])}")
        return result

    def _ask(self, script: Callable[..., str], gone: str = "") -> tuple[str, str, str]:
        """Return what the host says of its boot, of the lock, and of the runs given up.

        The holder with the token `gone` counts no longer; none has an empty one.
        """
        asked = script(gone=shlex.quote(f'"token": "{gone}"'))
        said = self.shell(f"echo boot $({shlex.join(systemd.BOOT)}); ({asked}) 2>/dev/null")
        boot, _, said = "\n".join(said.splitlines()).partition("\n")
        first, _, over = said.partition("\n\n")
        return boot, first, over


def own_play() -> str:
    """Return boot and process namespace of this machine, and the play's process; or nothing."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()} {os.getppid()}"
    except OSError:
        return ""


def gone_token(told: str) -> str:
    """Return the token of a holder whose play ran on this machine and has ended; else nothing."""
    try:
        holder = json.loads(told.partition("\n")[2])
        place, _, process = holder["play"].rpartition(" ")
        if place and place == own_play().rpartition(" ")[0]:
            os.kill(int(process), 0)  # sends nothing
    except ProcessLookupError:
        return str(holder["token"])
    except (OSError, OverflowError, ValueError, LookupError, TypeError, AttributeError):
        pass
    return ""


def _refusal(told: str, seconds: int) -> str:
    """Return why the lock cannot be had, from when it was taken and what its holder wrote."""
    since, _, text = told.partition("\n")
    try:
        holder = json.loads(text)
        whose = f"run {holder['id']}, started by {holder['by']},"
    except (ValueError, KeyError, TypeError):
        if not since.startswith("since "):
            return f"no lock for the run: {systemd.one_line(told) or 'no answer'}; run it again"
        whose = "another run"
    return (
        f"{systemd.one_line(whose)} passes its gate {systemd.one_line(since.partition('.')[0])}; "
        f"wait for its end, or, if it was broken off, go on with -e pipeline_stop_running=true "
        f"(after {seconds} s it counts no longer)"
    )
