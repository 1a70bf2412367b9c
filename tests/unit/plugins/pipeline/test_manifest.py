"""The manifest holds a run's facts, summed over its hosts; the table shows them in short."""

from typing import Any

from ansible_collections.server_monitoring.cluster.plugins.filter import pipeline_manifest as module


def facts() -> dict[str, Any]:
    """Return the manifest of a small run with two consumer hosts in one group."""
    produced = {
        "app_version": "0.1.0",
        "client": "kafka-python 3",
        "dataset": {"name": "dataset.csv", "rows": 5, "sha256": "ab", "bytes": 9},
        "bad_rows": 1,
        "rows": {"t1": 5, "t2": 5},
        "messages_per_second": {"t1": 10.4, "t2": 10.4},
    }
    left_out = {"foreign": 0, "malformed": 0, "duplicates": 2}
    consumed = [
        {"rows": {"t1": 2, "t2": 2}, "messages_per_second": {"t1": 4.0, "t2": 4.0}, **left_out},
        {"rows": {"t1": 3, "t2": 3}, "messages_per_second": {"t1": 6.0, "t2": 6.0}, **left_out},
    ]
    corrupt = {"corrupt_rows": {"t1": 0, "t2": 1}, "lost_rows": {"t1": 0, "t2": 600}}
    found = {"group": "g", "windows": 3, "alerts": {"hot": 1}, "spark_version": "4", **corrupt}
    analyzed = [{**found, "java_version": v} for v in ("17", "21")]
    settings = {"window_seconds": 30, "slide_seconds": 10, "start": "00:00:00", "thresholds": {}}
    metrics = [{"topic": "t1", "column": "x", "output_column": "max_x"}]
    group = {"output_file": "g.csv", "aggregate": "maximum", "metrics": metrics}
    config = {**settings, "groups": {"g": group}}
    overlay = {"name": "zerotier", "version": "1", "package_version": "1", "is_double": False}
    made: dict[str, Any] = module.manifest(
        config,
        {"id": "r", "started": "2026-01-01T00:00:00Z", "dataset": "/somewhere/metrics.csv"},
        produced,
        consumed,
        analyzed,
        {"gate": 100.0, "produce": 101.5, "end": 110.0},
        {"kafka_version": "4", "overlay": overlay},
        [{"file": "g.csv", "sha256": "cd", "rows": 6}],
    )
    return made


def test_rows_and_rates_add_up_over_hosts() -> None:
    """What two hosts stored of a topic is one number beside what was produced."""
    assert facts()["topics"]["t1"] == {
        "rows_in": 5,
        "rows_out": 5,
        "produced_per_second": 10,
        "stored_per_second": 10,
    }


def test_records_that_were_not_stored_add_up_over_hosts_and_are_shown() -> None:
    """Rows that a restarted producer sent twice do not vanish silently."""
    made = facts()
    assert made["left_out"] == {"foreign": 0, "malformed": 0, "duplicates": 4}
    shown = "Records not stored: 0 foreign, 0 malformed, 4 duplicates"
    assert shown in module.table(made).splitlines()
    made["left_out"] = dict.fromkeys(made["left_out"], 0)
    assert "not stored" not in module.table(made)


def test_corrupt_rows_add_up_over_hosts_and_are_shown() -> None:
    """A table that lacks rows says so; a topic without corrupt rows is not named."""
    made = facts()
    assert made["corrupt_rows"] == {"t1": 0, "t2": 2}
    assert made["lost_rows"] == {"t1": 0, "t2": 1_200}
    shown = "Corrupt in t2: 2 lines set aside in the consumer's corrupt-*.csv, 1,200 rows lost"
    assert shown in module.table(made).splitlines()
    assert "Corrupt in t1" not in module.table(made)
    made["corrupt_rows"]["t2"] = 0
    assert "Corrupt in t2: 0 lines" in module.table(made)
    made["lost_rows"]["t2"] = 0
    assert "Corrupt" not in module.table(made)


def test_windows_and_alerts_add_up_over_hosts() -> None:
    """A group's windows and alerts are those of all its hosts; its metrics say what it compared."""
    assert facts()["groups"]["g"] == {
        "file": "g.csv",
        "sha256": "cd",
        "aggregate": "maximum",
        "metrics": [{"topic": "t1", "column": "x", "output_column": "max_x"}],
        "windows": 6,
        "alerts": {"hot": 2},
    }


def test_versions_that_differ_between_hosts_are_all_named() -> None:
    """Two Java versions in one cluster both stand in the manifest."""
    assert facts()["versions"]["java"] == "17, 21"
    assert facts()["versions"]["spark"] == "4"


def test_each_step_lasts_until_the_next_begins() -> None:
    """Durations add up to the total."""
    assert facts()["seconds"] == {"gate": 1.5, "produce": 8.5, "total": 10.0}


def test_data_set_has_the_name_that_the_user_gave_it() -> None:
    """The copy on the producer has another name, which says nothing."""
    assert facts()["dataset"]["name"] == "metrics.csv"
    assert facts()["dataset"]["bad_rows"] == 1


def test_table_shows_rows_alerts_and_versions() -> None:
    """The short text has a line for each topic and label."""
    lines = module.table(facts()).splitlines()
    assert lines[0] == "Run r succeeded in 10.0 s: 5 rows of metrics.csv"
    assert "t2                       5           5          10          10" in lines
    assert any(line.split() == ["hot", "2"] for line in lines)
    assert lines[-1] == "Kafka 4, Spark 4, Java 17, 21, app 0.1.0, ZeroTier 1"


def test_table_says_when_the_overlay_was_the_double() -> None:
    """A run over the lab's double cannot be taken for one over ZeroTier."""
    made = facts()
    made["overlay"]["is_double"] = True
    assert module.table(made).endswith("ZeroTier 1 (the lab's double)")
