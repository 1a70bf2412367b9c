"""The whole command at small sizes: it works, and says what is wrong in one line."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CLIENTS = ("kafka-python", "confluent-kafka")
STEPS = ("produce", "consume")


def bench(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmarks."""
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=300,
    )


@dataclass(frozen=True)
class Measured:
    """What the command wrote: the page, what it printed, and the plot."""

    page: str
    printed: str
    plot: str

    def rows(self, start: str) -> list[list[str]]:
        """Return the cells of the table rows whose first cell begins with `start`."""
        lines = [line for line in self.page.splitlines() if line.startswith(f"| {start}")]
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Measure several parts, once for all: each run of the command starts a broker of its own."""
    out = tmp_path_factory.mktemp("bench") / "docs" / "page.md"
    parts = [f"--only={name}" for name in ("clients", "perf-tools", "security", "page", "copies")]
    done = bench("--quick", *parts, f"--out={out}")
    assert done.returncode == 0, done.stderr
    return Measured(out.read_text(), done.stdout, out.with_suffix(".svg").read_text())


@pytest.mark.long
def test_quick_benchmarks_write_page_and_plot(measured: Measured) -> None:
    """Of the clients and Kafka's own tools, with bars in words, and no name of a folder."""
    assert measured.printed == measured.page
    for name in CLIENTS:
        assert measured.rows(f"{name} produce, file to acked |")
        assert measured.rows(f"{name} consumer memory |")
    assert "Kafka's producer-perf-test" in measured.page
    assert "(page.svg)" in measured.page
    assert "<svg" in measured.plot
    assert str(Path.home()) not in measured.page
    assert os.uname().nodename not in measured.page


@pytest.mark.long
def test_tls_is_measured_beside_plain_text(measured: Measured) -> None:
    """To the same broker, with the bar for each client and step."""
    ways = [f"{name} {step} by TLS and SCRAM" for name in CLIENTS for step in STEPS]
    judged = [row for way in ways for row in measured.rows(way) if "0.6" in "".join(row)]
    assert {row[0] for row in judged} == set(ways)


@pytest.mark.long
def test_three_copies_are_measured_beside_one(measured: Measured) -> None:
    """By both clients, each as a share of what one copy gives."""
    for name in CLIENTS:
        for step in STEPS:
            (row,) = measured.rows(f"{name} {step} with three copies |")
            assert row[3].endswith(f" of {name} {step} with one copy")


@pytest.mark.long
def test_the_page_of_a_run_is_made_and_opened(measured: Measured) -> None:
    """With its bars: seconds, memory and size."""
    page = "Page of 20 servers with 50 windows each"
    bars = {row[0]: row[3] for row in measured.rows("Page of")[:4]}
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
