"""The role kafka_access on this machine: users, credentials, and a change of all passwords."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePatternFilter,
    ResourceType,
)

from tests.kafka.access import users
from tests.kafka.access_broker import NAME, AccessBroker, logs_in
from tests.support.project import PROJECT

GROUPS = {"cpu_mem": ["topic-cpu", "topic-mem"], "net_disk": ["topic-net", "topic-disk"]}
ACCOUNTS = ("producer", "consumer_cpu_mem", "consumer_net_disk", "operator")
UNIT = "server-monitoring-produce@r1.service"
SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> {log}
case "$*" in list-units*produce@*) echo "{unit} loaded active running";; esac
"""
CHANGED = re.compile(r"changed=(\d+)")


class Site:
    """An inventory of this machine alone, and its playbooks' runs."""

    def __init__(self, directory: Path, broker: AccessBroker) -> None:
        """Write the inventory."""
        self.directory = directory
        self.credentials = directory / "node" / "credentials"
        self.units = directory / "units"
        self.printed = ""
        self.credentials.parent.mkdir()
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "ansible_become": os.geteuid() != 0,
            "zerotier_ip": "127.0.0.1",
            "kafka_port": broker.client_port,
            "kafka_broker_port": broker.admin_port,
            "kafka_access_enabled": True,
            "kafka_access_admin_properties": str(broker.admin_properties),
            "kafka_access_credentials_dir": str(self.credentials),
            "kafka_access_python": sys.executable,
        }
        groups = ("kafka", "producers", *(f"consumers_{group}" for group in GROUPS))
        inventory = {
            "all": {
                "hosts": {NAME: variables},
                "children": {group: {"hosts": {NAME: {}}} for group in groups},
            }
        }
        (directory / "hosts.yml").write_text(yaml.safe_dump(inventory))
        (directory / "vault").write_text("a password of this test\n")
        tools = directory / "bin"
        tools.mkdir()
        (tools / "systemctl").write_text(SYSTEMCTL.format(log=self.units, unit=UNIT))
        (tools / "systemctl").chmod(0o755)

    def environment(self) -> dict[str, str]:
        """Return the variables of a run: this interpreter's tools, and a systemctl that tells."""
        path = f"{self.directory / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return os.environ | {
            "PATH": path,
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self.directory / "vault"),
            "PYTHONPATH": str(PROJECT / "app" / "src"),
            "ANSIBLE_GATHERING": "explicit",  # nothing here asks for facts, which take their time
        }

    def play(self, *playbooks: str) -> int:
        """Run playbooks; return the number of changes."""
        arguments = [str(PROJECT / "playbooks" / name) for name in playbooks if name[0] != "-"]
        flags = [name for name in playbooks if name[0] == "-"]
        done = subprocess.run(
            ["ansible-playbook", "-i", self.directory / "hosts.yml", "--diff", *flags, *arguments],
            cwd=PROJECT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        self.printed += done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr
        return sum(map(int, CHANGED.findall(done.stdout)))

    def watch(self, *hosts: str) -> None:
        """Let these hosts be the group agents, whose rows are signed."""
        file = self.directory / "hosts.yml"
        inventory = yaml.safe_load(file.read_text())
        inventory["all"]["children"]["agents"] = {"hosts": {host: {} for host in hosts}}
        inventory["all"]["vars"] = {"agent_signed": True}
        file.write_text(yaml.safe_dump(inventory))

    def secrets(self) -> dict[str, str]:
        """Return what is in the vault."""
        done = subprocess.run(
            ["ansible-vault", "view", str(self.directory / "group_vars/all/secrets.yml")],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def login(self, account: str) -> tuple[str, str]:
        """Return user and password that the node has for an account."""
        found = json.loads((self.credentials / f"{account}.json").read_text())
        return found["username"], found["password"]


@pytest.fixture
def site(tmp_path: Path, access_broker: AccessBroker) -> Site:
    """Return an inventory whose broker has no users yet."""
    return Site(tmp_path, access_broker)


def acls(broker: AccessBroker) -> set[tuple[str, ...]]:
    """Return what the broker itself says: principal, resource, name, pattern, operation."""
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    wanted = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    found, _ = admin.describe_acls(wanted)
    admin.close()
    return {
        (
            acl.principal.removeprefix("User:"),
            acl.resource_pattern.resource_type.name,
            acl.resource_pattern.resource_name,
            acl.resource_pattern.pattern_type.name,
            acl.operation.name,
        )
        for acl in found
    }


def test_accounts_are_provisioned_changed_and_kept_secret(
    access_broker: AccessBroker, site: Site
) -> None:
    """From nothing; a second run changes nothing; a broken-off change of passwords is ended."""
    site.play("--check", "kafka_access.yml")
    assert site.play("secrets.yml", "kafka_access.yml") > 0
    assert site.play("secrets.yml", "kafka_access.yml") == 0
    assert sorted(p.name for p in site.credentials.iterdir()) == sorted(
        f"{a}.json" for a in ACCOUNTS
    )
    assert stat.S_IMODE(site.credentials.stat().st_mode) == 0o700
    for file in site.credentials.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = {account: site.login(account) for account in ACCOUNTS}
    for account, login in first.items():
        assert login[0] == f"{account}-a"
        assert logs_in(access_broker, *login)
    secrets = site.secrets()

    (site.credentials / "admin.json").write_text("{}")
    assert site.play("-esecrets_change=begin", "secrets.yml", "kafka_access.yml") > 0
    assert not (site.credentials / "admin.json").exists()
    for account, login in first.items():
        assert logs_in(access_broker, *login)
        assert logs_in(access_broker, *site.login(account))
        assert site.login(account)[0] == f"{account}-b"
    secrets |= site.secrets()

    # The rest would make this machine a broker.
    site.play("--skip-tags=certificates", "secrets_rotate.yml")
    for account, login in first.items():
        assert site.login(account)[0] == f"{account}-b"
        assert logs_in(access_broker, *site.login(account))
        assert not logs_in(access_broker, *login)
    assert f"kill --signal=SIGKILL {UNIT}" in site.units.read_text()
    assert site.play("secrets.yml", "kafka_access.yml") == 0

    found = acls(access_broker)
    for account, access in users(GROUPS).items():
        assert {line[1:] for line in found if line[0] == f"{account}-b"} == {
            (line.kind, line.name, line.pattern, operation)
            for line in access
            for operation in line.operations
        }
    assert {line[0] for line in found} == {f"{account}-b" for account in (*ACCOUNTS, "admin")}
    for name, secret in secrets.items():
        told = ("kafka_access_suffix", "kafka_access_given_")
        assert name.startswith(told) or secret not in site.printed, name


def test_a_watched_server_has_account_and_key_for_as_long_as_it_is_one(
    access_broker: AccessBroker, site: Site
) -> None:
    """It may write the topics of samples; out of the group, its password no longer lets it in."""
    site.watch(NAME)
    assert site.play("secrets.yml", "kafka_access.yml") > 0
    assert site.play("secrets.yml", "kafka_access.yml") == 0
    key = site.credentials / "signing.key"
    assert site.secrets()[f"agent_signing_key_{NAME}"] == key.read_text()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    account = f"agent_{NAME}"
    login = site.login(account)
    assert logs_in(access_broker, *login)
    assert {line[1:] for line in acls(access_broker) if line[0] == f"{account}-a"} == {
        ("TOPIC", topic, "LITERAL", "WRITE") for topics in GROUPS.values() for topic in topics
    }
    secrets = site.secrets()

    site.watch()
    assert site.play("secrets.yml", "kafka_access.yml") > 0
    assert not logs_in(access_broker, *login)
    assert not key.exists()
    assert not (site.credentials / f"{account}.json").exists()
    assert not [line for line in acls(access_broker) if line[0].startswith(account)]
    gone = {name for name in secrets if account in name} | {f"agent_signing_key_{NAME}"}
    assert gone.isdisjoint(site.secrets())
    for name in gone - {f"kafka_access_given_{account}"}:
        assert secrets[name] not in site.printed, name


def test_an_older_app_stops_the_play_and_only_limits_check_mode(site: Site) -> None:
    """Check mode upgrades nothing, so it goes on, and says what it cannot tell."""
    older = site.directory / "older" / "server_monitoring"
    older.mkdir(parents=True)
    (older / "__init__.py").touch()
    python = site.directory / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={older.parent} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    flag = f"-ekafka_access_python={python}"
    site.play("--check", flag, "kafka_access.yml")
    assert f"{NAME}: no app of this version yet: users and ACLs cannot be" in site.printed
    with pytest.raises(AssertionError) as caught:
        site.play(flag, "secrets.yml", "kafka_access.yml")
    assert f"found no {python}, or an older app" in str(caught.value)
    assert "No module named 'server_monitoring.broker'" in str(caught.value)
