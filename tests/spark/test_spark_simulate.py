"""A made-up data set, analyzed: each incident is found with its label, and nothing else is."""

import csv
from pathlib import Path

import pytest
from server_monitoring.commands.simulate import write_rows
from server_monitoring.simulate.plan import TRUTH_HEADER, Plan, Simulation

from tests.spark.spark_lab import Lab, store_dataset


def read(path: Path) -> list[dict[str, str]]:
    """Return a CSV file's rows by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.mark.parametrize("start", ["00:00:00", "2024-05-01T20:52:05+02:00"])
@pytest.mark.parametrize(("window", "slide", "interval"), [(30, 10, 10), (25, 10, 7)])
def test_each_incident_is_found_and_no_other_window_is_labelled(
    lab: Lab, tmp_path: Path, start: str, window: int, slide: int, interval: int
) -> None:
    """All labels of both groups, in both forms of time, with rows on and off the windows' edges."""
    lab.values |= {"start": start, "window_seconds": window, "slide_seconds": slide}
    plan = Plan(servers=8, seconds=3_600, interval=interval, incidents=3, seed=47)
    simulation = Simulation(lab.config(), plan)
    dataset, truth = tmp_path / "m.csv", tmp_path / "m.incidents.csv"
    write_rows(dataset, simulation.header(), simulation.rows())
    write_rows(truth, TRUTH_HEADER, simulation.truth())
    store_dataset(lab, dataset, 3)
    incidents = read(truth)
    labels = [label for g in lab.values["groups"].values() for label in g["labels"].values()]
    assert sorted(i["alert"] for i in incidents) == sorted(labels * 3)
    for group in lab.values["groups"]:
        table = read(lab.analyze(group).path)
        own = [i for i in incidents if i["group"] == group]
        for incident in own:
            inside = [row for row in table if within(row, incident)]
            assert inside
            assert {row["alert"] for row in inside} == {incident["alert"]}
        touched = [row for row in table if any(touches(row, incident) for incident in own)]
        assert all(not row["alert"] for row in table if row not in touched)
        assert len(touched) < len(table) / 4


def within(row: dict[str, str], incident: dict[str, str]) -> bool:
    """Return whether a window lies whole in an incident; all times are in one zone."""
    return (
        row["server_id"] == incident["server_id"]
        and incident["incident_start"] <= row["window_start"]
        and row["window_end"] <= incident["incident_end"]
    )


def touches(row: dict[str, str], incident: dict[str, str]) -> bool:
    """Return whether a window and an incident have a second in common."""
    return (
        row["server_id"] == incident["server_id"]
        and row["window_start"] < incident["incident_end"]
        and incident["incident_start"] < row["window_end"]
    )
