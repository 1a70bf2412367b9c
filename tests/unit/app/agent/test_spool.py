"""The spool: nothing lost of what it took, in order, within its bound, whatever is cut."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server_monitoring.agent import spool
from server_monitoring.errors import StorageError

from tests.support.small_disk import small_disk
from tests.unit.app.agent.agent_spool import (
    Held,
    KilledError,
    files,
    killed_after,
    row,
    seconds,
)

FILES = 4096
APPEND, SEND, ACKNOWLEDGE = "append", "send", "acknowledge"


@settings(max_examples=150)
@given(
    lives=st.lists(
        st.tuples(
            st.lists(st.sampled_from([APPEND, APPEND, APPEND, SEND, ACKNOWLEDGE]), max_size=40),
            st.integers(0, 90),
            st.floats(0, 1),
        ),
        max_size=5,
    )
)
def test_a_process_that_dies_anywhere_loses_nothing_that_was_taken(
    tmp_path_factory: pytest.TempPathFactory, lives: list[tuple[list[str], int, float]]
) -> None:
    """Files of three rows; each life ends within a call of the kernel, or after its last step."""
    directory = tmp_path_factory.mktemp("spool")
    taken: list[int] = []
    received: list[int] = []
    number = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "_FILES", FILES)
        for steps, calls, part in [*lives, ([], 10**6, 0.0)]:
            held = Held(directory, bound=FILES * 200)
            chunk = None
            with suppress(KilledError), killed_after(calls, part):
                for step in steps:
                    if step == APPEND:
                        number += 1
                        held.append(number)
                        taken.append(number)
                        continue
                    if chunk is None and (chunk := held.spool.unsent(2)) is not None:
                        received += seconds(chunk)
                    if chunk is not None and step == ACKNOWLEDGE:
                        held.spool.acknowledge(chunk)
                        chunk = None
            held.die()
        last = Held(directory, bound=FILES * 200)
        received += last.drain()
    first_times = list(dict.fromkeys(received))
    assert first_times == sorted(first_times)
    # A row whose append was cut may have come whole.
    assert set(taken) <= set(first_times) <= set(range(1, number + 1))
    assert last.counters.dropped == 0
    assert last.spool.waiting == 0


def test_rows_are_given_out_once_by_one_process_and_again_by_the_next(tmp_path: Path) -> None:
    """Until they are acknowledged."""
    held = Held(tmp_path)
    held.append(1, 2, 3)
    assert (held.take(1), held.take(), held.take()) == ([1], [2, 3], [])
    held.die()
    held = Held(tmp_path)
    assert held.spool.waiting == 3
    assert held.drain(1) == [1, 2, 3]
    held.append(4)
    held.spool.close()
    held = Held(tmp_path)
    assert held.spool.waiting == 1
    assert held.drain() == [4]
    assert held.spool.last_second == row(4).second


def test_files_that_are_acknowledged_are_removed_but_the_newest_keeps_the_last_second(
    tmp_path: Path,
) -> None:
    """So that no second is sampled again."""
    held = Held(tmp_path, bound=16 * 300)
    held.append(*range(30))
    assert len(files(tmp_path)) > 3
    assert held.drain(4) == list(range(30))
    assert len(files(tmp_path)) == 1
    held.spool.close()
    assert Held(tmp_path).spool.last_second == row(29).second


def test_above_the_bound_the_oldest_file_is_dropped_counted_and_told(tmp_path: Path) -> None:
    """Never more bytes than that; what is left is the newest, in order."""
    bound = 16 * 300
    held = Held(tmp_path, bound=bound)
    for number in range(200):
        held.append(number)
        assert sum(file.stat().st_size for file in files(tmp_path)) == held.spool.size <= bound
    dropped = held.counters.dropped
    assert 0 < dropped < 200
    assert held.spool.size > bound - 2 * 300
    assert held.spool.waiting == 200 - dropped
    assert held.drain() == list(range(dropped, 200))
    said = [line for line in held.told if "were dropped" in line]
    assert len(said) == len(held.told)
    assert sum(int(line.split("oldest ")[1].split()[0]) for line in said) == dropped


def test_rows_that_are_under_way_when_their_file_is_dropped_are_not_counted(
    tmp_path: Path,
) -> None:
    """The sender has them; their acknowledgement does not set the position back."""
    held = Held(tmp_path, bound=16 * 300)
    held.append(*range(3))
    chunk = held.spool.unsent(3)
    assert chunk is not None
    held.append(*range(3, 200))
    held.spool.acknowledge(chunk)
    kept = 200 - 3 - held.counters.dropped
    assert held.spool.waiting == kept
    held.spool.close()
    assert Held(tmp_path).drain() == list(range(200 - kept, 200))


def test_a_line_that_a_crash_cut_is_cut_off_and_counted(tmp_path: Path) -> None:
    """The next row begins a line of its own."""
    held = Held(tmp_path)
    held.append(1, 2)
    held.spool.close()
    os.truncate(files(tmp_path)[0], files(tmp_path)[0].stat().st_size - 5)
    held = Held(tmp_path)
    assert held.counters.torn == 1
    held.append(3)
    assert held.drain() == [1, 3]


@pytest.mark.parametrize(
    "damage", [b"\0" * 40, b"x\xff\r\n\n", b"2024-05-01T00:00:00Z,a,1,2,3,4\n"]
)
def test_damaged_lines_in_the_middle_are_skipped_and_counted(tmp_path: Path, damage: bytes) -> None:
    """Of a file that is not the newest, where they stay; also what no agent writes, such as 1."""
    held = Held(tmp_path, bound=16 * 300)
    held.append(*range(20))
    held.spool.close()
    with files(tmp_path)[1].open("ab") as file:
        file.write(damage)
    held = Held(tmp_path, bound=16 * 300)
    assert held.drain() == list(range(20))
    assert held.counters.torn == max(1, damage.count(b"\n"))
    assert held.spool.waiting == 0


@pytest.mark.parametrize("position", [b"", b"garbage", b"000000000009 000000000000\n", b"1 -5\n"])
def test_a_damaged_position_only_sends_rows_again(tmp_path: Path, position: bytes) -> None:
    """From the oldest file on."""
    held = Held(tmp_path)
    held.append(1, 2)
    held.drain()
    held.spool.close()
    (tmp_path / "position").write_bytes(position)
    held = Held(tmp_path)
    assert held.drain() == [1, 2]


def test_a_position_behind_the_files_end_counts_as_the_end(tmp_path: Path) -> None:
    """Acknowledged rows were not on disk when the machine failed; what comes then is sent."""
    held = Held(tmp_path)
    held.append(1, 2, 3)
    held.drain()
    held.spool.close()
    os.truncate(files(tmp_path)[0], 0)
    held = Held(tmp_path)
    held.append(4)
    held.die()
    assert Held(tmp_path).drain() == [4]


def test_a_second_agent_is_refused(tmp_path: Path) -> None:
    """As long as the first one lives."""
    held = Held(tmp_path)
    with pytest.raises(StorageError, match=r"lock: another process is this agent; stop it first"):
        Held(tmp_path)
    held.spool.close()
    Held(tmp_path).spool.close()


def test_rows_wait_in_memory_while_the_disk_is_full(tmp_path: Path) -> None:
    """For the broker, which gets them in order; told once, and once when it is over."""
    with small_disk(tmp_path / "disk") as disk:
        held = Held(disk.path)
        held.append(0)
        disk.fill()
        number = 0
        while not held.told:
            number += 1
            held.append(number)
        assert "No space left on device" in held.told[0]
        held.append(number + 1, number + 2)
        assert held.drain() == list(range(number + 3))
        held.append(number + 3, number + 4)
        disk.free()
        held.append(number + 5)
        assert len(held.told) == 2
        assert "takes rows again" in held.told[1]
        held.die()
        again = Held(disk.path)
        assert again.drain()[-3:] == [number + 3, number + 4, number + 5]
        assert (held.counters.torn, again.counters.torn) == (0, 0)


def test_memory_has_a_bound_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it the oldest rows are dropped and counted."""
    monkeypatch.setattr(spool, "MEMORY_ROWS", 3)
    with small_disk(tmp_path / "disk") as disk:
        held = Held(disk.path)
        disk.fill()
        held.append(*range(2000))
        kept = held.drain()
        assert kept[-3:] == [1997, 1998, 1999]
        assert held.counters.dropped == 2000 - len(kept)
        assert held.spool.waiting == 0


def test_rows_are_synced_only_while_they_wait_and_then_each_ten_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that has them is the better disk."""
    synced: list[int] = []
    now = 0.0
    monkeypatch.setattr(os, "fdatasync", synced.append)
    held = Held(tmp_path, clock=lambda: now)
    held.drain()
    for second in range(1, 61):
        now = float(second)
        held.append(second)
        if second <= 30:
            held.drain()
        if second == 30:
            assert synced == []
    assert len(synced) == 3
