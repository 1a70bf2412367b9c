"""Runs of ansible-playbook on this machine, with a systemctl that plays what it is told."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.support.project import PROJECT

RUN = "r1"
PRODUCER = f"server-monitoring-produce@{RUN}.service"
CONSUMER = f"server-monitoring-consume-cpu_mem@{RUN}.service"
OTHER = f"server-monitoring-consume-net_disk@{RUN}.service"
# Each look at a unit shows its next scene, the last one again and again.
Scene = Mapping[str, str]
SYSTEMCTL = """#!{python}
import json, pathlib, sys
home = pathlib.Path({home!r})
with (home / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "show":
    blocks = []
    for unit in (word for word in sys.argv[2:] if not word.startswith("-")):
        scenes = json.loads((home / "scenes.json").read_text())[unit]
        count = home / unit
        looks = int(count.read_text()) if count.exists() else 0
        count.write_text(str(looks + 1))
        scene = scenes[min(looks, len(scenes) - 1)]
        blocks.append("\\n".join(f"{{name}}={{value}}" for name, value in scene.items()))
    print("\\n\\n".join(blocks))
"""


def active(text: str) -> Scene:
    """Return the properties of a unit that works and says `text`."""
    return {"LoadState": "loaded", "ActiveState": "active", "StatusText": text}


ENDED = {"LoadState": "loaded", "ActiveState": "inactive", "Result": "success", "StatusText": ""}
BROKEN = {"LoadState": "loaded", "ActiveState": "failed", "Result": "exit-code"}


def write_site(folder: Path, scenes: Mapping[str, Sequence[Scene]]) -> dict[str, str]:
    """Write inventory, tools and plays of a run, and return the environment that uses them."""
    tools = folder / "bin"
    tools.mkdir()
    (folder / "scenes.json").write_text(json.dumps(scenes), encoding="utf-8")
    journal = "#!/bin/sh\necho 'server-monitoring: error: topic-cpu: gone; provision'\n"
    script = SYSTEMCTL.format(python=sys.executable, home=str(folder))
    for name, text in (("systemctl", script), ("journalctl", journal)):
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    data = folder / "data" / "runs" / RUN
    data.mkdir(parents=True)
    (data / "produce.json").write_text('{"rows": {"topic-cpu": 40}}', encoding="utf-8")
    hosts = {
        "kafka": {"hosts": {"p1": None}},
        "producers": {"hosts": {"p1": None}},
        "consumers_cpu_mem": {"hosts": {"c1": None}},
        "consumers_net_disk": {"hosts": {"c2": None}},
    }
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_become": False,
        "pipeline_data_dir": str(folder / "data"),
    }
    inventory = {"all": {"children": hosts, "vars": variables}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (folder / "site.yml").write_text(yaml.safe_dump(plays()), encoding="utf-8")
    return {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_ROLES_PATH": str(PROJECT / "roles"),
        "ANSIBLE_NOCOLOR": "1",
        "SERVER_MONITORING_POLL_SECONDS": "0.2",
        "SERVER_MONITORING_RUN": str(folder / "run"),
        "SERVER_MONITORING_WANTS": str(folder / "wants"),
        "TERM": "xterm",
        "COLUMNS": "80",
    }


def plays() -> list[dict[str, object]]:
    """Return the project's own step 3, and step 4 without the files that it brings."""
    fact = {"pipeline_run": {"id": RUN, "token": "t1", "by": "a test"}}
    name: dict[str, object] = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [{"set_fact": fact}],
    }
    watch = {
        "title": "step 4 of 6, drain",
        "units": "{{ [{'name': unit, 'label': 'consumer'}] }}",
        "expected": {"topic-cpu": 40, "topic-mem": 40},
    }
    units = f"{{{{ '{CONSUMER}' if inventory_hostname == 'c1' else '{OTHER}' }}}}"
    drain = {
        "hosts": "consumers_*",
        "gather_facts": False,
        "any_errors_fatal": True,
        "vars": {"unit": units},
        "tasks": [{"name": "Drain", "server_monitoring.cluster.pipeline_progress": watch}],
    }
    produce: dict[str, object] = {"import_playbook": str(PROJECT / "playbooks" / "run_produce.yml")}
    return [name, produce, drain]


def run(
    folder: Path,
    scenes: Mapping[str, Sequence[Scene]],
    *arguments: str,
    terminal: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the plays, through a pipe or on a terminal of 80 columns; return what was printed."""
    return play(folder, write_site(folder, scenes), *arguments, terminal=terminal)


def play(
    folder: Path, environment: Mapping[str, str], *arguments: str, terminal: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the plays of a site that is written already."""
    command = ["ansible-playbook", "-i", "hosts.yml", "site.yml", *arguments]
    if terminal:
        command = ["script", "--quiet", "--return", "--command", " ".join(command), "/dev/null"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=120,
    )
    # Not as text: carriage returns must stay.
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode())


@contextmanager
def started(
    folder: Path, scenes: Mapping[str, Sequence[Scene]]
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the plays with their output in a pipe; they are waited for at the end."""
    process = subprocess.Popen(
        ["ansible-playbook", "-i", "hosts.yml", "site.yml"],
        cwd=folder,
        env=write_site(folder, scenes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        with process:
            yield process
            process.communicate()
    finally:
        watchdog.cancel()
