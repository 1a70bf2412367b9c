"""Tell whether a host is fit for a run, and prepare the run's folder on it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: pipeline_gate
short_description: Tell whether a host is fit for a run, and prepare the run's folder on it
description:
  - Checks in one go that the overlay is up and that no other run goes on; where the host has a part
    in the run, also its units and that the brokers answer.
  - Stops at the first thing that is wrong, with one line that says what, and what to do.
options:
  host:
    description: What to call this host in what is said.
    type: str
    required: true
  address:
    description: This host's IPv4 address on the overlay.
    type: str
    required: true
  units:
    description: Pattern of the systemd units of every run.
    type: str
    required: true
  stop_running:
    description: Whether units of another run are stopped, where they are otherwise left alone.
    type: bool
    default: false
  over:
    description: Runs that were given up while this host did not answer; their units are stopped.
    type: list
    elements: str
    default: []
  run:
    description: The host's part in the run; without it nothing is prepared.
    type: dict
    suboptions:
      id:
        description: The run's name.
        type: str
        required: true
      data_dir:
        description: Where the app keeps its data.
        type: path
        required: true
      files:
        description: What the files of the run's folder shall hold, by name; one is config.yml.
        type: dict
        required: true
      options:
        description: What the files that systemd reads for the run's units shall hold, by name.
        type: dict
        default: {}
      unit_files:
        description: What the host's unit files hold, made with this run's settings, by path.
        type: dict
        default: {}
      is_open:
        description:
          - Whether the units may write in the run's folder when this is over. Until they may, root
            can put further files there.
        type: bool
        default: true
      probe:
        description: Command that asks the brokers, to which the path of config.yml is added.
        type: list
        elements: str
        required: true
"""

EXAMPLES = r"""
- name: Check the broker's host, which has no part in the run itself
  server_monitoring.cluster.pipeline_gate:
    host: kafka-1
    address: 172.29.0.1
    units: server-monitoring-*@*.service
"""

RETURN = r"""
boot:
  description: When systemd began to start services, which tells one boot from another.
  type: str
  returned: success
versions:
  description: Versions of Kafka, of ZeroTier and of its package; empty where there is none.
  type: dict
  returned: success
"""

Json = dict[str, Any]
ARGUMENTS: Json = {
    "host": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "units": {"type": "str", "required": True},
    "stop_running": {"type": "bool", "default": False},
    "over": {"type": "list", "elements": "str", "default": []},
    "run": {
        "type": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            "data_dir": {"type": "path", "required": True},
            "files": {"type": "dict", "required": True},
            "options": {"type": "dict", "default": {}},
            "unit_files": {"type": "dict", "default": {}},
            "is_open": {"type": "bool", "default": True},
            "probe": {"type": "list", "elements": "str", "required": True},
        },
    },
}
KAFKA = Path("/opt/kafka")
# A folder where units make files, and remove no other's; and one where root alone does.
SHARED, CLOSED = 0o1770, 0o750
# Units of a run that are started again with the host.
WANTS = Path("/etc/systemd/system/multi-user.target.wants")


class UnfitError(Exception):
    """What is wrong with the host, in one line."""


