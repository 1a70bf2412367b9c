"""Bad input ends before any harm, in one line: the thing, what was found, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.accounting import end_offsets
from tests.support.playbooks import Result, on, play
from tests.support.project import PROJECT

HEADER = "ts,server_id,cpu_pct,mem_pct,net_in,disk_io"


def _set(host: str, name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(inventory: dict[str, Any]) -> None:
        inventory["hosts"][host][name] = value

    return change


def _drop_address(inventory: dict[str, Any]) -> None:
    del inventory["hosts"]["producer-1"]["zerotier_ip"]


def _empty_group(inventory: dict[str, Any]) -> None:
    inventory["children"]["producers"]["hosts"] = {}


def _drop_group(inventory: dict[str, Any]) -> None:
    del inventory["children"]["consumers_net_disk"]


INVENTORIES = {
    "no address": (
        _drop_address,
        "producer-1: zerotier_ip is missing, expected an address inside zerotier_network_cidr",
    ),
    "malformed address": (
        _set("producer-1", "zerotier_ip", "172.29.0.300"),
        "producer-1: zerotier_ip is 172.29.0.300, which is no IP address",
    ),
    "duplicate address": (
        _set("producer-1", "zerotier_ip", "172.29.0.1"),
        "producer-1: zerotier_ip 172.29.0.1 is also that of kafka-1",
    ),
    "address elsewhere": (
        _set("producer-1", "zerotier_ip", "10.9.8.7"),
        "producer-1: zerotier_ip is 10.9.8.7, expected an address inside",
    ),
    "empty group": (_empty_group, "inventory: group producers is empty"),
    "missing group": (_drop_group, "inventory: group consumers_net_disk is missing"),
}
WORD = {"cpu_pct": "much", "mem_pct": 1, "net_in": 1, "disk_io": 1}
SETTINGS = {
    "start": (
        {"pipeline_start": "25:00:00"},
        "pipeline_start: found '25:00:00', expected \"\" for all windows, or a time",
    ),
    "threshold": (
        {"pipeline_thresholds": WORD},
        "pipeline_thresholds.cpu_pct: found 'much', expected a number",
    ),
    "threshold missing": (
        {"pipeline_thresholds": {"cpu_pct": 1}},
        "pipeline_thresholds.disk_io: missing",
    ),
    "window": ({"pipeline_window_seconds": 0}, "pipeline_window_seconds: found 0"),
    "bad rows": (
        {"pipeline_on_bad_row": "drop"},
        "pipeline_on_bad_row is drop, expected stop or skip",
    ),
    "run id": (
        {"pipeline_run_id": "../../etc"},
        "pipeline_run_id is ../../etc, expected at most 64 letters",
    ),
}
TOO_MUCH = 99_000_000
MACHINES = {
    "distribution": ("preflight_distributions", {"Debian": "99"}, "kafka-1: Debian 13"),
    "memory": ("preflight_memory", {"producers": TOO_MUCH}, "producer-1:"),
    "disk": ("preflight_disk", {"consumers": TOO_MUCH}, "consumer-1:"),
}


@pytest.mark.parametrize(("change", "message"), INVENTORIES.values(), ids=INVENTORIES)
def test_bad_inventory_is_refused_before_any_machine_is_touched(
    change: Callable[[dict[str, Any]], None], message: str, changed_inventory: Callable[..., Path]
) -> None:
    """provision.yml names host, variable, value and expectation, and asks no host anything."""
    result = play("provision.yml", inventory=changed_inventory(change))
    _assert_refused(result, message)
    assert set(result.changed()) == {"localhost"}


@pytest.mark.parametrize(("settings", "message"), SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("playbook", ["provision.yml", "run_pipeline.yml"])
def test_bad_setting_is_refused_before_any_machine_is_touched(
    playbook: str, settings: dict[str, Any], message: str
) -> None:
    """Both playbooks name the variable, what it holds and what is expected."""
    result = play(playbook, extra=settings)
    _assert_refused(result, message)
    assert set(result.changed()) == {"localhost"}


@pytest.mark.parametrize(("variable", "needed", "host"), MACHINES.values(), ids=MACHINES)
def test_unfit_machine_is_refused(variable: str, needed: dict[str, Any], host: str) -> None:
    """provision.yml says what the machine has and what it needs, before it changes anything."""
    result = play("provision.yml", extra={variable: needed})
    [expected] = needed.values()
    _assert_refused(result, str(expected))
    assert result.says(host)
    assert set(result.changed().values()) == {0}


def test_a_heap_too_small_for_a_spark_job_is_found_when_provisioning() -> None:
    """The rehearsal fails with Java's reason and the setting; the archive of before stays."""
    archive = "stat --format='%i %s' /opt/spark/classes.jsa; sha256sum /opt/spark/rehearsed"
    before = on("consumer-1", archive)
    result = play("provision.yml", "--tags=pipeline", extra={"pipeline_spark_driver_memory": "10m"})
    _assert_refused(result, "the rehearsal of the Spark jobs failed: java.lang.OutOfMemoryError")
    assert result.says("pipeline_spark_driver_memory (found 10m, expected 512m or more)")
    assert on("consumer-1", archive) == before


