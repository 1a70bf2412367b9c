"""Whatever rows come in whatever order, and whenever a detector is killed: the same alerts once."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from server_monitoring.detect.engine import Engine
from server_monitoring.detect.rows import Row
from server_monitoring.detect.rules import Rules
from server_monitoring.model.live import read_key, state_key, utc_second
from server_monitoring.model.windows import Windows

from tests.unit.app.detect import slow_oracle
from tests.unit.app.detect.detect_rows import DAY, Given, numbered, rules

VALUES = ["49.994", "49.995", "50.0", "50.01", "-3.25", "99.0", "1.5E-20", "2.5E+13", "0.0"]


@st.composite
def all_rules(draw: st.DrawFn) -> Rules:
    """Return rules of either group, with windows of any kind."""
    limits = dict.fromkeys(("cpu_pct", "mem_pct", "net_in", "disk_io"), "50.0")
    of = rules(
        draw(st.sampled_from(["cpu_mem", "net_disk"])),
        limits,
        lateness_seconds=draw(st.sampled_from([0, 0, 3])),
        for_windows=draw(st.integers(1, 3)),
        clear_windows=draw(st.integers(1, 3)),
    )
    slide = draw(st.integers(1, 12))
    return replace(of, windows=Windows(draw(st.integers(slide, 30)), slide, None))


def topic(rng: random.Random) -> list[Row]:
    """Return rows of a metric: mostly in order, some late, twice, or ahead; with gaps."""
    given_rows = []
    for server_id in ("a", "b", "c"):
        second = DAY + rng.randrange(40)
        for _ in range(rng.randrange(30)):
            second += rng.choice([1, 1, 1, 2, 5, 40])
            at = second - rng.choice([0] * 8 + [4, 25])
            ahead = rng.random() < 0.05
            arrived = second - 3600 if ahead else second
            given_rows.append(Given(at, server_id, rng.choice(VALUES), arrived))
            if rng.random() < 0.1:
                given_rows.append(Given(at, server_id, rng.choice(VALUES), arrived))
    return numbered(_shuffled(rng, given_rows))


def _shuffled(rng: random.Random, given_rows: list[Given]) -> list[Given]:
    """Interleave the servers' rows, each in its own order."""
    turns = [row.server_id for row in given_rows]
    rng.shuffle(turns)
    queues = {name: iter([r for r in given_rows if r.server_id == name]) for name in set(turns)}
    return [next(queues[name]) for name in turns]


class Broker:
    """What is committed: records, the last state of each key, and from where to read again."""

    def __init__(self, of: Rules, topics: Sequence[list[Row]], rng: random.Random) -> None:
        """Begin with empty topics for what is told."""
        self.of, self.topics, self.rng = of, topics, rng
        self.told: list[dict[str, Any]] = []
        self.states: dict[bytes, bytes | None] = {}
        self.needed = [0, 0]

    def detect(self) -> bool:
        """Run a detector until it is killed or has read all; return whether it has."""
        engine = Engine(self.of)
        for key, value in self.states.items():
            _, server_id, label = read_key(key)
            engine.restore(0, server_id, label, value)
        at = list(self.needed)
        while any(at[m] < len(self.topics[m]) for m in (0, 1)):
            metric, size = self.rng.randrange(2), self.rng.randrange(1, 25)
            engine.take(metric, 0, self.topics[metric][at[metric] : at[metric] + size])
            at[metric] = min(at[metric] + size, len(self.topics[metric]))
            if self.rng.random() < 0.1:
                return False
            if self.rng.random() < 0.5:
                self.write(engine, at)
        self.write(engine, at)
        return True

    def write(self, engine: Engine, at: list[int]) -> None:
        """Commit what the engine has to say, and sometimes the offsets."""
        output = engine.output()
        self.told += [json.loads(out.value or b"") for out in output.alerts]
        self.states |= {key: out.value for key, out in output.states.items()}
        if self.rng.random() < 0.5:
            needed = engine.needed()
            self.needed = [min(at[m], needed.get((m, 0), at[m])) for m in (0, 1)]


@settings(max_examples=150)
@given(of=all_rules(), seed=st.integers(0, 2**32))
def test_the_alerts_are_those_of_an_oracle_that_was_never_killed(of: Rules, seed: int) -> None:
    """Each once, with the numbers of exact arithmetic; and each transition."""
    rng = random.Random(seed)
    topics = [topic(rng), topic(rng)]
    broker = Broker(of, topics, rng)
    while not broker.detect():
        pass
    expected = slow_oracle.windows(of, topics)
    windows = [t for t in broker.told if t["kind"] == "window"]
    assert sorted(
        (t["server_id"], utc_second(t["window_start"]), _fractions(t), t["alert"]) for t in windows
    ) == [judged for judged in expected if judged[3]]
    moved = [t for t in broker.told if t["kind"] == "transition"]
    assert sorted(
        (t["server_id"], t["alert"], t["state"], utc_second(t["since"]), utc_second(t["at"]))
        for t in moved
    ) == slow_oracle.transitions(of, expected)
    ids = [t["id"] for t in broker.told]
    assert len(set(ids)) == len(ids)
    _check_states(broker, of, moved)


def _fractions(told: dict[str, Any]) -> tuple[Fraction, ...]:
    return tuple(Fraction(text) for text in told["values"].values())


def _check_states(broker: Broker, of: Rules, moved: list[dict[str, Any]]) -> None:
    """Find the last transition of each alert in its last state."""
    last = {(t["server_id"], t["alert"]): t for t in moved}
    for (server_id, label), told in last.items():
        found = broker.states[state_key(of.group.name, server_id, label)]
        now = json.loads(found) if found else {"state": "pending"}
        if now["state"] != "pending":
            assert (now["state"], now["since"]) == (told["state"], told["since"])
        else:
            assert told["state"] == "resolved"
