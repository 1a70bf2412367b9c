"""Accounts of the brokers: what each may do, where its credentials go, and which users it has."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.filter import kafka_access as accounts
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import access_plan
from server_monitoring.broker.limits import PROBE_CONFIGS
from server_monitoring.model.live import detector_group, detector_id
from server_monitoring.model.names import PROBE_TOPIC

from tests.support.project import PROJECT

DEFAULTS = PROJECT / "roles/pipeline/defaults/main.yml"
RIGHTS = ("READ", "WRITE")
GROUPS = yaml.safe_load(DEFAULTS.read_text())["pipeline_groups"]


def test_the_accounts_pass_the_module_s_own_check() -> None:
    """As the role hands them over, also those with the names of both users."""
    rights = accounts.rights(GROUPS)
    assert list(rights) == [
        "producer",
        "consumer_cpu_mem",
        "consumer_net_disk",
        "operator",
        "admin",
    ]
    present = [f"{account}-{suffix}" for account in rights for suffix in "ab"]
    users = accounts.users(rights, present)
    assert access_plan.declaration_problems(users, ["kafka-1"], None) == []
    parsed = access_plan.parse(users)
    assert {acl[1:] for acl in parsed["admin-a"]} == {acl[1:] for acl in parsed["admin-b"]}


@pytest.mark.parametrize(
    ("account", "forbidden"),
    [
        ("producer", {"DELETE", "ALTER", "ALL", "ALTER_CONFIGS"}),
        ("consumer_cpu_mem", {"DELETE", "ALTER", "ALL", "ALTER_CONFIGS"}),
        ("operator", {"DELETE", "ALTER", "ALL", "ALTER_CONFIGS", "CLUSTER_ACTION"}),
    ],
)
def test_no_account_but_the_administrator_s_may_delete_or_alter(
    account: str, forbidden: set[str]
) -> None:
    """Writing is for the probe's topic alone, the producer's own topics apart; nobody creates."""
    users = accounts.users(accounts.rights(GROUPS), [f"{account}-a"])
    acls = access_plan.parse(users)[f"{account}-a"]
    assert not {acl.operation for acl in acls} & (forbidden | {"CREATE"})
    written = {acl.name for acl in acls if acl.operation == "WRITE"}
    own = {"topic-cpu", "topic-mem", "topic-net", "topic-disk"} if account == "producer" else set()
    assert written == own | {"server-monitoring-probe"}


def test_the_topic_of_probes_is_declared_as_the_app_would_make_it() -> None:
    """One partition that stays small; the role makes it, as no account may."""
    found = yaml.safe_load((PROJECT / "roles/kafka_topics/vars/main.yml").read_text())
    declared = found["_kafka_topics_probe"]
    configs = {key: str(value) for key, value in declared["configs"].items()}
    assert (declared["name"], declared["partitions"], configs) == (PROBE_TOPIC, 1, PROBE_CONFIGS)


def test_a_consumer_reads_its_own_topics_and_group_alone() -> None:
    """Of the others it sees that they are there."""
    users = accounts.users(accounts.rights(GROUPS), ["consumer_cpu_mem-a"])
    acls = access_plan.parse(users)["consumer_cpu_mem-a"]
    read = {acl.name for acl in acls if acl.operation == "READ"}
    assert read == {
        *("topic-cpu", "topic-mem"),
        "server-monitoring-cpu_mem",
        "server-monitoring-probe",
    }


def test_an_agent_may_write_its_topics_and_nothing_more() -> None:
    """By an account of its own, whatever characters a host's name has, that no run shares."""
    hosts = ["web-1.example.org", "DB_2"]
    rights = accounts.rights(GROUPS, hosts)
    users = accounts.users(rights, [f"agent_{host}-a" for host in hosts])
    assert access_plan.declaration_problems(users, ["kafka-1"], None) == []
    for acls in access_plan.parse(users).values():
        assert {(acl.resource, acl.name, acl.operation) for acl in acls} == {
            ("TOPIC", topic, "WRITE")
            for topic in ("topic-cpu", "topic-mem", "topic-net", "topic-disk")
        }
    found = accounts.hosts(GROUPS, {}, hosts)
    assert [found[f"agent_{host}"] for host in hosts] == [[host] for host in hosts]
    assert accounts.own(found, "DB_2") == ["agent_DB_2"]
    quotas = accounts.quotas(GROUPS, hosts)
    of_user = accounts.user_quotas(["agent_web-1.example.org-b"], quotas, {})
    [taken] = of_user.values()
    assert 0 < taken["producer_byte_rate"] < quotas["producer"]["producer_byte_rate"]


ALERTS, STATES = "topic-alerts", "topic-alert-state"


def live_acls(account: str) -> set[tuple[str, str, str, str]]:
    """Return the ACLs of an account where a server is watched."""
    rights = accounts.rights(GROUPS, ["web-1"], ALERTS, STATES)
    users = accounts.users(rights, [f"{account}-a"])
    assert access_plan.declaration_problems(users, ["kafka-1"], None) == []
    acls = access_plan.parse(users)[f"{account}-a"]
    return {(acl.resource, acl.name, acl.pattern, acl.operation) for acl in acls}


def test_a_detector_reads_its_group_s_topics_and_writes_alerts_in_transactions_of_its_own() -> None:
    """Of its own group's detectors, whose partitions it may take over; and nothing else."""
    assert live_acls("detect_cpu_mem") == {
        ("TOPIC", "topic-cpu", "LITERAL", "READ"),
        ("TOPIC", "topic-mem", "LITERAL", "READ"),
        ("TOPIC", ALERTS, "LITERAL", "WRITE"),
        ("TOPIC", STATES, "LITERAL", "READ"),
        ("TOPIC", STATES, "LITERAL", "WRITE"),
        ("GROUP", detector_group("cpu_mem"), "LITERAL", "READ"),
        ("TRANSACTIONAL_ID", "server-monitoring-detect-cpu_mem-", "PREFIXED", "WRITE"),
    }
    assert detector_id("cpu_mem", 12).startswith("server-monitoring-detect-cpu_mem-")


