"""What has to be done to make declared Kafka topics true: plain values in, plain values out.

Nothing here talks to a broker, so that every decision can be tested without one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .declarations import maps, unknown_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Replicas by the broker's default.
ANY = -1
KEYS = frozenset({"name", "partitions", "replication_factor", "configs"})
# Kafka's own rule for names; "." and ".." are left out separately.
NAME = re.compile(r"^[A-Za-z0-9._-]{1,249}$")


@dataclass(frozen=True)
class Topic:
    """A topic: its name, number of partitions, replicas of each, and settings of its own.

    How many replicas a topic has once it is there is for the module kafka_spread to see to.
    """

    name: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Plan:
    """The steps that lead from the topics of the cluster to the declared ones.

    ``refusals`` are one-line reasons; with any of them nothing may be done at all.
    """

    create: list[Topic] = field(default_factory=list)
    grow: dict[str, int] = field(default_factory=dict)
    set_configs: dict[str, dict[str, str]] = field(default_factory=dict)
    drop_configs: dict[str, list[str]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.create or self.grow or self.set_configs or self.drop_configs)


def config_text(value: object) -> str:
    """Return a setting as Kafka writes it: true/false in lower case, everything else as is."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _entry_problems(label: str, entry: Mapping[str, Any]) -> list[str]:
    problems = unknown_keys(label, entry, KEYS)
    name = entry.get("name")
    if not isinstance(name, str) or name in {".", ".."} or NAME.match(name) is None:
        problems.append(
            f"{label}: name: found {name!r}, expected 1 to 249 of the characters A-Z a-z 0-9 . _ -"
        )
    problems += [
        f"{label}: {key}: found {value!r}, expected a whole number from 1 on"
        for key, value, other in (
            ("partitions", entry.get("partitions"), None),
            ("replication_factor", entry.get("replication_factor", ANY), ANY),
        )
        if not (_is_positive(value) or value == other)
    ]
    configs = entry.get("configs", {})
    if not isinstance(configs, dict) or any(isinstance(v, (dict, list)) for v in configs.values()):
        problems.append(f"{label}: configs: found {configs!r}, expected a map of setting to value")
    elif None in configs.values():
        problems.append(f"{label}: configs: found a setting without value: leave it out instead")
    return problems


def declaration_problems(entries: Sequence[object], brokers: int) -> list[str]:
    """Return what is wrong with the declarations, one line each; empty if they are sound.

    Args:
        entries: the declarations as they stand in the inventory.
        brokers: number of brokers that the cluster has.

    """
    problems: list[str] = []
    seen: set[str] = set()
    for place, entry in maps("topic", entries, problems):
        name = entry.get("name")
        label = f"topic {name}" if isinstance(name, str) and name else place
        problems += _entry_problems(label, entry)
        factor = entry.get("replication_factor")
        if isinstance(factor, int) and factor > brokers:
            problems.append(
                f"{label}: replication_factor: found {factor}, expected at most {brokers}, "
                "the number of brokers"
            )
        if isinstance(name, str) and name in seen:
            problems.append(f"{label}: declared twice, expected once: remove one of the two")
        seen.add(str(name))
    return problems


def parse(entries: Iterable[Mapping[str, Any]]) -> list[Topic]:
    """Return sound declarations (see `declaration_problems`) as topics."""
    return [
        Topic(
            name=entry["name"],
            partitions=entry["partitions"],
            replication_factor=entry.get("replication_factor", ANY),
            configs={key: config_text(v) for key, v in (entry.get("configs") or {}).items()},
        )
        for entry in entries
    ]


def group_problems(counts: Mapping[str, int], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line for each metric group whose topics have different partition counts.

    Args:
        counts: topic -> partitions; a group's topic that is not in it is left out of account.
        groups: metric group -> its topics.

    """
    problems = []
    for group, topics in sorted(groups.items()):
        found = {topic: counts[topic] for topic in topics if topic in counts}
        if len(set(found.values())) > 1:
            listed = ", ".join(f"{topic} {count}" for topic, count in found.items())
            problems.append(
                f"metric group {group}: partitions: found {listed}, expected the same number: "
                "a server's rows must meet on one consumer; declare equal numbers"
            )
    return problems


def _compare(plan: Plan, wanted: Topic, found: Topic) -> None:
    """Add to the plan what makes one topic of the cluster true."""
    name = wanted.name
    if wanted.partitions < found.partitions:
        plan.refusals.append(
            f"topic {name}: partitions: found {found.partitions}, declared {wanted.partitions}: "
            f"partitions cannot be removed without their records; declare {found.partitions} "
            "or more, or delete the topic first"
        )
    elif wanted.partitions > found.partitions:
        plan.grow[name] = wanted.partitions
    changed = {k: v for k, v in wanted.configs.items() if found.configs.get(k) != v}
    if changed:
        plan.set_configs[name] = changed
    dropped = sorted(set(found.configs) - set(wanted.configs))
    if dropped:
        plan.drop_configs[name] = dropped


def make_plan(
    declared: Iterable[Topic],
    existing: Mapping[str, Topic],
    groups: Mapping[str, Sequence[str]],
    running: Sequence[str] = (),
) -> Plan:
    """Return the steps from the cluster's topics to the declared ones, or why there are none.

    Args:
        declared: what the inventory asks for.
        existing: every topic of the cluster by name, with the settings that are its own.
        groups: metric group -> its topics.
        running: units of a run that are active, each as ``host: unit``.

    """
    plan = Plan()
    counts = {topic.name: topic.partitions for topic in existing.values()}
    for topic in declared:
        counts[topic.name] = topic.partitions
        if topic.name in existing:
            _compare(plan, topic, existing[topic.name])
        else:
            plan.create.append(topic)
    plan.refusals += group_problems(counts, groups)
    if plan.grow and running:
        plan.refusals.append(
            f"topic {min(plan.grow)}: partitions: not grown while a run is active "
            f"({', '.join(running)}): its consumers would miss the new partitions; "
            "wait for its end, or stop it"
        )
    return plan


def diff(plan: Plan, existing: Mapping[str, Topic]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return before and after of the topics that the plan changes, as plain maps by name."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for topic in plan.create:
        after[topic.name] = _plain(topic.partitions, topic.replication_factor, topic.configs)
    for name in sorted({*plan.grow, *plan.set_configs, *plan.drop_configs}):
        found = existing[name]
        configs = {
            k: v for k, v in found.configs.items() if k not in plan.drop_configs.get(name, [])
        }
        configs.update(plan.set_configs.get(name, {}))
        before[name] = _plain(found.partitions, found.replication_factor, found.configs)
        after[name] = _plain(
            plan.grow.get(name, found.partitions), found.replication_factor, configs
        )
    return before, after


def _plain(partitions: int, replicas: int, configs: Mapping[str, str]) -> dict[str, Any]:
    return {"partitions": partitions, "replication_factor": replicas, "configs": dict(configs)}
