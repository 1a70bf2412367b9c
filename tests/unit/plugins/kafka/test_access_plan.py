"""Decisions of the role kafka_access, without a broker."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import access_plan

TOPIC = {"resource": "topic", "name": "topic-cpu", "operations": ["read", "write"]}
PASSWORD = "a-long-enough-password"  # noqa: S105 -- of nobody
SHA_512, SHA_256 = "SCRAM-SHA-512", "SCRAM-SHA-256"
ROUNDS = 4096


def user(name: str = "producer", *acls: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Return a sound declaration, with further keys."""
    return {"name": name, "acls": list(acls or [TOPIC])} | rest


def problems(*entries: object, **passwords: Any) -> list[str]:
    """Return what is wrong with declarations; a broker is kafka-1."""
    found: list[str] = access_plan.declaration_problems(entries, ["kafka-1"], passwords or None)
    return found


def state(*acls: Any, proven: Any = (), **users: Any) -> Any:
    """Return what a cluster has."""
    return access_plan.State(users, frozenset(acls), proven)


def planned(entries: list[Any], found: Any) -> Any:
    """Return the plan that leads from what is found to the declarations."""
    return access_plan.make_plan(access_plan.parse(entries), found, ["kafka-1"], ROUNDS)


def test_sound_declarations_have_no_problem() -> None:
    """ACLs may be left out, and patterns written or not."""
    prefixed = TOPIC | {"pattern": "prefixed"}
    whole = {"resource": "cluster", "name": "kafka-cluster", "operations": ["describe"]}
    entries = [user("a", TOPIC, prefixed), user("b", whole), {"name": "c"}]
    assert problems(*entries, a=PASSWORD, b=PASSWORD, c=PASSWORD) == []


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("producer", "user 1: found 'producer', expected a map"),
        (user("a b"), "name: found 'a b'"),
        (user("-a"), "name: found '-a'"),
        (user("User:a"), "name: found 'User:a'"),
        (user("x" * 256), "name: found 'xxx"),
        (user("a\n"), "name: found 'a\\n'"),
        ({"acls": []}, "name: found None"),
        (user(mechanism="x"), "user producer: found the key 'mechanism'"),
        (user(acls="all"), "acls: found 'all', expected a list"),
        (user("a", TOPIC | {"deny": True}), "user a: acls: 1: found the key 'deny'"),
        (user("a", TOPIC, TOPIC | {"resource": "user"}), "acls: 2: resource: found 'user'"),
        (user("a", TOPIC | {"name": ""}), "acls: 1: name: found ''"),
        (user("a", TOPIC | {"pattern": "match"}), "pattern: found 'match'"),
        (user("a", TOPIC | {"operations": []}), "operations: found []"),
        (user("a", TOPIC | {"operations": "read"}), "operations: found 'read'"),
        (user("a", TOPIC | {"operations": ["idempotent_write"]}), "found 'idempotent_write'"),
        (user("a", TOPIC | {"resource": "group"}), "operations: found 'write'"),
        (
            user("a", {"resource": "cluster", "name": "mine", "operations": ["alter"]}),
            "name: found 'mine', expected kafka-cluster",
        ),
        (user("kafka-1"), "found the name of a broker"),
    ],
)
def test_a_bad_declaration_is_named_in_one_line(entry: object, named: str) -> None:
    """Each fault gives exactly one line, which says what was found."""
    (problem,) = problems(entry)
    assert named in problem
    assert "\n" not in problem


def test_a_user_declared_twice_is_refused() -> None:
    """Two declarations of one user could contradict each other."""
    assert problems(user(), user()) == [
        "user producer: declared twice, expected once: remove one of the two"
    ]


@pytest.mark.parametrize(
    ("password", "found"),
    [
        (None, "none"),
        ("", "none"),
        ("short", "5 characters"),
        ("pass word" * 3, "another"),
        ("pässword" * 3, "another"),
        (12345678901234567, "none"),
    ],
)
def test_a_bad_password_is_told_and_not_quoted(password: Any, found: str) -> None:
    """The line says what is wrong with it, and nothing that is in it."""
    (problem,) = problems(user(), producer=password)
    assert problem.startswith(f"user producer: password: found {found}")
    assert not password or str(password) not in problem


