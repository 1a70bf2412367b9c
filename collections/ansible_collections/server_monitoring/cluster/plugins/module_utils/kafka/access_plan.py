"""What has to be done to make declared Kafka users and ACLs true: plain values in and out.

Nothing here talks to a broker or holds a password, so that every decision can be tested alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import quota_plan
from .declarations import maps, unknown_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from .quota_plan import Changes, Quotas

MECHANISM = "SCRAM-SHA-512"
MIN_PASSWORD = 16
# Rounds by which a retired credential is known: it has a password that nobody knows. It is not
# deleted: Kafka 4.3 may forget every user of a mechanism at its next start if one was deleted
# (org.apache.kafka.image.ScramDelta.apply, where the first removal meets no user yet).
RETIRED = 16_384
USER_KEYS = frozenset({"name", "acls"})
ACL_KEYS = frozenset({"resource", "name", "pattern", "operations"})
PATTERNS = ("literal", "prefixed")
CLUSTER_NAME = "kafka-cluster"
# What Kafka's authorizer knows for each resource (AclEntry.supportedOperations), and all of it.
_CONFIGS = frozenset({"describe_configs", "alter_configs"})
OPERATIONS = {
    "topic": _CONFIGS | {"all", "read", "write", "create", "describe", "delete", "alter"},
    "group": _CONFIGS | {"all", "read", "describe", "delete"},
    "cluster": _CONFIGS
    | {"all", "create", "cluster_action", "idempotent_write", "alter", "describe"},
    "transactional_id": frozenset({"all", "describe", "write"}),
}
USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
# Printable and without space: what SASLprep leaves as it is, and JSON and shells do too.
_PASSWORD = re.compile(r"[!-~]+")


class Acl(NamedTuple):
    """One line of access: who may (or may not) do what with which resource.

    Names are Kafka's own, in capitals.
    """

    principal: str
    resource: str
    name: str
    pattern: str
    operation: str
    permission: str = "ALLOW"
    host: str = "*"

    def __str__(self) -> str:
        """Return what it says, without the principal."""
        text = f"{self.permission} {self.operation} {self.resource} {self.pattern} {self.name}"
        return text if self.host == "*" else f"{text} from {self.host}"


class State(NamedTuple):
    """Users and ACLs of a cluster.

    Attributes:
        users: user -> mechanism -> iterations.
        acls: all of them.
        proven: users that the declared password lets in.
        quotas: entity -> quota -> number.

    """

    users: Mapping[str, Mapping[str, int]]
    acls: frozenset[Acl]
    proven: Collection[str] = frozenset()
    quotas: Quotas = MappingProxyType({})


@dataclass
class Plan:
    """The steps that lead from the users and ACLs of the cluster to the declared ones."""

    set_passwords: list[str] = field(default_factory=list)
    retire_credentials: dict[str, list[str]] = field(default_factory=dict)
    create_acls: list[Acl] = field(default_factory=list)
    delete_acls: list[Acl] = field(default_factory=list)
    alter_quotas: Changes = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(
            self.set_passwords
            or self.retire_credentials
            or self.create_acls
            or self.delete_acls
            or self.alter_quotas
        )


def principal(user: str) -> str:
    """Return a user as ACLs name it."""
    return f"User:{user}"


def _acl_problems(label: str, entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return [f"{label}: found {entry!r}, expected a map with resource, name and operations"]
    problems = unknown_keys(label, entry, ACL_KEYS)
    resource, name = entry.get("resource"), entry.get("name")
    if not isinstance(resource, str) or resource not in OPERATIONS:
        return [
            *problems,
            f"{label}: resource: found {resource!r}, expected one of {', '.join(OPERATIONS)}",
        ]
    if not isinstance(name, str) or not name:
        problems.append(f"{label}: name: found {name!r}, expected that of a {resource}, or *")
    elif resource == "cluster" and name != CLUSTER_NAME:
        problems.append(
            f"{label}: name: found {name!r}, expected {CLUSTER_NAME}: there is no other"
        )
    pattern = entry.get("pattern", "literal")
    if pattern not in PATTERNS:
        problems.append(f"{label}: pattern: found {pattern!r}, expected {' or '.join(PATTERNS)}")
    operations = entry.get("operations")
    if not isinstance(operations, list) or not operations:
        problems.append(f"{label}: operations: found {operations!r}, expected a list of them")
        return problems
    known = OPERATIONS[resource]
    return problems + [
        f"{label}: operations: found {operation!r}, expected some of {', '.join(sorted(known))}"
        for operation in operations
        if not isinstance(operation, str) or operation not in known
    ]


def _password_problem(label: str, password: object) -> list[str]:
    """Return what is wrong with a password, which is never quoted."""
    expected = f"expected at least {MIN_PASSWORD} printable ASCII characters without space"
    if not isinstance(password, str) or not password:
        return [f"{label}: password: found none, {expected}"]
    if len(password) < MIN_PASSWORD:
        return [f"{label}: password: found {len(password)} characters, {expected}"]
    if not _PASSWORD.fullmatch(password):
        return [f"{label}: password: found another character, {expected}"]
    return []


def declaration_problems(
    entries: Sequence[object],
    super_users: Collection[str],
    passwords: Mapping[str, Any] | None,
) -> list[str]:
    """Return what is wrong with the declarations, one line each; empty if they are sound.

    Args:
        entries: the declarations as they stand in the inventory.
        super_users: users that are not declared: the brokers.
        passwords: user -> password, or None where they are not known yet.

    """
    problems: list[str] = []
    seen: set[str] = set()
    for place, entry in maps("user", entries, problems):
        name = entry.get("name")
        if not isinstance(name, str) or not USER_NAME.fullmatch(name):
            problems.append(
                f"{place}: name: found {name!r}, expected 1 to 255 of the characters "
                "A-Z a-z 0-9 . _ -, the first a letter or digit"
            )
            continue
        label = f"user {name}"
        problems += unknown_keys(label, entry, USER_KEYS)
        acls = entry.get("acls", [])
        if isinstance(acls, list):
            for number, acl in enumerate(acls):
                problems += _acl_problems(f"{label}: acls: {number + 1}", acl)
        else:
            problems.append(f"{label}: acls: found {acls!r}, expected a list")
        if name in super_users:
            problems.append(f"{label}: found the name of a broker, expected another one")
        if name in seen:
            problems.append(f"{label}: declared twice, expected once: remove one of the two")
        seen.add(name)
        if passwords is not None:
            problems += _password_problem(label, passwords.get(name))
    return problems


def parse(entries: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[Acl]]:
    """Return each user's ACLs from sound declarations (see `declaration_problems`)."""
    return {
        entry["name"]: frozenset(
            Acl(
                principal(entry["name"]),
                acl["resource"].upper(),
                acl["name"],
                acl.get("pattern", "literal").upper(),
                operation.upper(),
            )
            for acl in entry.get("acls", [])
            for operation in acl["operations"]
        )
        for entry in entries
    }


