"""The whole command at small sizes: it works, and says what is wrong in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def bench(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmarks."""
    return subprocess.run(
        [sys.executable, str(HERE), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=120,
    )


def test_quick_benchmarks_write_page_and_plot(tmp_path: Path) -> None:
    """Of the clients and Kafka's own tools, with bars in words, and no name of a folder."""
    out = tmp_path / "docs" / "page.md"
    done = bench("--quick", "--only=clients", "--only=perf-tools", f"--out={out}")
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    assert done.stdout == text
    for name in ("kafka-python", "confluent-kafka"):
        assert f"| {name} produce, file to acked |" in text
        assert f"| {name} consumer memory |" in text
    assert "Kafka's producer-perf-test" in text
    assert "(page.svg)" in text
    assert "<svg" in out.with_suffix(".svg").read_text()
    assert str(Path.home()) not in text
    assert os.uname().nodename not in text


def test_tls_is_measured_beside_plain_text(tmp_path: Path) -> None:
    """To the same broker, with the bar for each client and step."""
    out = tmp_path / "page.md"
    done = bench("--quick", "--only=security", f"--out={out}")
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:7] for line in out.read_text().splitlines() if "by TLS" in line]
    judged = [[cell.strip() for cell in row] for row in rows if "0.6" in "".join(row)]
    assert {row[0] for row in judged} == {
        f"{client} {step} by TLS and SCRAM"
        for client in ("kafka-python", "confluent-kafka")
        for step in ("produce", "consume")
    }


def test_the_page_of_a_run_is_made_and_opened(tmp_path: Path) -> None:
    """With its bars: seconds, memory and size."""
    out = tmp_path / "page.md"
    done = bench("--quick", "--only=page", f"--out={out}")
    assert done.returncode == 0, done.stderr
    found = [line.split("|")[1:5] for line in out.read_text().splitlines() if "| Page of" in line]
    bars = {what.strip(): bar.strip() for what, _, _, bar in found[:4]}
    page = "Page of 20 servers with 50 windows each"
    assert bars == {
        f"{page}: made": "at most 60 s",
        f"{page}: memory of its making": "at most 1,024 MiB",
        f"{page}: size": "at most 5 MB",
        f"{page}: opened": "at most 2 s",
    }


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"KAFKA_HOME": "/nowhere"}, "KAFKA_HOME: found '/nowhere', expected a tree with"),
        ({"BENCH_REFERENCE": "/nowhere"}, "BENCH_REFERENCE: found '/nowhere', expected a folder"),
    ],
)
def test_what_is_missing_is_named_in_one_line(variables: dict[str, str], error: str) -> None:
    """Before anything is started."""
    done = bench("--quick", **variables)
    assert done.returncode == 1
    assert done.stderr.startswith(f"bench: error: {error}")
    assert done.stderr.count("\n") == 1


def test_a_part_that_fails_leaves_the_others_on_the_page(tmp_path: Path) -> None:
    """And the command fails, with the part's name: an hour of figures is not thrown away."""
    reference = tmp_path / "reference"
    reference.mkdir()
    for name in ("consume_cpu_mem", "consume_net_disk", "produce"):
        (reference / name).write_text("#!/bin/sh\nexit 3\n")
        (reference / name).chmod(0o755)
    out = tmp_path / "page.md"
    parts = ("--only=end-to-end", "--only=page")
    done = bench("--quick", *parts, f"--out={out}", BENCH_REFERENCE=str(reference))
    assert done.returncode == 1
    assert "bench: error: not measured, and not in" in done.stderr.splitlines()[-1]
    assert "end-to-end: " in done.stderr.splitlines()[-1]
    assert "Page of 20 servers" in out.read_text()


def test_help_says_what_a_reference_must_hold() -> None:
    """Where it is written, too."""
    done = bench("--help")
    assert done.returncode == 0
    for word in ("BENCH_REFERENCE", "produce", "consume_cpu_mem", "--quick", "--only"):
        assert word in done.stdout