class Gate:
    """The checks of one host, each of which raises UnfitError."""

    def __init__(self, module: AnsibleModule) -> None:
        """Take the module whose commands and files are used."""
        self._module = module

    def pass_through(self) -> Json:
        """Check everything, prepare the run's folder, and return the module's result."""
        params = self._module.params
        self._check_overlay(params["address"])
        self._leave_or_stop(params["units"], params["over"], stop=params["stop_running"])
        self._forget(params["units"])
        if run := params["run"]:
            _check_unit_files(run["unit_files"])
            folder = self._prepare(run)
            try:
                self._check_broker([*run["probe"], f"--config={folder}/config.yml"])
            except UnfitError:
                shutil.rmtree(folder)
                shutil.rmtree(_options(run))
                raise
            if run["is_open"]:
                self._give(folder, SHARED)
        _, boot, _ = self._ask("systemctl", "show", "--property=UserspaceTimestampMonotonic")
        return {"changed": bool(run), "boot": boot, "versions": self._versions()}

    def _check_overlay(self, address: str) -> None:
        status, networks, problem = self._ask("zerotier-cli", "-j", "listnetworks")
        found = json.loads(networks) if status == 0 else []
        up = [network for network in found if network["status"] == "OK"]
        if address in {a.partition("/")[0] for network in up for a in network["assignedAddresses"]}:
            return
        states = ", ".join(network["status"] for network in found) or "no network joined"
        message = (
            f"no ZeroTier network with status OK and the address {address} found "
            f"({states if status == 0 else problem}); run provision.yml --tags zerotier"
        )
        raise UnfitError(message)

    def _leave_or_stop(self, pattern: str, over: list[str], *, stop: bool) -> None:
        """Let no unit of another run go on beside this one; runs that are `over` are stopped."""
        lists = ["--plain", "--no-legend", "--state=active,activating", pattern]
        _, listed, _ = self._ask("systemctl", "list-units", *lists, required=True)
        units = [line.split()[0] for line in listed.splitlines()]
        others = [unit for unit in units if _run_of(unit) not in over]
        if others and not stop:
            runs = sorted({_run_of(unit) for unit in others})
            message = (
                f"{', '.join(others)} still runs{''.join(map(self._silence, runs))}; "
                "wait for that run's end, or stop it with -e pipeline_stop_running=true"
            )
            raise UnfitError(message)
        if units:
            self._ask("systemctl", "stop", *units, required=True)

    def _silence(self, run_id: str) -> str:
        """Return since when no row of a run came or went on this host, where that can be told."""
        part = self._module.params["run"]
        written = _last_written(Path(part["data_dir"], "runs", run_id)) if part else None
        if written is None:
            return ""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(written))
        return f" (run {run_id}: silent for {max(0, int(time.time() - written))} s, since {at})"

    def _forget(self, pattern: str) -> None:
        """Let nothing of an earlier run be started with the host, or count as failed."""
        for link in WANTS.glob(pattern):
            link.unlink()
        self._ask("systemctl", "reset-failed", pattern)

    def _prepare(self, run: Json) -> Path:
        """Make the run's folder with its settings, and return its path."""
        folder = Path(run["data_dir"], "runs", run["id"])
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError as problem:
            message = (
                f"{folder} exists, so the run {run['id']} was started before; "
                "choose another pipeline_run_id"
            )
            raise UnfitError(message) from problem
        except OSError as problem:
            message = f"{folder}: {problem.strerror}; run provision.yml"
            raise UnfitError(message) from problem
        self._give(folder, CLOSED)
        (folder / "raw").mkdir(mode=0o700)
        self._give(folder / "raw", SHARED)
        self._write(folder, run["files"])
        options = _options(run)
        options.mkdir(mode=0o750, exist_ok=True)
        self._write(options, run["options"])
        return folder

    def _write(self, folder: Path, files: dict[str, str]) -> None:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
            self._give(folder / name, 0o640)

    def _give(self, path: Path, mode: int) -> None:
        """Give a file or a folder to root and, with these rights, to the units' users."""
        wanted = {"path": str(path), "owner": "root", "group": "server-monitoring", "mode": mode}
        rest = {"secontext": [None], "attributes": None}
        self._module.set_fs_attributes_if_different({**wanted, **rest}, changed=False)

    def _check_broker(self, probe: list[str]) -> None:
        status, _, problem = self._ask(*probe)
        if status != 0:
            reason = problem.splitlines()[-1] if problem else f"{probe[0]}: status {status}"
            raise UnfitError(reason)

    def _versions(self) -> dict[str, str]:
        package = self._ask("dpkg-query", "--show", "--showformat=${Version}", "zerotier-one")
        info = self._ask("zerotier-cli", "-j", "info")
        kafka = KAFKA.readlink().name if KAFKA.is_symlink() else ""
        return {
            "kafka": kafka.removeprefix("kafka-"),
            "zerotier": json.loads(info[1])["version"] if info[0] == 0 else "",
            "zerotier_package": package[1] if package[0] == 0 else "",
        }

    def _ask(self, *argv: str, required: bool = False) -> tuple[int, str, str]:
        """Run a command; return its status and what it printed on both ways, without blanks."""
        status, told, problem = self._module.run_command(
            list(argv), check_rc=required, environ_update={"LC_ALL": "C"}
        )
        return status, told.strip(), problem.strip()


def _options(run: Json) -> Path:
    """Return the folder of what a run's units are started with."""
    return Path(run["data_dir"], "units", run["id"])


def _check_unit_files(wanted: dict[str, str]) -> None:
    """Let no run begin whose units are started with other settings than the run has."""
    for path, text in wanted.items():
        if not Path(path).is_file() or Path(path).read_text(encoding="utf-8") != text:
            message = (
                f"{path} is not what this run's settings make of it: heap, cores, Java options "
                "and limits of units are laid down by provision.yml; run it with the same settings"
            )
            raise UnfitError(message)


def _run_of(unit: str) -> str:
    """Return the run of a unit's name."""
    return unit.partition("@")[2].removesuffix(".service")


def _last_written(folder: Path) -> float | None:
    """Return when something of a run was written last, in seconds since the epoch.

    What is there is the service's: its names are listed, and nothing is opened or followed.
    """
    try:
        found = [folder, *folder.iterdir(), *folder.glob("raw/*/*")]
        return max(path.lstat().st_mtime for path in found)
    except OSError:
        return None


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS)
    try:
        result = Gate(module).pass_through()
    except UnfitError as unfit:
        module.fail_json(msg=f"{module.params['host']}: {unfit}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
