"""The configuration: what is accepted, and that each mistake names its key."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.commands import common
from server_monitoring.errors import ConfigError, UsageError
from server_monitoring.host.runs import checked_run_id
from server_monitoring.model import groups
from server_monitoring.model.layout import Layout
from server_monitoring.model.timestamps import CLOCK, ISO
from server_monitoring.settings import config

from tests.support.app_settings import metric_group

Write = Callable[[object], Path]


def test_valid_settings_load_with_exact_thresholds(values: dict[str, Any], write: Write) -> None:
    """82.1 is the decimal that stands there, not the nearest double."""
    loaded = config.load(write(values))
    assert loaded.thresholds["cpu_pct"] == Decimal("82.1")
    assert [m.topic for m in loaded.metrics()] == [
        "topic-cpu",
        "topic-mem",
        "topic-net",
        "topic-disk",
    ]
    assert loaded.windows(CLOCK).first_start == 75_120
    assert config.share_of(loaded, "net_disk") == groups.Share(0, 1)


def test_start_may_have_a_date_and_a_zone(values: dict[str, Any], write: Write) -> None:
    """It says which form the data set's times have; nothing drops windows before midnight."""
    values["start"] = "2024-05-01T20:52:00+02:00"
    loaded = config.load(write(values))
    assert loaded.time_form() is ISO
    assert loaded.windows(ISO).first_start == 1_714_589_520
    values["start"] = "00:00:00"
    assert config.load(write(values)).time_form() is CLOCK


def test_an_empty_start_leaves_the_form_to_the_data_and_takes_every_window(
    values: dict[str, Any], write: Write
) -> None:
    """But of times of day none that begins before midnight, as with a start of 00:00:00."""
    values["start"] = ""
    loaded = config.load(write(values))
    assert loaded.time_form() is None
    for form, earliest in ((CLOCK, 0), (ISO, None)):
        windows = loaded.windows(form)
        assert (windows.first_start, windows.earliest) == (None, earliest)
    values["start"] = "00:00:00"
    assert config.load(write(values)).windows(CLOCK) == loaded.windows(CLOCK)


def test_how_a_data_set_is_written_may_be_left_out(values: dict[str, Any], write: Write) -> None:
    """A run that an older version began has none of these keys."""
    assert config.load(write(values)).layout == Layout()
    values |= {"csv_separator": "tab", "decimal_comma": "true", "clock_goes_back": "keep"}
    values |= {"time_unit": "epoch_seconds", "start": "2024-05-01T20:52:00Z"}
    layout = Layout("tab", decimal_comma=True, time_unit="epoch_seconds", clock_goes_back="keep")
    assert config.load(write(values)).layout == layout


def test_a_third_group_needs_no_code(values: dict[str, Any], write: Write) -> None:
    """Groups are data: other columns, topics and labels load as they are."""
    values["groups"]["gpu_fan"] = metric_group(
        {"gpu.temp": ("gpu_c", "max_gpu"), "fan.speed": ("fan_rpm", "max_fan")},
        ("maximum", "windows", "gpu.csv"),
        ("fire", "hot", "loud"),
    )
    values["thresholds"] |= {"gpu_c": 90, "fan_rpm": 5000}
    assert config.load(write(values)).group("gpu_fan").labels.both == "fire"