def test_books_read_and_write_alerts_and_see_how_far_others_have_read() -> None:
    """They write of differences; no row of a server is theirs to read."""
    found = live_acls("books")
    own = {
        *(("TOPIC", topic, "LITERAL", right) for topic in (ALERTS, STATES) for right in RIGHTS),
        *(
            ("TRANSACTIONAL_ID", f"server-monitoring-books-{g}-", "PREFIXED", "WRITE")
            for g in GROUPS
        ),
    }
    assert {acl for acl in found if acl[3] != "DESCRIBE"} == own
    seen = {name for _, name, _, operation in found if operation == "DESCRIBE"}
    assert seen == {
        *("topic-cpu", "topic-mem", "topic-net", "topic-disk"),
        *(f"server-monitoring-{w}-{g}" for w in ("live", "detect") for g in GROUPS),
    }


def test_live_mode_gives_a_consumer_one_right_more() -> None:
    """To commit under the group of live consumers."""
    before = access_plan.parse(accounts.users(accounts.rights(GROUPS), ["consumer_cpu_mem-a"]))
    old = {(a.resource, a.name, a.pattern, a.operation) for a in before["consumer_cpu_mem-a"]}
    more = live_acls("consumer_cpu_mem") - old
    assert more == {("GROUP", "server-monitoring-live-cpu_mem", "LITERAL", "READ")}


def test_accounts_of_live_mode_are_there_where_servers_are_watched() -> None:
    """On the consumers, with quotas; and nowhere else."""
    inventory = {"consumers_cpu_mem": ["c", "b"], "consumers_net_disk": ["c"]}
    own = {"detect_cpu_mem", "detect_net_disk", "books"}
    assert not own & {*accounts.rights(GROUPS), *accounts.quotas(GROUPS)}
    assert not own & {*accounts.hosts(GROUPS, inventory)}
    found = accounts.hosts(GROUPS, inventory, ["web-1"])
    assert {name: found[name] for name in own} == {
        "detect_cpu_mem": ["c", "b"],
        "detect_net_disk": ["c"],
        "books": ["b", "c"],
    }
    quotas = accounts.quotas(GROUPS, ["web-1"])
    assert own <= {name for name, quota in quotas.items() if quota}
    assert own <= {*accounts.rights(GROUPS, ["web-1"], ALERTS, STATES)}


def test_signing_keys_are_those_of_the_hosts_that_sign() -> None:
    """One too many or too few, and the secrets are made anew."""
    known = {"agent_signing_key_web-1.example.org": "00", "kafka_access_suffix": "a"}
    assert accounts.signing_keys(known) == {"web-1.example.org": "00"}
    assert not accounts.known_elsewhere({}, [], known, ["web-1.example.org"])
    assert accounts.known_elsewhere({}, [], known)
    assert accounts.known_elsewhere({}, [], known, ["web-1.example.org", "db-1"])


def test_credentials_go_where_they_are_used() -> None:
    """The administrator's go nowhere; a group that has no hosts is no error."""
    inventory = {"kafka": ["k"], "producers": ["p", "q"], "consumers_cpu_mem": ["c"]}
    assert accounts.hosts(GROUPS, inventory) == {
        "producer": ["p", "q"],
        "operator": ["k"],
        "consumer_cpu_mem": ["c"],
        "consumer_net_disk": [],
    }


def test_secrets_that_others_know_are_found() -> None:
    """A host that was taken out or added, or an account that is gone."""
    hosts, accounts_ = {"producer": ["b", "a"]}, ["producer"]
    known = {"kafka_access_given_producer": "a b", "kafka_access_password_producer_a": "x"}
    assert not accounts.known_elsewhere(hosts, accounts_, known)
    assert accounts.known_elsewhere({"producer": ["a"]}, accounts_, known)
    assert accounts.known_elsewhere(hosts, accounts_, {})
    gone = {"kafka_access_password_reader_b": "x"}
    assert accounts.known_elsewhere(hosts, accounts_, known | gone)


def test_users_are_those_that_have_a_password() -> None:
    """Both of an account while passwords change; secrets of others do not count."""
    secrets = {
        "kafka_access_password_x_a": "1",
        "kafka_access_password_x_b": "2",
        "kafka_access_password_y_b": "3",
        "kafka_access_password_gone_a": "4",
        "pki_passphrase": "5",
    }
    present = accounts.passwords(["x", "y", "z"], secrets)
    assert present == {"x-a": "1", "x-b": "2", "y-b": "3"}
    assert accounts.without_password(["x", "y", "z"], present, "a") == ["y", "z"]
    assert accounts.without_password(["x", "y"], present, "b") == []


def test_credentials_are_files_that_root_alone_reads_and_no_output_shows() -> None:
    """Of each account that has a password, by the user that now stands for it."""
    known = {"x-a": "1", "x-b": "2", "y-a": "3"}
    [file] = accounts.credentials(["x", "y", "z"], known, "b", "/etc/c")
    assert json.loads(file.pop("content")) == {"username": "x-b", "password": "2"}
    assert file == {
        "path": "/etc/c/x.json",
        "owner": "root",
        "group": "root",
        "mode": "0600",
        "secret": True,
    }
