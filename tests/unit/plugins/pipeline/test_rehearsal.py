"""A rehearsal that fails tells why on one line, in Java's words or the app's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.filter.pipeline_rehearsal import (
    rehearsal_problem as problem,
)

from tests.support.project import PROJECT

# What Java 17 says when started with 10m; with 1m; with an option that it does not know.
HEAP = (
    "WARNING: Using incubator modules: jdk.incubator.vector\n"
    "Error: A JNI error has occurred, please check your installation and try again\n"
    'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n'
    "\tat java.base/java.util.zip.ZipFile$Source.initCEN(ZipFile.java:1666)\n"
)
NO_HEAP = "Error occurred during initialization of VM\nToo small maximum heap\n"
APP = (
    "Using Spark's default log4j profile\n"
    "server-monitoring: error: Spark did not start: System memory 310378496 must be at least 4718\n"
)
THROWN = (
    'Exception in thread "main" org.apache.spark.SparkException: no python3\n'
    "\tat org.apache.spark.deploy.PythonRunner$.main(PythonRunner.scala:96)\n"
    "Caused by: java.io.IOException: none\n\t... 12 more\n"
)


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ({"rc": 1, "stderr": HEAP}, "java.lang.OutOfMemoryError: Java heap space"),
        ({"rc": 1, "stdout": NO_HEAP}, "status 1: Too small maximum heap"),
        (
            {"rc": 7, "stdout": APP, "stderr": HEAP},
            "Spark did not start: System memory 310378496 must be at least 4718",
        ),
        ({"rc": 1, "stderr": THROWN}, "org.apache.spark.SparkException: no python3"),
        ({"rc": 0, "stdout": "rehearsed"}, "Java ended without an archive of its classes"),
        ({"rc": 2, "msg": "No such file"}, "status 2: No such file"),
        ({"rc": 137}, "status 137: it said nothing"),
    ],
)
def test_reason_is_one_line(done: dict[str, Any], expected: str) -> None:
    """Neither a trace nor the last of many lines."""
    assert problem(done) == expected


def test_command_is_words_on_one_line_as_ansible_renders_it(tmp_path: Path) -> None:
    """Ansible takes a backslash in a playbook otherwise than in a template; no shell is there."""
    role = PROJECT / "roles" / "pipeline"
    (tmp_path / "templates").symlink_to(role / "templates")
    content = "{{ _pipeline_rehearse }}\n{{ _pipeline_rehearse_in_sandbox | to_json }}"
    copy = {"content": content, "dest": str(tmp_path / "command")}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "vars_files": [str(role / folder / "main.yml") for folder in ("defaults", "vars")],
        "tasks": [{"ansible.builtin.copy": copy | {"mode": "0600"}}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "--inventory=localhost,", "--connection=local", "play.yml"],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    command, in_sandbox = (tmp_path / "command").read_text(encoding="utf-8").split("\n", 1)
    words = command.split(" ")
    assert words[:3] == ["/usr/bin/java", "-cp", "/opt/spark/jars/*"]
    assert words[-2:] == ["/opt/spark/server-monitoring.py", "rehearse"]
    assert "-XX:ArchiveClassesAtExit=/tmp/classes.jsa" in words
    assert not {"\n", "\\"} & set(command)
    # No path that the job's user could change: its output is the archive.
    sandboxed = json.loads(in_sandbox)
    assert sandboxed[3:7] == ["sh", "/opt/spark/.classes.jsa", "systemd-run", "--quiet"]
    assert "--property=User=sm-check" in sandboxed
    at = sandboxed.index("/bin/sh", 1)
    assert sandboxed[at : at + 4] == ["/bin/sh", "-c", '"$@" >&2 && cat /tmp/classes.jsa', "sh"]
    assert sandboxed[at + 4 :] == words