def to_prove(users: Collection[str], found: State, iterations: int) -> list[str]:
    """Return the declared users whose password has to be tried: the others are set anyway."""
    return sorted(u for u in users if found.users.get(u, {}).get(MECHANISM) == iterations)


def make_plan(
    declared: Mapping[str, frozenset[Acl]],
    found: State,
    super_users: Collection[str],
    iterations: int,
    quotas: Quotas | None = None,
) -> Plan:
    """Return the steps from the cluster's users, ACLs and quotas to the declared ones.

    Quotas are left alone where `quotas` is None.

    Credentials of users that are not declared are retired, and so are those of declared ones of
    another mechanism: an old password would go on to hold. Super users' are left alone.
    """
    provable = to_prove(declared, found, iterations)
    retire = {}
    for user, credentials in sorted(found.users.items()):
        keep = {MECHANISM} if user in declared else set()
        living = {m for m, rounds in credentials.items() if rounds != RETIRED}
        unwanted = sorted(living - keep)
        if unwanted and user not in super_users:
            retire[user] = unwanted
    wanted = frozenset().union(*declared.values())
    spared = {principal(user) for user in super_users}
    return Plan(
        set_passwords=sorted(u for u in declared if u not in provable or u not in found.proven),
        retire_credentials=retire,
        create_acls=sorted(wanted - found.acls),
        delete_acls=sorted(acl for acl in found.acls - wanted if acl.principal not in spared),
        alter_quotas=(
            {} if quotas is None else quota_plan.changes(quotas, found.quotas, super_users)
        ),
    )


def diff(plan: Plan, found: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return before and after of the principals that the plan changes; never a password."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for user in plan.set_passwords:
        had = MECHANISM in found.users.get(user, {})
        before.setdefault(principal(user), {})[MECHANISM] = "another password" if had else "none"
        after.setdefault(principal(user), {})[MECHANISM] = "the declared password"
    for user, mechanisms in plan.retire_credentials.items():
        before.setdefault(principal(user), {}).update(dict.fromkeys(mechanisms, "a password"))
        after.setdefault(principal(user), {}).update(dict.fromkeys(mechanisms, "retired"))
    changed = {acl.principal for acl in (*plan.create_acls, *plan.delete_acls)}
    for who in sorted(changed):
        had_acls = {acl for acl in found.acls if acl.principal == who}
        new = {acl for acl in plan.create_acls if acl.principal == who}
        kept = had_acls - set(plan.delete_acls)
        before.setdefault(who, {})["acls"] = [str(acl) for acl in sorted(had_acls)]
        after.setdefault(who, {})["acls"] = [str(acl) for acl in sorted(kept | new)]
    for entity, changed_quotas in plan.alter_quotas.items():
        name, there = f"quotas of {quota_plan.label(entity)}", found.quotas.get(entity, {})
        before[name] = {key: there.get(key, "none") for key in changed_quotas}
        after[name] = {k: "none" if v is None else v for k, v in changed_quotas.items()}
    return before, after
