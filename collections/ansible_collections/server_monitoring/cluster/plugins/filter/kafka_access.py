"""Who uses the brokers: accounts with their ACLs and hosts, and the users that stand for them.

An account (producer) has two users in turn (producer-a, producer-b), as a user has one password:
while passwords change, both log in, and nobody is locked out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server_monitoring.model.live import detector_group
from server_monitoring.model.names import PROBE_TOPIC, PROGRAM, consumer_group, live_group

from ..plugin_utils.filters import PublicFunctions
from .agent import topics as agent_topics

SUFFIXES = ("a", "b")
Acls = list[dict[str, Any]]


BOOKS = "books"


def _acl(resource: str, name: str, *operations: str) -> dict[str, Any]:
    return {"resource": resource, "name": name, "operations": list(operations)}


def _transactions(name: str) -> dict[str, Any]:
    """Return the right to transactions whose ids are a name and a number."""
    return {**_acl("transactional_id", f"{name}-", "write"), "pattern": "prefixed"}


def _agent(host: str) -> str:
    """Return the account of a host's agent, which no other host shares."""
    return f"agent_{host}"


def rights(
    groups: Mapping[str, Mapping[str, Any]],
    agents: Sequence[str] = (),
    alerts: str = "",
    states: str = "",
) -> dict[str, Acls]:
    """Return the ACLs of each account of a pipeline, and not one more than its commands need.

    Args:
        groups: the metric groups, as `pipeline_groups`.
        agents: hosts that are watched.
        alerts: the topic of alerts, where there are agents.
        states: that of their states.

    """
    topics = {
        group: [metric["topic"] for metric in settings["metrics"]]
        for group, settings in groups.items()
    }
    every = sorted({topic for names in topics.values() for topic in names})
    # A probe writes a record and reads it back; the role kafka_topics makes its topic.
    probe = [_acl("topic", PROBE_TOPIC, "write", "read")]
    # Read: a start after a crash looks for what is there already.
    found = {"producer": [_acl("topic", topic, "write", "read") for topic in every] + probe}
    for group, names in topics.items():
        found[f"consumer_{group}"] = [
            *(_acl("topic", topic, "read") for topic in names),
            _acl("group", consumer_group(group), "read"),
            # A probe looks for the topics of all groups.
            *(_acl("topic", topic, "describe") for topic in every),
            *probe,
        ]
    found["operator"] = [
        _acl("topic", "*", "describe", "describe_configs"),
        _acl("group", "*", "describe"),
        _acl("cluster", "kafka-cluster", "describe", "describe_configs"),
        *probe,
    ]
    found["admin"] = [
        _acl("topic", "*", "all"),
        _acl("group", "*", "all"),
        _acl("transactional_id", "*", "all"),
        _acl("cluster", "kafka-cluster", "all"),
    ]
    if agents:
        _add_live(found, topics, alerts, states)
    watched = agent_topics(groups).values()
    return found | {_agent(host): [_acl("topic", t, "write") for t in watched] for host in agents}


def _add_live(
    found: dict[str, Acls], topics: Mapping[str, Sequence[str]], alerts: str, states: str
) -> None:
    """Add what live mode needs: more rights of consumers, and accounts of its own."""
    for group, names in topics.items():
        found[f"consumer_{group}"].append(_acl("group", live_group(group), "read"))
        found[f"detect_{group}"] = [
            *(_acl("topic", topic, "read") for topic in names),
            _acl("topic", alerts, "write"),
            _acl("topic", states, "read", "write"),
            _acl("group", detector_group(group), "read"),
            # Whoever takes over partitions ends the transactions of the detector before.
            _transactions(detector_group(group)),
        ]
    ids = (of(group) for group in topics for of in (live_group, detector_group))
    # A difference is an alert too; and who asks how far live mode is sees how far others have read.
    found[BOOKS] = [
        *(_acl("topic", topic, "read", "write") for topic in (alerts, states)),
        *(_acl("topic", t, "describe") for t in sorted({t for n in topics.values() for t in n})),
        *(_acl("group", group_id, "describe") for group_id in ids),
        *(_transactions(f"{PROGRAM}-{BOOKS}-{group}") for group in topics),
    ]


_MIB = 1024 * 1024
# Of each account, at each broker: above what its commands do, with many hosts that share it. Half
# of the broker's threads for requests stay for others, and a probe's records are some bytes.
_PROBING = {"producer_byte_rate": 16 * 1024, "consumer_byte_rate": _MIB, "request_percentage": 50}
_PRODUCING = {
    "producer_byte_rate": 128 * _MIB,
    "consumer_byte_rate": 128 * _MIB,
    "request_percentage": 400,
}
# A day's samples of each second are sent within two minutes after an outage.
_WATCHING = {
    "producer_byte_rate": _MIB,
    "consumer_byte_rate": 64 * 1024,
    "request_percentage": 25,
}
_CONSUMING = _PRODUCING | {"producer_byte_rate": 16 * 1024, "consumer_byte_rate": 256 * _MIB}
_DETECTING = _CONSUMING | {"producer_byte_rate": 16 * _MIB}
# A month of alerts is read each day.
_CLOSING = {
    "producer_byte_rate": 64 * 1024,
    "consumer_byte_rate": 64 * _MIB,
    "request_percentage": 100,
}