def test_what_is_missing_is_created() -> None:
    """A bare cluster gets the user, its password, and a line for each operation."""
    plan = planned([user()], state())
    assert plan.set_passwords == ["producer"]
    assert [str(acl) for acl in plan.create_acls] == [
        "ALLOW READ TOPIC LITERAL topic-cpu",
        "ALLOW WRITE TOPIC LITERAL topic-cpu",
    ]
    assert plan.retire_credentials == {}
    assert plan.delete_acls == []


def test_what_is_as_declared_stays() -> None:
    """With every line there and the password proven there is nothing to do."""
    acls = access_plan.parse([user()])["producer"]
    found = state(*acls, producer={SHA_512: ROUNDS}, proven=("producer",))
    plan = planned([user()], found)
    assert not plan.changed
    assert access_plan.diff(plan, found) == ({}, {})


@pytest.mark.parametrize(
    ("credentials", "proven"),
    [({SHA_512: ROUNDS}, ()), ({SHA_512: 8192}, ("producer",)), ({}, ())],
)
def test_a_password_is_set_where_it_does_not_let_in(
    credentials: dict[str, int], proven: tuple[str, ...]
) -> None:
    """Another password, another number of rounds and no credential are all put right."""
    acls = access_plan.parse([user()])["producer"]
    found = state(*acls, producer=credentials, proven=proven)
    plan = planned([user()], found)
    assert plan.set_passwords == ["producer"]
    assert plan.create_acls == plan.delete_acls == []


def test_who_is_not_declared_loses_everything() -> None:
    """Credentials of every mechanism, and ACLs of every kind of principal."""
    line = ("TOPIC", "*", "LITERAL", "READ")
    others = [access_plan.Acl(who, *line) for who in ("User:old", "User:*", "Group:x")]
    denied = access_plan.Acl("User:producer", *line, permission="DENY")
    found = state(*others, denied, old={SHA_512: ROUNDS, SHA_256: ROUNDS})
    plan = planned([user()], found)
    assert plan.retire_credentials == {"old": [SHA_256, SHA_512]}
    assert set(plan.delete_acls) == {*others, denied}


def test_another_mechanism_s_password_goes() -> None:
    """An old password of a declared user would go on to hold there."""
    found = state(producer={SHA_512: ROUNDS, SHA_256: ROUNDS})
    assert planned([user()], found).retire_credentials == {"producer": [SHA_256]}


def test_a_super_user_is_left_alone() -> None:
    """The brokers are not declared here."""
    own = access_plan.Acl("User:kafka-1", "TOPIC", "*", "LITERAL", "READ")
    found = state(own, **{"kafka-1": {SHA_512: ROUNDS}})
    plan = planned([], found)
    assert not plan.changed


def test_only_passwords_that_may_be_right_are_tried() -> None:
    """A user that is new, or is set again anyway, is not logged in as."""
    users = {"a": {SHA_512: ROUNDS}, "b": {SHA_512: 1}, "c": {SHA_256: ROUNDS}, "x": {}}
    found = state(**users)
    assert access_plan.to_prove(["a", "b", "c", "d"], found, ROUNDS) == ["a"]


def test_the_difference_tells_lines_and_no_password() -> None:
    """Before and after of each principal that changes, in words."""
    gone = access_plan.Acl("User:old", "GROUP", "g", "PREFIXED", "READ", host="192.0.2.1")
    found = state(gone, old={SHA_512: ROUNDS}, producer={SHA_512: ROUNDS})
    before, after = access_plan.diff(planned([user()], found), found)
    assert before == {
        "User:old": {SHA_512: "a password", "acls": ["ALLOW READ GROUP PREFIXED g from 192.0.2.1"]},
        "User:producer": {SHA_512: "another password", "acls": []},
    }
    assert after["User:old"] == {SHA_512: "retired", "acls": []}
    assert after["User:producer"] == {
        SHA_512: "the declared password",
        "acls": ["ALLOW READ TOPIC LITERAL topic-cpu", "ALLOW WRITE TOPIC LITERAL topic-cpu"],
    }


def test_a_retired_user_stays_so_until_it_is_declared_again() -> None:
    """Nothing is left to do; its next password is set, as it has other rounds."""
    retired = {SHA_512: access_plan.RETIRED}
    acls = access_plan.parse([user()])["producer"]
    found = state(*acls, producer={SHA_512: ROUNDS}, old=retired, proven=("producer",))
    assert not planned([user()], found).changed
    again = planned([user()], state(*acls, producer=retired))
    assert again.set_passwords == ["producer"]
    assert again.retire_credentials == {}
