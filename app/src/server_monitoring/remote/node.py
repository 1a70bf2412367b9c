"""A node of the inventory, and how ssh reaches it: with the settings that Ansible would use."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from server_monitoring.errors import ConfigError, UsageError, one_line

CONSUMERS = "consumers_*"
"""All groups of consumers: the alerts of all are in one topic, so that any of their hosts does."""
_SSH = ("ssh", "ansible.builtin.ssh", "smart", "paramiko", "ansible.netcommon.paramiko")
_LOCAL = ("local", "ansible.builtin.local")
# Options of Ansible's ssh, and the variables that set them; else ansible.cfg or the environment.
_OPTIONS = {
    "host": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "remote_user": ("ansible_user", "ansible_ssh_user"),
    "private_key_file": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "host_key_checking": ("ansible_host_key_checking", "ansible_ssh_host_key_checking"),
    "ssh_executable": ("ansible_ssh_executable",),
    "ssh_args": ("ansible_ssh_args",),
    "ssh_common_args": ("ansible_ssh_common_args",),
    "ssh_extra_args": ("ansible_ssh_extra_args",),
    "timeout": ("ansible_ssh_timeout", "ansible_timeout"),
}
_ENVIRONMENT = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
}
_FOUND = " | SUCCESS => "


class Node(NamedTuple):
    """A node: its name in the inventory, and the command that takes a shell's line to it."""

    name: str
    shell: tuple[str, ...]


def find_node(inventory: Path | None, name: str | None) -> Node:
    """Return the node `name`, or the first host that consumes a metric group.

    Args:
        inventory: where Ansible looks; None: where it looks by itself.
        name: of a host there.

    Raises:
        UsageError: there is no Ansible, or no such host.
        ConfigError: Ansible refuses the inventory, or the host is reached in another way.

    """
    pattern = f"{name or CONSUMERS}[0]"
    said = _ask(inventory, pattern)
    host, found, content = said.partition(_FOUND)
    if not found:
        raise UsageError(
            f"inventory {inventory or 'of ansible.cfg'}: no host {name or CONSUMERS}; name the "
            "inventory with --inventory and one of its nodes with --node"
        )
    try:
        options = json.loads(content[: content.rindex("}") + 1])["msg"]
        return Node(host, _shell(host, options))
    except (ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"host {host}: {one_line(error, 80)}: Ansible did not say how it is reached; see "
            f"ansible {host} -m ping"
        ) from error


def _ask(inventory: Path | None, pattern: str) -> str:
    beside = Path(sys.executable).with_name("ansible")
    program = str(beside) if beside.exists() else shutil.which("ansible")
    if program is None:
        raise UsageError(
            "ansible: not found; run this in the control machine's environment (. .venv/bin/"
            "activate), or on a node with --json"
        )
    asked = {name: _template(name, variables) for name, variables in _OPTIONS.items()}
    asked["connection"] = "{{ ansible_connection | default('ssh') }}"
    options = ["-i", str(inventory)] if inventory else []
    command = [program, *options, pattern, "-m", "ansible.builtin.debug", "-a"]
    done = subprocess.run(
        [*command, json.dumps({"msg": asked})],
        capture_output=True,
        text=True,
        errors="replace",
        env=os.environ | _ENVIRONMENT,
        check=False,
    )
    if done.returncode:
        said = done.stdout.strip() or done.stderr.strip() or "no answer"
        raise ConfigError(f"ansible: {one_line(said)}")
    return done.stdout


def _template(option: str, variables: tuple[str, ...]) -> str:
    # The lookup knows of variables too, but does not render what stands in them.
    of = "plugin_type='connection', plugin_name='ssh', on_missing='skip'"
    last = f"lookup('ansible.builtin.config', '{option}', {of})"
    given = " | ".join(f"default({name})" for name in (*variables[1:], last))
    return f"{{{{ {variables[0]} | {given} }}}}"


def _shell(name: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the command before a shell's line."""
    if options["connection"] in _LOCAL:
        return "/bin/sh", "-c"
    if options["connection"] not in _SSH:
        raise ConfigError(
            f"host {name}: found ansible_connection {one_line(options['connection'], 40)}, "
            "expected ssh; name another node with --node"
        )
    command = [options["ssh_executable"] or "ssh", "-T"]
    # A connection of its own: a shared one would outlive this command, or end with another.
    command += ["-o", "ControlMaster=no", "-o", "ControlPath=none"]
    for given in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
        command += shlex.split(options[given] or "")
    if str(options["host_key_checking"]).lower() in ("false", "0", "no"):
        command += ["-o", "StrictHostKeyChecking=no"]
    for option, key in (
        ("Port", "port"),
        ("User", "remote_user"),
        ("IdentityFile", "private_key_file"),
        ("ConnectTimeout", "timeout"),
    ):
        if options[key] not in (None, ""):
            command += ["-o", f"{option}={options[key]}"]
    # A link that is cut off silently is noticed after fifteen seconds.
    command += ["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]
    return *command, str(options["host"] or name)
