"""A run's results are put together: what the role's own filter and module made, byte for byte."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.cli import main
from server_monitoring.errors import ResultsError
from server_monitoring.host.durable import read_json
from server_monitoring.results.collect import Facts, collect, manifest
from server_monitoring.results.folder import read_results

# Inputs, and what the earlier writers (a filter and a module of Ansible) made of them, recorded.
GOLDEN = Path(__file__).parent / "golden"
FACTS = read_json(GOLDEN / "facts.json", Facts)
END = FACTS.marks["collect"] + 3.2
TABLES = ("team_47_CPU_MEM.csv", "team_47_NET_DISK.csv")
SUMS = {"cpu_mem": "98f0", "net_disk": "6876"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a results folder with nothing but the parts that came from the consumers."""
    shutil.copytree(GOLDEN / "parts", tmp_path / "r-1" / "parts")
    return tmp_path / "r-1"


def told(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write the facts with a change, and return their path."""
    facts = json.loads((GOLDEN / "facts.json").read_text(encoding="utf-8"))
    change(facts)
    path = folder.with_name("facts.json")
    path.write_text(json.dumps(facts), encoding="utf-8")
    return path


def test_tables_and_manifest_are_those_of_the_earlier_writers(folder: Path) -> None:
    """Byte for byte, with two consumers of one group, odd names, and text that is not ASCII."""
    made = collect(folder, GOLDEN / "facts.json", lambda: END)
    for name in (*TABLES, "manifest.json"):
        assert (folder / name).read_bytes() == (GOLDEN / name).read_bytes(), name
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", *TABLES]
    results = read_results(folder)
    assert results.manifest == made
    assert [server.name for server in results.servers if "\n" in server.name] == ["B\nx"]


def test_the_command_writes_the_page_too_and_shows_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one process; times apart, the manifest is the same."""
    assert main(["collect", str(folder), "--facts", str(GOLDEN / "facts.json")]) == 0
    made, golden = (
        json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        for path in (folder, GOLDEN)
    )
    for facts in (made, golden):
        del facts["ended"], facts["seconds"]["collect"], facts["seconds"]["total"]
    assert made == golden
    assert (folder / "report.html").exists()
    out = capsys.readouterr().out
    assert out.startswith("Run r-1 succeeded in ")
    assert out.endswith(f"\n\nIncidents: {folder}/incidents.csv\nPage: {folder}/report.html\n")


def test_rows_and_rates_add_up_over_hosts() -> None:
    """What two hosts stored of a topic is one number beside what was produced."""
    made = manifest(FACTS, SUMS, END)
    assert made["topics"]["topic-cpu"] == {
        "rows_in": 24,
        "rows_out": 24,
        "produced_per_second": 2412,
        "stored_per_second": 2469,
        "repeated_rows": 2,
        "rows_before_start": 0,
        "rows_alone": 0,
    }
    assert made["topics"]["topic-disk"]["rows_alone"] == 3
    assert made["groups"]["cpu_mem"]["windows_of_one_metric"] == 2
    assert made["left_out"] == {"foreign": 3, "malformed": 0, "duplicates": 6}
    assert (made["corrupt_rows"]["topic-mem"], made["lost_rows"]["topic-mem"]) == (1, 2)


def test_a_summary_of_an_older_version_is_enough() -> None:
    """It says nothing of what was left out, and its times are those of the setting start."""
    new = {"repeated_rows", "rows_before_start", "rows_alone", "times_like"}
    new |= {"windows_before_start", "windows_of_one_metric"}
    analyzed = [{k: v for k, v in a.items() if k not in new} for a in FACTS.analyzed]
    config = {**FACTS.config, "start": "2024-05-01T20:52:00+02:00"}
    made = manifest(replace(FACTS, analyzed=analyzed, config=config), SUMS, END)
    assert made["times_like"] == config["start"]
    assert made["topics"]["topic-cpu"]["repeated_rows"] == 0


def test_versions_that_differ_between_hosts_are_all_named() -> None:
    """Two Java versions in one cluster are both in the manifest."""
    versions = manifest(FACTS, SUMS, END)["versions"]
    assert (versions["java"], versions["spark"]) == ("17.0.21.1, 21.0.13.1", "4.3.0")


def test_each_step_lasts_until_the_next_begins() -> None:
    """Durations add up to the total."""
    facts = replace(FACTS, marks={"gate": 100.0, "produce": 101.5})
    made = manifest(facts, SUMS, 110.0)
    assert made["seconds"] == {"gate": 1.5, "produce": 8.5, "total": 10.0}
    assert made["ended"] == "1970-01-01T00:01:50Z"


def test_the_data_set_has_the_name_that_the_user_gave_it() -> None:
    """The copy on the producer has another name, which says nothing."""
    made = manifest(FACTS, SUMS, END)["dataset"]
    assert (made["name"], made["bad_rows"]) == ("größe.csv", 1)


def test_where_the_bad_rows_are_is_said_with_the_host() -> None:
    """On the producer; a run of an older version says nothing of it."""
    assert "bad_rows_file" not in manifest(FACTS, SUMS, END)["dataset"]
    facts = replace(
        FACTS,
        run={**FACTS.run, "producer": "producer-1"},
        produced={**FACTS.produced, "bad_rows_file": "/data/runs/r-1/bad-rows.csv"},
    )
    made = manifest(facts, SUMS, END)["dataset"]
    assert made["bad_rows_file"] == "producer-1:/data/runs/r-1/bad-rows.csv"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda facts: facts.pop("cluster"), "missing 1 required positional argument: 'cluster'"),
        (
            lambda facts: facts.update(marks=[]),
            r"facts.json: marks: found \[\], expected the facts",
        ),
        (lambda facts: facts["produced"].pop("client"), "not the facts of a run .KeyError: 'cli"),
        (lambda facts: facts["analyzed"].append({}), "not the facts of a run .KeyError: 'group'"),
        (lambda facts: facts["config"].update(groups={}), "config.groups: found {}, expected at"),
        (lambda facts: facts["config"].update(start="noon"), "settings.start: found 'noon'"),
        (lambda facts: facts["analyzed"].pop(), "CPU_MEM.csv: the tables that came back are not"),
        (
            lambda facts: facts["analyzed"][0].update(windows=13),
            "are not those that the Spark jobs wrote: found .* of 12 rows, .*, expected .* of 13 ",
        ),
        (
            lambda facts: facts["analyzed"][1].update(times_like="1970-01-01T00:00:00Z"),
            "found tables with times like 00:00:00 and 1970-01-01T00:00:00Z, expected one form",
        ),
        (
            lambda facts: (
                [
                    entry.update(rows_before_start=dict(entry["rows"], **{"topic-mem": 10}))
                    for entry in facts["analyzed"]
                    if entry["group"] == "cpu_mem"
                ]
                and facts["analyzed"][0]["rows_before_start"].update({"topic-mem": 12})
            ),
            "group cpu_mem: all 46 rows lie before the setting start, 00:00:00; set an earlier",
        ),
    ],
)
def test_facts_that_are_not_those_of_the_run_are_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    """In one line; what the hosts brought stays, and there is no manifest."""
    with pytest.raises(ResultsError, match=message) as caught:
        collect(folder, told(folder, change))
    assert "\n" not in str(caught.value)
    assert not (folder / "manifest.json").exists()
    assert len(list(folder.glob("parts/*/*.csv"))) == 3


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("r-1", "r-1: no such folder; name one with the tables of a run's hosts"),
        ("facts.json", "facts.json: No such file or directory; name the facts of a run"),
        ("r-1/parts/net_disk", "team_47_NET_DISK.csv: no table came back from any host"),
    ],
)
def test_what_is_missing_is_one_line_with_the_status_of_results(
    folder: Path, missing: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And collecting again works once it is there."""
    facts = told(folder, lambda _: None)
    away = folder.parent / missing
    away.rename(folder.parent / "away")
    argv = ["collect", str(folder), "--facts", str(facts)]
    assert main(argv) == 9
    err = capsys.readouterr().err
    assert err.startswith("server-monitoring: error: ")
    assert err.count("\n") == 1
    assert message in err
    (folder.parent / "away").rename(away)
    assert main(argv) == 0
