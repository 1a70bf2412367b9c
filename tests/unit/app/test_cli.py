"""The command line: help for everything, one line for every mistake, no traceback."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring import cli, errors

from tests.unit.app.app_command import App, Said

WriteYaml = Callable[[object], Path]
SOURCE = Path(cli.__file__).parents[1]
GOOD = "ts,server_id,cpu_pct,mem_pct,net_in,disk_io\n20:52:00,a,1,2,3,4\n"

EXIT_STATUSES = [2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each option is described."""
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert f"server-monitoring {command}" in text
    assert "example: " in text
    options = re.findall(r"^  (--[a-z-]+)(.*(?:\n {4,}.*)*)", text, re.MULTILINE)
    assert options
    for option, description in options:
        assert len(re.sub(r"\s+", " ", description)) > 20, option


def test_the_programs_help_lists_every_command_and_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Statuses are those of the errors."""
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    for name in cli.COMMANDS:
        assert f"{name} {cli.command_module(name).HELP}" in text
    for status in EXIT_STATUSES:
        assert f"{status} " in text


def test_every_error_has_its_own_exit_status() -> None:
    """A script can tell them apart."""
    kinds: list[type[errors.ServerMonitoringError]]
    kinds = [*errors.ServerMonitoringError.__subclasses__(), errors.UnreachableError]
    found = [kind.exit_status for kind in kinds]
    assert sorted(found) == EXIT_STATUSES


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        ([], 2, "COMMAND"),
        (["serve"], 2, "invalid choice: 'serve'"),
        (["produce", "--run-id", "r1"], 2, "--dataset"),
        (["consume", "--run-id", "../r", "--group", "g"], 2, "run id: found '../r'"),
        (["consume", "--run-id", "live", "--group", "g"], 2, "which the rows of agents have"),
        (["consume", "--group", "g"], 2, "one of the arguments --run-id --live is required"),
        (["probe", "--bootstrap-servers", "kafka"], 2, "found 'kafka', expected host:port"),
        (["produce", "--rate", "x"], 2, "--rate: found 'x', expected a number, 0 for no limit"),
        (["produce", "--rate", "-1"], 2, "--rate: found '-1', expected a number"),
        (["produce", "--rate", "inf"], 2, "--rate: found 'inf', expected a number"),
        (["validate", "--config", "/none.yml"], 3, "/none.yml: No such file"),
    ],
)
def test_a_usage_or_configuration_mistake_is_one_line(
    capsys: pytest.CaptureFixture[str], argv: list[str], status: int, message: str
) -> None:
    """With its exit status."""
    said = Said(cli.main(argv), *capsys.readouterr())
    assert said.status == status
    assert message in said.error()


def test_a_mistake_shows_no_character_that_controls_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever was typed, or stands in a file."""
    assert cli.main(["validate", "--config", "/none\x1b[2J\n\u202e.yml"]) == 3
    error = capsys.readouterr().err
    assert error.startswith("server-monitoring: error: /none\\u001b[2J\\u000a\\u202e.yml: No such")
    assert error.count("\n") == 1


def test_bad_rows_stop_produce_before_it_needs_a_broker(app: App, values: dict[str, Any]) -> None:
    """Nothing is sent and nothing is left on disk."""
    said = app("produce", "--run-id", "r1", dataset=GOOD + "20:52:00,a,1,2,3,x\n")
    assert said.status == 4
    assert "line 3, column disk_io: found 'x', expected a finite number" in said.error()
    assert "nothing was sent" in said.error()
    assert not Path(values["data_dir"]).exists()


def test_validate_says_what_is_good(app: App) -> None:
    """In a line, or as JSON."""
    said = app("validate", dataset=GOOD)
    assert said.status == 0
    assert "groups cpu_mem, net_disk" in said.out
    assert "2 lines: 1 good row, 0 bad rows" in said.out
    said = app("validate", "--json", dataset=GOOD)
    assert said.status == 0
    found = json.loads(said.out)
    assert (found["dataset"]["rows"], found["dataset"]["bad_rows"]) == (1, 0)


def test_validate_reports_bad_rows_with_status_4_also_as_json(app: App) -> None:
    """JSON on standard output, the line on standard error."""
    said = app("validate", "--json", dataset=GOOD + "x,a,1,2,3,4\n")
    assert said.status == 4
    problem = json.loads(said.out)["dataset"]["problems"][0]
    assert (problem["line"], problem["column"], problem["found"]) == (3, "ts", "'x'")
    assert "line 3, column ts" in said.err