def test_a_heap_that_the_units_do_not_have_is_refused() -> None:
    """A run does not go on with another heap than it was given."""
    result = play("run_pipeline.yml", extra={"pipeline_spark_driver_memory": "900m"})
    _assert_refused(result, "server-monitoring-analyze-cpu_mem@.service is not what this run's")


NO_NUMBERS = (
    f"{HEADER}\n00:00:00,a,1,x,3,4\n00:00:10,a,1,2,NaN,4\n00:00:20,a,1,2,3,inf\n"
    "24:00:00,a,1,2,3,4\n"
)
DATASETS = {
    "missing": (None, "expected a CSV file on this machine"),
    "empty": ("", "empty"),
    "missing column": ("ts,server_id,cpu_pct,mem_pct,net_in\n00:00:00,a,1,2,3\n", "disk_io"),
    "wrong number of fields": (f"{HEADER}\n00:00:00,a,1,2,3,4\n00:00:10,a,1,2,3\n", "line 3"),
    "stray quote": (f'{HEADER}\n00:00:00,"a,1,2,3,4\n00:00:10,a,1,2,3,4\n', "1 bad row", "line 2"),
    "two nights": (f"{HEADER}\n23:59:00,a,1,2,3,4\n00:00:00,a,1,2,3,4\n", "the clock of server"),
    "no numbers, bad time": (
        NO_NUMBERS,
        "line 2, column mem_pct",
        "line 3, column net_in",
        "line 4, column disk_io",
        "line 5, column ts",
    ),
}  # fmt: skip
SHORT = ("missing", "no numbers, bad time")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[] if name in SHORT else pytest.mark.long, id=name)
        for name, case in DATASETS.items()
    ],
)
def test_bad_data_set_stops_the_run_before_anything_is_sent(
    case: tuple[str | None, ...], tmp_path: Path
) -> None:
    """The run names file, line and column; no topic gets a record."""
    dataset = tmp_path / "bad.csv"
    content, message, *others = case
    if content is not None:
        dataset.write_text(content, encoding="utf-8")
    before = end_offsets()
    result = play("run_pipeline.yml", extra={"pipeline_dataset": str(dataset)})
    _assert_refused(result, str(message))
    assert all(result.says(str(other)) for other in (*others, dataset)), result.tail()
    assert end_offsets() == before


def _assert_refused(result: Result, message: str) -> None:
    assert result.status != 0, result.tail()
    assert result.says(message), result.tail()
    assert "Traceback" not in result.output


def test_example_inventory_passes_the_check_of_inventories() -> None:
    """What users copy is valid as it is; no machine is asked anything."""
    example = PROJECT / "inventory" / "example"
    result = play("playbooks/validate.yml", inventory=example)
    assert result.status == 0, result.tail()
    assert set(result.changed()) == {"localhost"}
