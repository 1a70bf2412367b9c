"""Bare nodes as people have them: an administrator with sudo and a password, closed umasks."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.playbooks import on, play

pytestmark = pytest.mark.long
NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
PASSWORD = "of the lab"  # noqa: S105 - of a user that lives as long as these tests
MAKE = f"""
set -e
apt-get update --quiet=2
apt-get install --yes --quiet=2 --no-install-recommends sudo
useradd --create-home --shell /bin/bash administrator
echo 'administrator:{PASSWORD}' | chpasswd
install -d -o administrator -m 0700 /home/administrator/.ssh
install -o administrator -m 0600 /root/.ssh/authorized_keys /home/administrator/.ssh/
echo 'administrator ALL=(ALL:ALL) ALL' > /etc/sudoers.d/administrator
echo 'Defaults umask=0077, umask_override' >> /etc/sudoers.d/administrator
"""
# Ansible keeps its connections for a while.
REMOVE = "userdel --force --remove administrator; rm /etc/sudoers.d/administrator"


@pytest.fixture(scope="module")
def administrator() -> Iterator[dict[str, Any]]:
    """Yield what Ansible must know of the administrator that each node has meanwhile."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: on(node, MAKE), NODES))
        yield {"ansible_user": "administrator", "ansible_become_password": PASSWORD}
        list(pool.map(lambda node: on(node, REMOVE), NODES))


@pytest.fixture(autouse=True)
def _closed_umask() -> Iterator[None]:
    """Let this machine's files be for their owner alone, as those on the nodes are."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_a_wrong_password_is_told(administrator: dict[str, Any]) -> None:
    """In Ansible's own words; nothing is done."""
    result = play("provision.yml", extra=administrator | {"ansible_become_password": "another"})
    assert result.status != 0
    assert result.says("Incorrect sudo password"), result.tail()
    assert "Traceback" not in result.output


def test_bare_nodes_become_a_pipeline(administrator: dict[str, Any]) -> None:
    """What is made under these umasks is as declared, and a run's services can use it."""
    assert play("provision.yml", "--check", extra=administrator).status == 0
    first = play("provision.yml", extra=administrator)
    assert first.status == 0, first.tail()
    again = play("provision.yml")
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail()
    run = play("run_pipeline.yml", extra=administrator)
    assert run.status == 0, run.tail()