def test_analyze_without_raw_data_fails_before_spark_starts(app: App) -> None:
    """The reason is where the data should be."""
    said = app("analyze", "--run-id", "r1", "--group", "cpu_mem")
    assert said.status == 7
    assert "raw/topic-cpu: no raw data of run r1" in said.err


@pytest.mark.parametrize(
    ("blocked", "command"), [("kafka", "analyze"), ("pyspark", "consume"), ("pyspark", "produce")]
)
def test_each_venv_needs_only_its_own_library(
    values: dict[str, Any], write: WriteYaml, blocked: str, command: str
) -> None:
    """The other library cannot even be imported, and the command fails for its own reason."""
    program = (
        f"import sys; sys.modules[{blocked!r}] = None\n"
        "from server_monitoring.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    values["consumers"] = {}
    config = str(write(values))
    own = {
        "analyze": ["--group", "cpu_mem"],
        "consume": ["--group", "cpu_mem"],
        "produce": ["--dataset", "/none.csv"],
    }[command]
    argv = [sys.executable, "-c", program, command, "--run-id", "r1", "--config", config, *own]
    source = str(Path(cli.__file__).parents[1])
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={"PYTHONPATH": source}
    )
    assert done.returncode == {"analyze": 7, "consume": 3, "produce": 4}[command], done.stderr


def test_no_module_hides_one_of_pythons_own() -> None:
    """Spark-submit runs __main__.py with the package's folder first in the path."""
    package = Path(cli.__file__).parent
    names = {path.stem for path in package.glob("*.py")} | {"commands"}
    assert not names & set(sys.stdlib_module_names)
    assert not names & {"kafka", "yaml", "pyspark", "py4j", "crc32c"}


def test_a_data_set_without_a_good_row_is_refused_even_when_bad_rows_are_skipped(
    app: App,
) -> None:
    """An empty run would look like one that found nothing."""
    data = GOOD.replace("20:52:00", "2024-05-01T20:52:00Z")
    said = app("produce", "--run-id", "r1", "--on-bad-row=skip", dataset=data)
    assert said.status == 4
    assert "no good row in 2 lines, nothing was sent" in said.error()


def test_the_analysis_needs_neither_a_kafka_client_nor_what_data_sets_need() -> None:
    """Its venv has pyspark and PyYAML alone; a command that needs more says so in one line."""
    names = ["kafka", "confluent_kafka", "zstandard", "pyarrow", "orjson"]
    blocked = f"import sys; sys.modules.update(dict.fromkeys({names})); "
    run = "from server_monitoring.cli import main; sys.exit(main(sys.argv[1:]))"
    for argv, status, message in (
        (["analyze", "--run-id", "r1", "--group", "g", "--config", "/none.yml"], 3, "/none.yml: "),
        (["probe", "--bootstrap-servers", "127.0.0.1:9"], 1, "kafka: not installed in "),
    ):
        done = subprocess.run(
            [sys.executable, "-c", blocked + run, *argv],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(SOURCE)},
        )
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith(f"server-monitoring: error: {message}")


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("m.csv", 0, "2 lines: 1 good row, 0 bad rows"),
        ("m.csv.gz", 0, "2 lines: 1 good row, 0 bad rows"),
        ("m.csv.zst", 4, "compressed by zstd, and zstandard is not installed to read it"),
        ("m.parquet", 4, "a Parquet file, and pyarrow is not installed to read it"),
    ],
)
def test_a_data_set_is_validated_where_only_pyyaml_is(
    tmp_path: Path, name: str, status: int, message: str
) -> None:
    """On the control machine; what needs more is refused by its name."""
    content = {
        "m.csv": GOOD.encode(),
        "m.csv.gz": gzip.compress(GOOD.encode()),
        "m.csv.zst": b"\x28\xb5\x2f\xfd",
        "m.parquet": b"PAR1",
    }
    path = tmp_path / name
    path.write_bytes(content[name])
    names = ["kafka", "confluent_kafka", "zstandard", "pyarrow", "orjson", "lz4", "pyspark"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({names})); "
        "from server_monitoring.commands import common; common.is_provisioned = lambda: False; "
        "from server_monitoring.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "validate", "--dataset", str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(SOURCE)},
    )
    assert done.returncode == status, done.stderr
    assert f"{path}: {message}" in done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("\n") == 1


def test_nothing_that_a_message_quotes_is_an_order_to_the_terminal(app: App) -> None:
    """Whatever the message is, and wherever it comes from."""
    said = app("validate", "--dataset", "/none\x1b[2J\u202e.csv")
    assert said.status == 4
    assert said.error().endswith("/none\\u001b[2J\\u202e.csv: No such file or directory; name an "
                                 "existing file\n")  # fmt: skip
