"""What has to be done to make declared Kafka quotas true: plain values in, plain values out.

An entity is whom a quota is for, as Kafka names it: pairs of a type (user, ip, client-id) and a
name, which is None for all that have no quota of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..addresses import is_address

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Entity = tuple[tuple[str, str | None], ...]
    Quotas = Mapping[Entity, Mapping[str, float]]
    Changes = dict[Entity, dict[str, float | None]]

USER_KEYS = ("producer_byte_rate", "consumer_byte_rate", "request_percentage")
RATE = "connection_creation_rate"
EVERYONE = "default"


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found > 0


def declaration_problems(
    quotas: Mapping[str, Any], rates: Mapping[str, Any], users: Collection[str]
) -> list[str]:
    """Return what is wrong with the declarations, one line each; empty if they are sound.

    Args:
        quotas: user -> quota -> number.
        rates: address, or EVERYONE, -> connections a second.
        users: those that are declared.

    """
    problems = []
    for user, limits in sorted(quotas.items()):
        if user not in users:
            problems.append(f"quotas: {user}: found no such user, expected a declared one")
        if not isinstance(limits, dict):
            problems.append(f"quotas: {user}: found {limits!r}, expected a map of numbers")
            continue
        problems += [
            f"quotas: {user}: {key}: found {value!r}, expected a number above 0 for one of "
            f"{', '.join(USER_KEYS)}"
            for key, value in limits.items()
            if key not in USER_KEYS or not _is_number(value)
        ]
    for address, rate in sorted(rates.items()):
        if address != EVERYONE and not is_address(address):
            problems.append(
                f"connection_rates: found {address!r}, expected an address or {EVERYONE}"
            )
        if not _is_number(rate):
            problems.append(
                f"connection_rates: {address}: found {rate!r}, expected a number above 0"
            )
    return problems


def parse(quotas: Mapping[str, Mapping[str, float]], rates: Mapping[str, float]) -> Quotas:
    """Return sound declarations as Kafka has them."""
    users: dict[Entity, dict[str, float]] = {
        (("user", user),): {key: float(value) for key, value in limits.items()}
        for user, limits in quotas.items()
    }
    addresses: dict[Entity, dict[str, float]] = {
        (("ip", None if address == EVERYONE else address),): {RATE: float(rate)}
        for address, rate in rates.items()
    }
    return users | addresses


def changes(declared: Quotas, found: Quotas, spared: Collection[str]) -> Changes:
    """Return each entity's quotas that differ: the declared number, or None for one that goes.

    Those of `spared` users are left alone.
    """
    made: Changes = {}
    for entity in sorted({*declared, *found}, key=label):
        if any(kind == "user" and name in spared for kind, name in entity):
            continue
        wanted, there = declared.get(entity, {}), found.get(entity, {})
        if wanted != there:
            made[entity] = {
                **{key: value for key, value in wanted.items() if there.get(key) != value},
                **dict.fromkeys(sorted(set(there) - set(wanted))),
            }
    return made


def label(entity: Entity) -> str:
    """Return an entity as messages name it."""
    return " ".join(f"{kind}:{name or EVERYONE}" for kind, name in entity)