def quotas(groups: Iterable[str], agents: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """Return the quotas of each account of a pipeline; the administrator has none."""
    found = {"producer": _PRODUCING, **{f"consumer_{group}": _CONSUMING for group in groups}}
    found |= {"operator": _PROBING, "admin": {}}
    if agents:
        found |= {f"detect_{group}": _DETECTING for group in groups} | {BOOKS: _CLOSING}
    return found | {_agent(host): _WATCHING for host in agents}


def user_quotas(
    present: Iterable[str], quotas: Mapping[str, Mapping[str, Any]], others: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return the quotas of each user, as the module kafka_access takes them.

    Args:
        present: the users.
        quotas: account -> quotas.
        others: of each account that is not named.

    """
    return {user: dict(quotas.get(user.rpartition("-")[0], others)) for user in present}


def hosts(
    groups: Iterable[str],
    inventory_groups: Mapping[str, Sequence[str]],
    agents: Sequence[str] = (),
) -> dict[str, list[str]]:
    """Return the hosts that need an account's credentials.

    The administrator's stay on the control machine: a broker's host has the broker's certificate.
    """
    wanted = {
        "producer": "producers",
        "operator": "kafka",
        **{f"consumer_{group}": f"consumers_{group}" for group in groups},
    }
    if agents:
        wanted |= {f"detect_{group}": f"consumers_{group}" for group in groups}
    found = {account: list(inventory_groups.get(name, [])) for account, name in wanted.items()}
    if agents:
        found[BOOKS] = sorted({host for group in groups for host in found[f"detect_{group}"]})
    return found | {_agent(host): [host] for host in agents}


_PASSWORD, _GIVEN = "kafka_access_password_", "kafka_access_given_"
_SIGNING_KEY = "agent_signing_key_"


def _secret(account: str, suffix: str) -> str:
    """Return the name of the secret that is a user's password."""
    return f"{_PASSWORD}{account}_{suffix}"


def passwords(accounts: Iterable[str], secrets: Mapping[str, Any]) -> dict[str, str]:
    """Return the password of each user that has one: both users' while passwords change."""
    return {
        f"{account}-{suffix}": secrets[_secret(account, suffix)]
        for account in accounts
        for suffix in SUFFIXES
        if secrets.get(_secret(account, suffix))
    }


def users(accounts: Mapping[str, Acls], present: Iterable[str]) -> list[dict[str, Any]]:
    """Return each user with its account's ACLs, as the module kafka_access takes them.

    Args:
        accounts: account -> ACLs.
        present: users that have a password.

    """
    return [{"name": user, "acls": accounts[user.rpartition("-")[0]]} for user in present]


def without_password(accounts: Iterable[str], present: Iterable[str], suffix: str) -> list[str]:
    """Return the accounts whose present user has no password."""
    known = set(present)
    return [account for account in accounts if f"{account}-{suffix}" not in known]


def known_elsewhere(
    hosts: Mapping[str, Sequence[str]],
    accounts: Iterable[str],
    secrets: Mapping[str, Any],
    signers: Iterable[str] = (),
) -> bool:
    """Tell whether the secrets are of other accounts, or were given to other hosts, than now.

    Args:
        hosts: account -> those that get its credentials.
        accounts: all of them.
        secrets: as tools/vault/make_secrets.py keeps them.
        signers: hosts whose agent signs its rows.

    """
    if signing_keys(secrets).keys() != set(signers):
        return True
    given = {f"{_GIVEN}{account}": " ".join(sorted(names)) for account, names in hosts.items()}
    there = {name: value for name, value in secrets.items() if name.startswith(_GIVEN)}
    known = {_secret(account, suffix) for account in accounts for suffix in SUFFIXES}
    return given != there or any(
        name.startswith(_PASSWORD) and name not in known for name in secrets
    )


def signing_keys(secrets: Mapping[str, Any]) -> dict[str, str]:
    """Return the key that each host signs its rows with, by which readers check them."""
    return {
        name.removeprefix(_SIGNING_KEY): key
        for name, key in secrets.items()
        if name.startswith(_SIGNING_KEY)
    }


def own(hosts: Mapping[str, Sequence[str]], host: str) -> list[str]:
    """Return the accounts whose credentials belong on a host; `hosts` are those of each."""
    return [account for account, names in hosts.items() if host in names]


def credentials(
    accounts: Iterable[str], passwords: Mapping[str, str], suffix: str, folder: str
) -> list[dict[str, Any]]:
    """Return the file of each account that has a password, as the module files takes it.

    Args:
        accounts: those of one host.
        passwords: of all users.
        suffix: of the user that now stands for each account.
        folder: where the files lie on the host.

    """
    users = {account: f"{account}-{suffix}" for account in accounts}
    return [
        {
            "path": f"{folder}/{account}.json",
            "content": json.dumps({"username": user, "password": passwords[user]}) + "\n",
            "owner": "root",
            "group": "root",
            "mode": "0600",
            "secret": True,
        }
        for account, user in users.items()
        if user in passwords
    ]


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "kafka_access_"
