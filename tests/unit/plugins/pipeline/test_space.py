"""How much room a run needs, and which line says that it is not there."""

from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import pipeline_space as space

MIB = 1 << 20
CONSUMER = {"min_free": 500, "factor": 4, "is_producer": False, "is_consumer": True}
PRODUCER = CONSUMER | {"is_producer": True, "is_consumer": False}


def said(free: int, folder: str = "/var") -> dict[str, Any]:
    """Return what df says."""
    return {"rc": 0, "out": f" Avail Mounted on\n{free} {folder}"}


@pytest.mark.parametrize(
    ("place", "dataset", "wanted", "least"),
    [
        ("data", "a.csv", CONSUMER, 500 + 400),
        ("data", "a.csv.GZ", CONSUMER, 500 + 4_000),
        ("data", "a.parquet", CONSUMER | {"factor": "0.5"}, 500 + 500),
        ("data", "a.csv.zst", PRODUCER, 500 + 100),
        ("broker", "a.csv", PRODUCER, 500 + 400),
        ("broker", "a.csv", PRODUCER | {"factor": 0}, 500),
        ("data", "a.csv", CONSUMER | {"is_producer": True}, 500 + 500),
    ],
)
def test_a_host_needs_room_for_its_part(
    place: str, dataset: str, wanted: dict[str, Any], least: int
) -> None:
    """With one MiB less than that the line names host, disk, what is there, and what to do."""
    asked = (dataset, 100 * MIB, wanted, "node-1")
    assert space.space_problem({place: said(least)}, *asked) == ""
    problem = space.space_problem({place: said(least - 1, "/my data")}, *asked)
    assert problem.startswith(
        f"node-1: {least - 1} MiB free in /my data, expected at least {least}"
    )
    assert "this data set of 100 MiB" in problem
    assert "\n" not in problem


@pytest.mark.parametrize("answer", [{"rc": 1, "out": ""}, {"rc": 0, "out": ""}, {}])
def test_a_disk_that_is_not_known_is_for_others_to_find(answer: dict[str, Any]) -> None:
    """A folder that is not there has a line of its own at the gate."""
    assert space.space_problem({"data": answer}, "a.csv", MIB, CONSUMER, "node-1") == ""
