"""The role on this machine, in namespaces of its own: what it finds right it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.playbooks import AS_ROOT
from tests.support.project import PROJECT

# Stands in for systemd: it remembers whether the unit is enabled and active.
SYSTEMCTL = """\
#!/bin/bash
unit=/etc/systemd/system/server-monitoring-firewall.service
case "$*" in
  is-enabled*) [ -e /run/enabled ] && echo enabled || exit 1 ;;
  is-active*) [ -e /run/active ] && echo active || exit 3 ;;
  show*)
    [ -e $unit ] && echo LoadState=loaded || echo LoadState=not-found
    [ -e /run/active ] && echo ActiveState=active || echo ActiveState=inactive ;;
  enable*) touch /run/enabled ;;
  start*) touch /run/active ;;
esac
"""
# The unit that loads new rules and takes them back, without its wait.
SYSTEMD_RUN = """\
#!/bin/bash
for word in "$@"; do
  case $word in --property=ExecStartPre=*) ${word#*=*=} ;; esac
done
"""
SCRIPT = """
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
for tool in systemctl systemd-run; do mount --bind {folder}/$tool /usr/bin/$tool; done
cd {project}
export ANSIBLE_NOCOLOR=1 ANSIBLE_LOCAL_TEMP=/run/ansible
play() {{
    echo "=== $1"
    shift
    {ansible} --inventory {folder}/hosts.yml playbooks/firewall.yml "$@" 2>&1 || true
}}
play first
play second --diff
nft flush chain inet server_monitoring underlay
rm /run/enabled
echo '# by hand' >> /etc/server-monitoring/firewall.nft
play drifted --check --diff
play corrected
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what each of the runs printed, by its name."""
    folder = tmp_path_factory.mktemp("firewall")
    host = {"ansible_connection": "local", "zerotier_ip": "172.29.0.1"}
    hosts = {"all": {"hosts": {"node-1": host}, "children": {"kafka": {"hosts": {"node-1": {}}}}}}
    (folder / "hosts.yml").write_text(json.dumps(hosts))
    for name, text in (("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    ansible = Path(sys.executable).with_name("ansible-playbook")
    script = SCRIPT.format(folder=folder, project=PROJECT, ansible=ansible)
    command = [*AS_ROOT, "unshare", "--mount", "--net", "bash", "-e", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = [run.partition("\n") for run in done.stdout.split("=== ")[1:]]
    return {name: printed for name, _, printed in runs}


def test_nothing_is_done_where_all_is_right(said: dict[str, str]) -> None:
    """The first run loads the rules and makes them permanent, the second only looks."""
    assert "changed=6 " in said["first"], said["first"]
    assert "failed=0" in said["first"]
    assert "changed=0 " in said["second"], said["second"]
    assert "failed=0" in said["second"]


def test_what_was_changed_by_hand_is_said_and_corrected(said: dict[str, str]) -> None:
    """A rule that was taken out, a line in the file, and a unit that was switched off."""
    assert "would be loaded" in said["drifted"]
    assert "-# by hand" in said["drifted"]
    assert "changed=3 " in said["drifted"]
    assert "failed=0" in said["corrected"]