MISTAKES = [
    ("csv_separator", ":", "csv_separator: found ':', expected , or ; or | or tab"),
    ("decimal_comma", 1, "decimal_comma: found 1, expected true or false"),
    ("clock_goes_back", "no", "clock_goes_back: found 'no', expected stop or keep"),
    ("time_unit", "epoch", "time_unit: found 'epoch', expected"),
    ("time_unit", "epoch_seconds", "start: found '20:52:00', expected none, or one in ISO 8601"),
    ("compression", "gzip", "found 'gzip', expected none or lz4 or zstd"),
    ("kafka_client", "librdkafka", "found 'librdkafka', expected kafka-python or confluent-kafka"),
    ("bootstrap_servers", [], "bootstrap_servers: found []"),
    (
        "bootstrap_servers",
        ["kafka-1"],
        r"bootstrap_servers[0]: found 'kafka-1', expected host:port",
    ),
    ("bootstrap_servers", ["a:99999"], "bootstrap_servers[0]"),
    ("bootstrap_servers", "a:1", "bootstrap_servers: found 'a:1'"),
    ("data_dir", "var/lib", "data_dir: found 'var/lib', expected an absolute path"),
    ("broker_timeout", 5, "broker_timeout: found 5, expected a whole number from 15"),
    ("full_disk_timeout", -1, "full_disk_timeout: found -1, expected a whole number from 0"),
    ("window_seconds", 0, "window_seconds: found 0"),
    ("window_seconds", "30", "window_seconds: found '30', expected a whole number"),
    ("window_seconds", True, "window_seconds: found True"),
    ("slide_seconds", 31, "slide_seconds: found 31, expected at most window_seconds (30)"),
    ("start", 75120, 'start: found 75120, expected "" for all windows, or a time as'),
    ("start", "25:00:00", "start: found '25:00:00'"),
    ("thresholds.cpu_pct", "high", "thresholds.cpu_pct: found 'high', expected a number"),
    ("thresholds.cpu_pct", float("nan"), "thresholds.cpu_pct: found nan"),
    ("thresholds.cpu", 1.0, "thresholds.cpu: found 'cpu', expected no such key"),
    ("groups", {}, "groups: found {}"),
    ("groups", [], "groups: found []"),
    (
        "groups.cpu_mem.aggregate",
        "mean",
        "groups.cpu_mem.aggregate: found 'mean', expected average or",
    ),
    ("groups.cpu_mem.join", None, "groups.cpu_mem.join: found None"),
    ("groups.cpu_mem.output_file", "../x.csv", "groups.cpu_mem.output_file: found '../x.csv'"),
    ("groups.cpu_mem.output_file", "team_47_NET_DISK.csv", "groups.net_disk: found 'team_47_NET"),
    ("groups.cpu_mem.labels.first", "a\nb", "groups.cpu_mem.labels.first: found"),
    ("groups.cpu_mem.labels.third", "x", "groups.cpu_mem.labels.third: found 'third'"),
    (
        "groups.cpu_mem.metrics",
        [],
        "groups.cpu_mem.metrics: found '0 metrics', expected exactly two",
    ),
    ("groups.cpu_mem.metrics.0.topic", "a b", "groups.cpu_mem.metrics[0].topic: found 'a b'"),
    ("groups.cpu_mem.metrics.0.topic", "..", "groups.cpu_mem.metrics[0].topic: found '..'"),
    (
        "groups.cpu_mem.metrics.0.topic",
        "topic-mem",
        "groups.cpu_mem: found 'topic-mem', expected a topic",
    ),
    ("groups.cpu_mem.metrics.0.column", "ts", "groups.cpu_mem.metrics[0].column: found 'ts'"),
    (
        "groups.cpu_mem.metrics.0.output_column",
        "avg_mem",
        "groups.cpu_mem.metrics: found ['avg_mem']",
    ),
    (
        "consumers.other",
        {"index": 0, "hosts": 1},
        "consumers.other: found 'other', expected a group",
    ),
    (
        "consumers.cpu_mem.index",
        1,
        "consumers.cpu_mem.index: found 1, expected a whole number from 0 to 0",
    ),
    ("consumers.cpu_mem.hosts", 0, "consumers.cpu_mem.hosts: found 0"),
    ("retries", 3, "retries: found 'retries', expected no such key"),
]


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES)
def test_a_mistake_is_one_line_with_file_key_found_and_expected(
    values: dict[str, Any], write: Write, path: str, value: object, message: str
) -> None:
    """The key's path is enough to find it in the file."""
    *parents, last = path.split(".")
    node: Any = values
    for name in parents:
        node = node[int(name)] if name.isdigit() else node[name]
    node[last] = value
    file = write(values)
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", config.KEYS)
def test_a_missing_key_is_named(values: dict[str, Any], write: Write, key: str) -> None:
    """Every key is required: a default in code would hide a gap in the inventory."""
    del values[key]
    with pytest.raises(ConfigError, match=f": {key}: missing"):
        config.load(write(values))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not valid YAML"),
        ("", "found None"),
        (
            "window_seconds: 1\nwindow_seconds: 2\n",
            "line 2: the key 'window_seconds' is given twice",
        ),
        ("data_dir: !!python/object/apply:os.getcwd []", "not valid YAML"),
        ("1: 2", "1: found 1, expected a name as key"),
    ],
)
def test_what_is_no_mapping_of_settings_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Broken YAML, an empty file, keys given twice, objects."""
    file = tmp_path / "config.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """Name the file and the two ways out."""
    with pytest.raises(ConfigError, match=r"none\.yml: No such file.*--config"):
        config.load(tmp_path / "none.yml")


def test_a_host_without_a_share_says_which_inventory_group_is_missing(
    values: dict[str, Any], write: Write
) -> None:
    """An empty `consumers` is valid until something is to be consumed."""
    values["consumers"] = {}
    loaded = config.load(write(values))
    with pytest.raises(ConfigError, match="consumers_cpu_mem"):
        config.share_of(loaded, "cpu_mem")


def test_an_unknown_group_is_a_usage_error(values: dict[str, Any], write: Write) -> None:
    """The known ones are listed."""
    with pytest.raises(UsageError, match="'gpu', expected one of cpu_mem, net_disk"):
        config.load(write(values)).group("gpu")


def test_the_runs_own_copy_of_the_settings_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one, the host's file is used."""
    monkeypatch.setattr(common, "DEFAULT_DATA_DIR", tmp_path)
    assert common.default_path("r1") == common.DEFAULT_CONFIG
    own = tmp_path / "runs" / "r1" / "config.yml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert common.default_path("r1") == own
    assert common.default_path(None) == common.DEFAULT_CONFIG


def test_the_runs_own_copy_is_looked_for_below_the_host_s_data_dir(
    values: dict[str, Any], write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that keeps its data elsewhere uses a run's settings all the same."""
    values["data_dir"] = str(tmp_path / "elsewhere")
    monkeypatch.setattr(common, "DEFAULT_CONFIG", write(values))
    own = tmp_path / "elsewhere" / "runs" / "r1" / "config.yml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert common.default_path("r1") == own


@pytest.mark.parametrize(
    "text", ["start: 2024-13-45", "a: !!int x", "? [a]\n: 1", "[" * 3000], ids=lambda t: t[:20]
)
def test_a_file_that_trips_the_parser_is_one_error(text: str, tmp_path: Path) -> None:
    """Whatever YAML makes of it, the file is named and no traceback follows."""
    path = tmp_path / "config.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.yml"):
        config.load(path)


@pytest.mark.parametrize("run_id", ["a", "2024-05-01_10.30", "A" * 64])
def test_a_run_id_that_can_name_a_directory_is_accepted(run_id: str) -> None:
    """Letters, digits, dot, underscore, hyphen."""
    assert checked_run_id(run_id) == run_id


@pytest.mark.parametrize("run_id", ["", "A" * 65, "../x", "a/b", ".", "-a", "a b", "a\n", "é"])
def test_a_run_id_that_leaves_its_directory_is_refused(run_id: str) -> None:
    """Before it is used in any path."""
    with pytest.raises(UsageError, match="run id: found"):
        checked_run_id(run_id)
