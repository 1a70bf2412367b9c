"""Decisions about quotas, without a broker."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.filter import kafka_access as accounts
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import (
    access_plan,
    quota_plan,
)

from tests.support.project import PROJECT

DEFAULTS = PROJECT / "roles/pipeline/defaults/main.yml"
GROUPS = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["pipeline_groups"]
READER = (("user", "reader"),)
EVERYONE = (("ip", None),)


def test_each_account_of_a_pipeline_has_sound_quotas() -> None:
    """All but the administrator; of those who only probe, small ones."""
    rights = accounts.rights(GROUPS)
    assert set(accounts.quotas(GROUPS)) == set(rights)
    users = [f"{account}-{suffix}" for account in rights for suffix in "ab"]
    found = accounts.user_quotas(users, accounts.quotas(GROUPS), {"request_percentage": 1})
    assert quota_plan.declaration_problems(found, {"default": 20}, users) == []
    unlimited = [user for user, limits in found.items() if set(limits) != set(quota_plan.USER_KEYS)]
    assert unlimited == ["admin-a", "admin-b"]
    small = {user for user, limits in found.items() if limits.get("producer_byte_rate", 0) < 2**20}
    assert small == set(users) - {"producer-a", "producer-b"}
    assert found["producer-a"] == found["producer-b"]


def test_an_account_of_its_own_has_the_quotas_of_others() -> None:
    """Unless it is given some."""
    others = {"request_percentage": 100}
    assert accounts.user_quotas(["own-a"], {}, others) == {"own-a": others}
    assert accounts.user_quotas(["own-b"], {"own": {}}, others) == {"own-b": {}}


@pytest.mark.parametrize(
    ("quotas", "rates", "named"),
    [
        ({"nobody": {}}, {}, "quotas: nobody: found no such user"),
        ({"reader": 5}, {}, "quotas: reader: found 5, expected a map"),
        ({"reader": {"byte_rate": 5}}, {}, "quotas: reader: byte_rate: found 5, expected"),
        ({"reader": {"request_percentage": 0}}, {}, "request_percentage: found 0, expected"),
        ({"reader": {"request_percentage": True}}, {}, "request_percentage: found True"),
        ({"reader": {"request_percentage": "50"}}, {}, "request_percentage: found '50'"),
        ({}, {"default": -1}, "connection_rates: default: found -1, expected a number above 0"),
        ({}, {"node-1": 5}, "connection_rates: found 'node-1', expected an address or default"),
        ({}, {"10.0.0.0/8": 5}, "connection_rates: found '10.0.0.0/8', expected an address or"),
    ],
)
def test_an_unsound_declaration_is_named(
    quotas: dict[str, Any], rates: dict[str, Any], named: str
) -> None:
    """One line each, with what was found."""
    (problem,) = quota_plan.declaration_problems(quotas, rates, ["reader"])
    assert named in problem


def test_what_differs_is_set_and_what_nobody_declared_goes() -> None:
    """Of users, addresses and clients; a broker's own stay."""
    declared = quota_plan.parse({"reader": {"request_percentage": 50}}, {"default": 20})
    strange = (("client-id", "x"), ("user", "reader"))
    found: dict[Any, dict[str, float]] = {
        READER: {"request_percentage": 900.0, "producer_byte_rate": 1.0},
        strange: {"consumer_byte_rate": 1.0},
        (("user", "kafka-1"),): {"consumer_byte_rate": 1.0},
    }
    assert quota_plan.changes(declared, found, ["kafka-1"]) == {
        READER: {"request_percentage": 50.0, "producer_byte_rate": None},
        strange: {"consumer_byte_rate": None},
        EVERYONE: {"connection_creation_rate": 20.0},
    }
    assert quota_plan.changes(declared, declared, []) == {}


def test_a_plan_says_what_becomes_of_quotas() -> None:
    """In the diff, by names; and leaves them alone where none are declared."""
    state = access_plan.State({}, frozenset(), quotas={READER: {"request_percentage": 9.0}})
    declared = quota_plan.parse({}, {"default": 20})
    plan = access_plan.make_plan({}, state, [], 4096, declared)
    assert plan.changed
    assert access_plan.diff(plan, state) == (
        {
            "quotas of user:reader": {"request_percentage": 9.0},
            "quotas of ip:default": {"connection_creation_rate": "none"},
        },
        {
            "quotas of user:reader": {"request_percentage": "none"},
            "quotas of ip:default": {"connection_creation_rate": 20.0},
        },
    )
    assert not access_plan.make_plan({}, state, [], 4096).changed
