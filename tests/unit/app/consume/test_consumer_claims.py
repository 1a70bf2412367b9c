"""Which partitions a consumer takes, and those that it must not take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.consume import assignment, consumer
from server_monitoring.errors import BrokerError, StorageError
from server_monitoring.model import groups
from server_monitoring.settings import config

from tests.unit.app.app_answers import CPU, MEM, Answers


def test_a_partition_that_another_host_claimed_in_this_run_is_refused(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """Its rows are there: beginning at the end here would lose them."""
    reader = Answers([])
    reader.claimed[MEM] = (57, assignment.Claim("r1", "node-9").text())
    with pytest.raises(StorageError, match=r"on host node-9 up to offset 57.*no sidecar") as caught:
        start(reader)
    assert "topic topic-mem: partition 0" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_claims_of_other_runs_and_plain_offsets_mean_nothing(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """The group's name is the same in every run; only this host's claim stands afterwards."""
    reader = Answers([])
    reader.claimed = {MEM: (57, assignment.Claim("r0", "node-9").text()), CPU: (9, "")}
    made = start(reader)
    made.close()
    claim = assignment.Claim.of_this_host("r1").text()
    assert reader.claimed == {CPU: (10, claim), MEM: (10, claim)}


def test_a_lost_sidecar_is_refused_when_the_run_has_claimed_its_partition(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """Without the claim an empty segment would begin again at the end of the topic."""
    reader = Answers([])
    made = start(reader)
    made.close()
    for path in (made.segments[CPU].path, made.segments[CPU].path.with_suffix(".json")):
        path.unlink()
    with pytest.raises(StorageError, match="topic-cpu: partition 0 was consumed in run r1"):
        start(reader)


def test_a_partition_stored_here_that_left_the_share_is_refused(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """A host was added to the group in the middle of a run."""
    reader = Answers([], partitions=2)
    made = start(reader)
    made.close()
    reader.count = 1
    with pytest.raises(StorageError, match=r"1\.csv: stored on this host, but its share no longer"):
        start(reader)


def test_a_claim_that_cannot_be_read_is_none() -> None:
    """Other programs may commit with metadata of their own."""
    assert [assignment.Claim.parse(text) for text in ("", "{", "[]", "7", "null", "{}")] == [
        None
    ] * 6
    claim = assignment.Claim("r1", "h")
    assert assignment.Claim.parse(claim.text() + "\x07behind its end") == claim
    assert assignment.Claim.parse(claim.text()) == claim


def test_a_host_takes_the_partitions_of_its_share_alike_for_both_topics(
    values: dict[str, Any], write: Callable[[object], Path]
) -> None:
    """Three hosts and seven partitions: each partition has one host."""
    group = config.load(write(values)).group("cpu_mem")
    shares = [
        assignment.assigned_partitions(Answers([], 7), group, groups.Share(index, 3))
        for index in range(3)
    ]
    for topic in ("topic-cpu", "topic-mem"):
        taken = [[tp.partition for tp in share if tp.topic == topic] for share in shares]
        assert taken == [[0, 3, 6], [1, 4], [2, 5]]


def test_a_host_without_partitions_is_refused(values: dict[str, Any], write: Any) -> None:
    """Three hosts cannot share two partitions."""
    settings = config.load(write(values))
    with pytest.raises(BrokerError, match="2 partitions for 3 hosts leave none"):
        assignment.assigned_partitions(
            Answers([], partitions=2), settings.group("cpu_mem"), groups.Share(2, 3)
        )
