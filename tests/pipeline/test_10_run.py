"""The pipeline on real data: exact tables, a true manifest."""

import json
from pathlib import Path

import pytest

from tests.pipeline.runs import (
    CPU_MEM,
    DATASET,
    NET_DISK,
    RESULTS,
    RUNS,
    THRESHOLDS,
    manifest,
    read_table,
)
from tests.support.playbooks import Result, on, play
from tests.support.reference_tables import tables

EXPECTED = Path(__file__).parent / "expected"


@pytest.fixture(scope="module")
def zerotier() -> str:
    """Return the version that runs where the cluster's is asked for, on the first broker."""
    info: dict[str, str] = json.loads(on("kafka-1", "zerotier-cli -j info"))
    return info["version"]


def test_tables_equal_exact_arithmetic(first_run: tuple[Result, Path]) -> None:
    """All 25,920 rows of both tables are those of an independent calculation with fractions."""
    result, folder = first_run
    assert result.status == 0, result.tail()
    cpu_mem, net_disk = tables(DATASET, THRESHOLDS, "00:00:00")
    header, rows = read_table(folder / CPU_MEM)
    assert header == ["server_id", "window_start", "window_end", "avg_cpu", "avg_mem", "alert"]
    assert len(rows) == 25_920
    assert rows == cpu_mem
    header, rows = read_table(folder / NET_DISK)
    assert header == [
        "server_id",
        "window_start",
        "window_end",
        "max_net_in",
        "max_disk_io",
        "alert",
    ]
    assert len(rows) == 25_920
    assert rows == net_disk


def test_tables_equal_the_reference_but_for_its_rounding(first_run: tuple[Result, Path]) -> None:
    """Only three averages differ from the reference implementation's, by its 0.01."""
    _, folder = first_run
    _, rows = read_table(folder / NET_DISK)
    assert rows == read_table(EXPECTED / "alibaba2018_days_3-5_NET_DISK.csv")[1]
    _, rows = read_table(folder / CPU_MEM)
    _, expected = read_table(EXPECTED / "alibaba2018_days_3-5_CPU_MEM.csv")
    differing = [
        abs(round(100 * float(ours)) - round(100 * float(theirs)))
        for row, other in zip(rows, expected, strict=True)
        for ours, theirs in zip(row[3:5], other[3:5], strict=True)
        if float(ours) != float(theirs)
    ]
    assert differing == [1, 1, 1]
    assert [row[:3] + row[5:] for row in rows] == [row[:3] + row[5:] for row in expected]


def test_manifest_tells_the_run(first_run: tuple[Result, Path], zerotier: str) -> None:
    """The manifest holds what the run used, sent, stored, found, and how long each step took."""
    _, folder = first_run
    facts = manifest(folder)
    assert facts["run_id"] == folder.name
    assert facts["dataset"]["rows"] == 25_920
    assert facts["dataset"]["name"] == DATASET.name
    assert (
        on("producer-1", f"sha256sum {RUNS}/{folder.name}/dataset.csv")[:64]
        == facts["dataset"]["sha256"]
    )
    assert set(facts["topics"]) == {"topic-cpu", "topic-mem", "topic-net", "topic-disk"}
    for topic in facts["topics"].values():
        assert (topic["rows_in"], topic["rows_out"]) == (25_920, 25_920)
        assert topic["produced_per_second"] > 0
        assert topic["stored_per_second"] > 0
    assert facts["versions"]["kafka"] == "4.3.1"
    assert facts["versions"]["spark"] == "4.3.0"
    assert facts["overlay"]["version"] == zerotier
    assert list(facts["seconds"]) == [
        "gate", "consume", "produce", "drain", "analyze", "collect", "total",
    ]  # fmt: skip
    for group, table in (("cpu_mem", CPU_MEM), ("net_disk", NET_DISK)):
        _, rows = read_table(folder / table)
        found = facts["groups"][group]
        assert found["windows"] == len(rows)
        assert found["alerts"] == {
            label: sum(row[5] == label for row in rows) for label in found["alerts"]
        }
        assert sum(found["alerts"].values()) == sum(row[5] != "" for row in rows) > 0


def test_run_ends_with_a_short_table(first_run: tuple[Result, Path], zerotier: str) -> None:
    """The end of the output shows rows, alerts, versions, and which overlay was used."""
    result, folder = first_run
    assert result.says(f"Run {folder.name} succeeded in")
    assert result.says("topic-disk 25,920 25,920")
    assert result.says(f"ZeroTier {zerotier} (the lab's double)")


def test_run_leaves_a_page_and_its_incidents(first_run: tuple[Result, Path]) -> None:
    """Made from the run's own tables; the end of the output says where they are."""
    result, folder = first_run
    assert result.says(f"{folder.resolve()}/report.html")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"<title>Run {folder.name}: server monitoring</title>" in page
    assert len(page) < 5_000_000
    header, rows = read_table(folder / "incidents.csv")
    windows = sum(int(row[header.index("windows")]) for row in rows)
    alerts = manifest(folder)["groups"].values()
    assert windows == sum(sum(group["alerts"].values()) for group in alerts) > 0
    assert len(json.loads((folder / "incidents.json").read_bytes())["incidents"]) == len(rows)


def test_progress_is_visible(first_run: tuple[Result, Path]) -> None:
    """Producer, consumers and Spark jobs say how far they are while they run."""
    result, _ = first_run
    for part in (
        "step 3 of 6, produce: all 25,920 rows sent",
        "step 4 of 6, drain: every consumer has reached its end offsets",
        "consumer-1: consumer of cpu_mem:",
        "consumer-2: Spark job of net_disk:",
    ):
        assert result.says(part)


def test_spark_jobs_ran_at_the_same_time(first_run: tuple[Result, Path]) -> None:
    """Each job began before the other one ended."""
    _, folder = first_run
    spans = [
        json.loads(
            on(
                host,
                f"tr -d '\\n' < {RUNS}/{folder.name}/analyze-{group}.json",
            )
        )
        for host, group in (("consumer-1", "cpu_mem"), ("consumer-2", "net_disk"))
    ]
    assert max(span["started"] for span in spans) < min(span["ended"] for span in spans)


def test_latest_points_at_the_run(first_run: tuple[Result, Path]) -> None:
    """results/latest is the run that succeeded last."""
    _, folder = first_run
    assert (RESULTS / "latest").resolve() == folder.resolve()


def test_a_run_id_is_used_once(first_run: tuple[Result, Path]) -> None:
    """A second run under the same name is refused before anything happens."""
    _, folder = first_run
    before = (folder / "manifest.json").read_bytes()
    result = play("run_pipeline.yml", extra={"pipeline_run_id": folder.name})
    assert result.status != 0
    assert result.says(f"pipeline_run_id {folder.name} was used before")
    assert (folder / "manifest.json").read_bytes() == before
