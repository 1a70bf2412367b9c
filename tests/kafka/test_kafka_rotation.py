"""Passwords: changed while a run goes on, and found nowhere after it."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.kafka.kafka_broker import PATIENCE, Pipeline, make_pipeline
from tests.kafka.kafka_runs import (
    check_all_stored,
    consumer,
    finish,
    publish_end,
    run_through,
    write_dataset,
)
from tests.kafka.secure_broker import RENEWING, SecureBroker
from tests.support.app_settings import write_settings

ROWS, RATE = 6_000, 400
ROTATED = 11
GROUPS = ("cpu_mem", "net_disk")


@pytest.fixture
def rotating(secure_broker: SecureBroker, tmp_path: Path, client: str) -> Pipeline:
    """Return a pipeline by the listener whose connections show their password again and again."""
    pipeline = make_pipeline(secure_broker, tmp_path, 3, client)
    pipeline.values.update(secure_broker.settings(RENEWING))
    write_settings(pipeline.config, pipeline.values)
    return pipeline


def start(pipeline: Pipeline, *arguments: str) -> subprocess.Popen[str]:
    """Start a command and wait until it is ready."""
    process = subprocess.Popen(
        pipeline.command(*arguments), stderr=subprocess.PIPE, text=True, env=pipeline.environment()
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("ready: ")
    return process


def test_processes_end_with_11_when_their_password_is_changed_and_go_on_with_the_new_one(
    secure_broker: SecureBroker, rotating: Pipeline, tmp_path: Path
) -> None:
    """As their units do; no row is missing or there twice."""
    rows = write_dataset(tmp_path / "m.csv", ROWS)
    commands = {
        **{f"consumer_{g}": ("consume", "--run-id", "r1", "--group", g) for g in GROUPS},
        "producer": (
            *("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv")),
            *("--rate", str(RATE)),
        ),
    }
    processes = {user: start(rotating, *command) for user, command in commands.items()}
    try:
        time.sleep(2)
        for user in commands:
            secure_broker.add_user(user)
        for process in processes.values():
            _, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == ROTATED, err
            last = err.splitlines()[-1]
            assert "refused user '" in last
            assert "Traceback" not in err
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    run_through(rotating, "r1", tmp_path / "m.csv")
    check_all_stored(rotating, "r1", rows)
    summary = json.loads((rotating.run_directory("r1") / "produce.json").read_text())
    assert min(summary["sent_before"].values()) > 0


def test_a_password_is_in_no_file_no_output_and_no_process_list(
    secure_broker: SecureBroker, rotating: Pipeline, tmp_path: Path
) -> None:
    """Beside the file of credentials, of which only the path is seen."""
    write_dataset(tmp_path / "m.csv", 100)
    with consumer(rotating, "r1", "cpu_mem") as process:
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        shown += Path(f"/proc/{process.pid}/environ").read_bytes()
        done = rotating.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        publish_end(rotating, "r1")
        said = finish(process) + done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in secure_broker.credentials.iterdir():
        password = json.loads(path.read_text())["password"].encode()
        assert password not in shown + said.encode()
        assert not [file for file in files if password in file.read_bytes()]
