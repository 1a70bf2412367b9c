"""Counters outlive the agent, and never stand in its way."""

from pathlib import Path

import pytest
from server_monitoring.agent.counters import Counters, CountersFile


def test_counters_go_on_where_the_last_process_saved_them(tmp_path: Path) -> None:
    """From zero at first."""
    path = tmp_path / "counters.json"
    file = CountersFile(path, print)
    assert file.counters == Counters()
    file.counters.dropped += 7
    file.save()
    assert CountersFile(path, print).counters == Counters(dropped=7)


def test_they_are_written_only_when_they_changed(tmp_path: Path) -> None:
    """And at first, so that the file is there."""
    path = tmp_path / "counters.json"
    file = CountersFile(path, print)
    file.save()
    path.unlink()
    file.save()
    assert not path.exists()
    file.counters.missed += 1
    file.save()
    assert path.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"dropped": "many"}', '{"lost": 1}'])
def test_a_damaged_file_is_told_and_counts_from_zero(tmp_path: Path, content: str) -> None:
    """An agent is not kept from sampling by it."""
    path = tmp_path / "counters.json"
    path.write_text(content)
    told: list[str] = []
    assert CountersFile(path, told.append).counters == Counters()
    assert len(told) == 1
    assert told[0].startswith(f"{path}: ")
    assert told[0].endswith("; counting from zero")


def test_a_disk_that_takes_nothing_gets_them_later(tmp_path: Path) -> None:
    """Nothing is raised meanwhile."""
    path = tmp_path / "later" / "counters.json"
    file = CountersFile(path, print)
    file.counters.torn += 1
    file.save()
    path.parent.mkdir()
    file.save()
    assert CountersFile(path, print).counters == Counters(torn=1)
