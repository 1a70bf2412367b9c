"""The task that lays replicas: how often it asks, what it shows, and when it gives up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.server_monitoring.cluster.plugins.action import kafka_spread as plugin

FIRST = {
    "changed": True,
    "diff": {"before": 1, "after": 2},
    "targets": {"t": {"0": [1, 2], "1": [2, 1]}},
    "left": 2,
    "waits_for": "t-0 to 2, t-1 to 1",
    "over": False,
}
HALF = FIRST | {"changed": False, "left": 1, "waits_for": "t-1 to 1", "left_bytes": 1_250_000}
DONE = FIRST | {"changed": False, "left": 0, "waits_for": "", "over": True}
AWAY = {"failed": True, "msg": "no broker answered"}


class Play:
    """A task whose module answers as it is told, a second after it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any]) -> None:
        """Take the module's answers; the last one is given again and again."""
        self.lines: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.clock = 0.0
        self._answers = [*answers]
        screen = SimpleNamespace(show=self.lines.append, close=self.lines.append)
        monkeypatch.setattr(plugin, "Screen", lambda: screen)
        time = SimpleNamespace(sleep=lambda _: None, monotonic=lambda: self.clock)
        monkeypatch.setattr(plugin, "time", time)
        monkeypatch.setattr(ActionBase, "run", lambda *_: {})
        monkeypatch.setattr(plugin.ActionModule, "_execute_module", self._module)

    def _module(self, *, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.clock += 1
        assert self.clock < 100, "nobody gave up"
        self.asked.append(module_args)
        return dict(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])

    def result(self, *, check_mode: bool = False) -> dict[str, Any]:
        """Run the task; nothing is moved for ten seconds at most."""
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        action._task = SimpleNamespace(args={"timeout": "10"}, check_mode=check_mode)  # noqa: SLF001
        found: dict[str, Any] = action.run(task_vars={"inventory_hostname": "kafka-1"})
        return found


def test_the_move_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call plans; the others have what it returned. What it changed counts."""
    play = Play(monkeypatch, FIRST, HALF, DONE)
    result = play.result()
    assert (result["changed"], result["diff"], result["over"]) == (True, FIRST["diff"], True)
    assert [asked.get("targets") for asked in play.asked] == [None, *[FIRST["targets"]] * 2]
    assert play.lines == [
        "kafka-1: 0 of 2 partitions moved",
        "kafka-1: 1 of 2 partitions moved, 1.2 MB to copy",
        "kafka-1: all 2 partitions moved",
    ]


def test_what_lies_right_is_asked_for_once_and_shown_by_no_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a second provisioning finds it."""
    play = Play(monkeypatch, DONE | {"targets": {}})
    assert not play.result()["changed"]
    assert (len(play.asked), play.lines) == (1, [])


def test_check_mode_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was begun that could be waited for."""
    play = Play(monkeypatch, FIRST)
    assert play.result(check_mode=True)["changed"]
    assert (len(play.asked), play.lines) == (1, [])


def test_a_later_change_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as throttles that were taken away after another run's move."""
    play = Play(monkeypatch, FIRST | {"changed": False}, DONE | {"changed": True})
    assert play.result()["changed"]


def test_a_move_that_does_not_get_on_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line with what is left; nobody calls the module once more, which ends throttles."""
    play = Play(monkeypatch, FIRST, HALF)
    result = play.result()
    assert result["failed"]
    assert result["msg"].startswith(
        "kafka-1: nothing moved for 10 s, 1 partitions are still to move: t-1 to 1: see whether"
    )
    assert "\n" not in result["msg"]
    assert 12 <= play.clock <= 14
    assert play.lines[-1] == "kafka-1: 1 of 2 partitions moved, 1.2 MB to copy"


def test_bytes_that_are_copied_are_a_move_that_gets_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes until the next partition is there."""
    slow = [HALF | {"copied": n // 8} for n in range(40)]
    assert not Play(monkeypatch, FIRST, *slow, DONE).result().get("failed")


def test_leaders_are_waited_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """And named when they do not come."""
    waits = DONE | {"over": False, "waits_for": "the first replica of t-0 to lead"}
    play = Play(monkeypatch, FIRST, waits)
    assert "nothing moved for 10 s, it waits for: the first replica" in play.result()["msg"]
    assert play.lines[-1] == (
        "kafka-1: all 2 partitions moved; waiting for the first replica of t-0 to lead"
    )


def test_brokers_may_be_away_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is restarted; but not for longer than nothing may be moved."""
    assert not Play(monkeypatch, FIRST, *[AWAY] * 5, DONE).result().get("failed")
    play = Play(monkeypatch, FIRST, AWAY)
    result = play.result()
    assert (result["failed"], result["msg"]) == (True, AWAY["msg"])
    assert 10 <= play.clock <= 13


def test_what_was_refused_ends_the_task_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's move does not go away by asking again; a first call's failure is final."""
    play = Play(monkeypatch, FIRST, AWAY | {"problems": ["somebody else"]})
    assert play.result()["failed"]
    assert play.clock == 2
    play = Play(monkeypatch, AWAY)
    assert play.result()["failed"]
    assert play.clock == 1


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")],
)
def test_bytes_are_shown_in_the_largest_unit(count: float, said: str) -> None:
    """In powers of a thousand, as disks are."""
    assert plugin.size(count) == said
