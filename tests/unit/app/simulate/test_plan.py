"""Made-up data sets: the same for the same seed, and as the plan says."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring import cli
from server_monitoring.errors import UsageError
from server_monitoring.settings import config
from server_monitoring.simulate.plan import Plan, Simulation

from tests.support.reference_tables import tables
from tests.unit.app.app_command import App

PLAN = Plan(servers=6, seconds=1_800, interval=10, incidents=2, seed=1)
Write = Callable[[object], Path]


@pytest.fixture
def loaded(values: dict[str, Any], write: Write) -> config.Config:
    """Return the default settings."""
    return config.load(write(values))


def test_each_server_has_a_row_each_interval_and_each_label_its_incidents(
    loaded: config.Config,
) -> None:
    """In the order of time."""
    simulation = Simulation(loaded, PLAN)
    rows = list(simulation.rows())
    assert len(rows) == 6 * 180
    assert [row[:2] for row in rows[:7]] == [
        *(["20:52:00", f"server-{i}"] for i in range(1, 7)),
        ["20:52:10", "server-1"],
    ]
    assert rows[-1][:2] == ["21:21:50", "server-6"]
    kinds = [(incident.group, incident.kind) for incident in simulation.incidents]
    every = [(g, kind) for g in loaded.groups for kind in ("both", "first", "second")]
    assert sorted(kinds) == sorted(every * 2)


def test_the_seed_decides_everything(loaded: config.Config) -> None:
    """Incidents and values; another seed gives others."""
    first, again = Simulation(loaded, PLAN), Simulation(loaded, PLAN)
    other = Simulation(loaded, Plan(6, 1_800, 10, 2, seed=2))
    assert list(first.rows()) == list(again.rows())
    assert list(first.truth()) == list(again.truth())
    assert list(first.truth()) != list(other.truth())
    assert list(first.rows()) != list(other.rows())


@pytest.mark.parametrize("threshold", [82.1, 0, -5, 0.004, 99.99, 250_000])
@pytest.mark.parametrize("seed", [1, 2])
def test_values_are_above_the_threshold_exactly_during_their_incidents(
    values: dict[str, Any], write: Write, threshold: float, seed: int
) -> None:
    """Whatever the size and sign of the threshold."""
    values["thresholds"]["cpu_pct"] = threshold
    made = Simulation(config.load(write(values)), Plan(6, 1_800, 10, 2, seed))
    high = {"both", "first"}
    spans = [
        (i.server, i.start, i.end)
        for i in made.incidents
        if i.kind in high and i.group == "cpu_mem"
    ]
    found = 0
    for place, row in enumerate(made.rows()):
        second = 75_120 + place // 6 * 10
        inside = any(s == place % 6 and start <= second < end for s, start, end in spans)
        assert (float(row[2]) > threshold) == inside, row
        found += inside
    assert found == 4 * 4


def test_percentages_stay_percentages(loaded: config.Config) -> None:
    """A load of more than 100 per cent would give the game away."""
    for row in Simulation(loaded, PLAN).rows():
        assert 0 < float(row[2]) < 100
        assert 0 < float(row[3]) < 100


def test_load_follows_the_time_of_day(values: dict[str, Any], write: Write) -> None:
    """A server's quietest and busiest hours are half a day apart."""
    values["start"] = "2024-05-01T00:00:00Z"
    made = Simulation(config.load(write(values)), Plan(1, 86_400, 30, 1, 1))
    cpu = [float(row[2]) for row in made.rows()]
    hours = [sum(cpu[hour * 120 : hour * 120 + 120]) / 120 for hour in range(24)]
    assert max(hours) - min(hours) > 30
    assert min(hours) in (hours[0], hours[23])
    assert max(hours) in hours[10:14]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(6, 11_281, 10, 1, 1), "--seconds: found 11281, expected at most 11280: the data"),
        (Plan(6, 1_800, 31, 1, 1), "--interval: found 31, expected at most the 30 of window_sec"),
        (Plan(1, 100, 10, 1, 1), "--incidents: 6 in all do not fit into 1 servers and 100 s"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(
    loaded: config.Config, plan: Plan, message: str
) -> None:
    """With what would fit."""
    with pytest.raises(UsageError) as caught:
        Simulation(loaded, plan)
    assert message in str(caught.value)


def test_the_command_writes_both_files_and_the_tables_agree_with_them(
    app: App, values: dict[str, Any], tmp_path: Path
) -> None:
    """By plain arithmetic: each incident is labelled, and nothing else."""
    out = tmp_path / "sim.csv"
    said = app("simulate", "--out", str(out), "--servers", "6")
    truth = tmp_path / "sim.incidents.csv"
    line = f"wrote 2160 rows of 6 servers to {out}, and 12 incidents to {truth}\n"
    assert said == (0, line, "")
    with truth.open(newline="") as file:
        incidents = list(csv.DictReader(file))
    assert len(incidents) == 12
    for group, table in zip(
        ("cpu_mem", "net_disk"), tables(out, values["thresholds"]), strict=True
    ):
        own = [i for i in incidents if i["group"] == group]
        for incident in own:
            assert incident["alert"] in {
                row[5]
                for row in table
                if row[0] == incident["server_id"]
                and incident["incident_start"] <= row[1] < row[2] <= incident["incident_end"]
            }
        for row in table:
            overlaps = any(
                row[0] == i["server_id"]
                and row[1] < i["incident_end"]
                and row[2] > i["incident_start"]
                for i in own
            )
            assert overlaps or not row[5], row


@pytest.mark.parametrize("option", ["--servers", "--seconds", "--interval", "--incidents"])
@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "\uff11"])
def test_counts_are_whole_numbers(
    option: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option and what was found are named."""
    assert cli.main(["simulate", "--out", "x.csv", option, number]) == 2
    assert f"{option}: found {number!r}, expected a whole number" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_a_storage_error(
    values: dict[str, Any], write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and no file half written."""
    out = tmp_path / "absent" / "sim.csv"
    assert cli.main(["simulate", "--config", str(write(values)), "--out", str(out)]) == 6
    assert f"{out}: No such file or directory" in capsys.readouterr().err
