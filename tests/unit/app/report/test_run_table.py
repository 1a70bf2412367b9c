"""The short text that ends a run."""

import json
from pathlib import Path
from typing import Any

from server_monitoring.report.run_table import run_table

GOLDEN = Path(__file__).parents[1] / "results" / "golden"
VERSIONS = (
    "Kafka 4.3.1, Spark 4.3.0, Java 17.0.21.1, 21.0.13.1, app 0.1.0, ZeroTier 1.14.1 "
    "(the lab's double)"
)


def facts() -> dict[str, Any]:
    """Return the manifest of a small run."""
    made: dict[str, Any] = json.loads((GOLDEN / "manifest.json").read_text(encoding="utf-8"))
    return made


def test_several_brokers_are_counted() -> None:
    """One is not, nor are those of a manifest that does not say."""
    made = facts()
    assert "Kafka 4.3.1, 3 brokers, Spark 4.3.0" in run_table(made | {"brokers": 3})
    del made["brokers"]
    assert "Kafka 4.3.1, Spark 4.3.0" in run_table(made)


def test_it_shows_rows_alerts_seconds_and_versions() -> None:
    """A line for each topic and label."""
    assert run_table(facts()).splitlines() == [
        "Run r-1 succeeded in 33.2 s: 24 rows of größe.csv",
        "",
        "topic              rows in    rows out  produced/s    stored/s",
        "topic-cpu               24          24       2,412       2,469",
        "topic-mem               24          24       2,412       2,469",
        "topic-net               12          12       1,206       1,235",
        "topic-disk              12          12       1,206       1,235",
        "",
        "team_47_CPU_MEM.csv: 24 windows",
        "  High CPU + Memory stress                         8",
        '  Überlast, "CPU"                                  8',
        "  Memory saturation suspected                      0",
        "",
        "team_47_NET_DISK.csv: 6 windows",
        "  Network flood + Disk thrash suspected            0",
        "  Possible DDoS                                    2",
        "  Disk thrash suspected                            4",
        "",
        "Set aside: 1 bad row",
        "",
        "Records not stored: 3 foreign, 0 malformed, 6 duplicates",
        "",
        "Corrupt in topic-mem: 1 line set aside in the consumer's corrupt-*.csv, 2 rows lost",
        "",
        "Rows with an earlier one's time and server, left out: 2 of topic-cpu",
        "Rows that the other metric has no partner for, left out: 3 of topic-disk",
        "Windows of one metric alone, left out: 2 of cpu_mem",
        "",
        "Seconds: gate 4.8, consume 0.8, produce 4.5, drain 1.9, analyze 18.1, collect 3.2",
        VERSIONS,
    ]


def test_what_was_not_lost_is_not_shown() -> None:
    """A run over ZeroTier itself without a lost row has no line for either."""
    made = facts()
    made["left_out"] = dict.fromkeys(made["left_out"], 0)
    made["corrupt_rows"]["topic-mem"] = 0
    assert "Corrupt in topic-mem: 0 lines" in run_table(made)
    made["lost_rows"]["topic-mem"] = 0
    made["overlay"]["is_double"] = False
    shown = run_table(made)
    assert "not stored" not in shown
    assert "Corrupt" not in shown
    made["topics"]["topic-cpu"]["repeated_rows"] = made["topics"]["topic-disk"]["rows_alone"] = 0
    made["groups"]["cpu_mem"]["windows_of_one_metric"] = 0
    assert "left out" not in run_table(made)
    assert shown.endswith("ZeroTier 1.14.1")


def test_what_lies_before_the_start_is_said_with_the_start() -> None:
    """Rows by topic, windows by group."""
    made = facts()
    made["settings"]["start"] = "20:52:00"
    made["topics"]["topic-net"]["rows_before_start"] = 1_200
    made["groups"]["net_disk"]["windows_before_start"] = 7
    shown = run_table(made).splitlines()
    assert "Rows before the start 20:52:00, left out: 1,200 of topic-net" in shown
    assert "Windows before the start 20:52:00, left out: 7 of net_disk" in shown


def test_names_cannot_control_the_terminal() -> None:
    """Such as that of the data set, which is a file's."""
    made = facts()
    made["dataset"]["name"] = "\x1b[2Jx\u202e.csv\nRun r-2 failed"
    assert "of \\u001b[2Jx\\u202e.csv\\u000aRun r-2 failed" in run_table(made).splitlines()[0]


def test_rows_that_were_set_aside_are_counted_and_found() -> None:
    """With the host and the file; empty lines are said too, and nothing where there is none."""
    made = facts()
    made["dataset"] |= {"bad_rows": 2, "bad_rows_file": "producer-1:/runs/r-1/bad-rows.csv"}
    made["dataset"]["empty_lines"] = 1
    lines = run_table(made).splitlines()
    at = lines.index("Set aside: 2 bad rows, listed in producer-1:/runs/r-1/bad-rows.csv")
    assert lines[at + 1] == "Skipped: 1 empty line"
    made["dataset"] |= {"bad_rows": 0, "empty_lines": 0}
    assert not any(
        line.startswith(("Set aside", "Skipped")) for line in run_table(made).split("\n")
    )
