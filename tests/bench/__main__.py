"""Measure everything side by side, and write docs/benchmarks.md with its plot.

Ratios are between figures of one run. The variable BENCH_REFERENCE may name a folder with another
implementation to compare with; what must be in it is written in end_to_end.py (executable files
produce, consume_cpu_mem, consume_net_disk) and spark.py (executable files cpu_mem, net_disk).
"""

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import (
    agent,
    clients,
    compression,
    copies,
    end_to_end,
    faults,
    live,
    machine,
    pages,
    perf_tools,
    plot,
    walls,
)
from tests.bench.lab import Lab, open_lab
from tests.bench.measurement import Measurement
from tests.bench.processes import ProcessFailedError
from tests.bench.report import BenchError, number, page, updated
from tests.kafka.kafka_home import version
from tests.support.project import PROJECT

PAGE = PROJECT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: of the data set for clients and for everything at once; four messages each.
        slow_rows: of the one that goes over the slow link, by TLS, and to three brokers.
        messages: that Kafka's own tools send.
        spark: rows a metric.
        rounds: how often each of two ways is measured in turns.
        page: servers, and windows of each, of the run whose page is made.
        agent: seconds for which agents are watched.
        live: servers that are watched, and for how many seconds.

    """

    rows: int
    slow_rows: int
    messages: int
    spark: tuple[int, ...]
    rounds: int
    page: tuple[int, int]
    agent: int
    live: tuple[int, int]


FULL = Sizes(
    250_000, 50_000, 1_000_000, (25_920, 3_032_640, 30_326_400), 3, (500, 8_640), 60, (500, 120)
)
QUICK = Sizes(2_000, 1_000, 10_000, (8_640,), 1, (20, 50), 5, (20, 40))
Suite = Callable[[Lab, Sizes, Path | None], list[Measurement]]


def _spark(_: Lab, sizes: Sizes, reference: Path | None) -> list[Measurement]:
    if importlib.util.find_spec("tests.bench.spark") is None:
        return []
    found: list[Measurement] = importlib.import_module("tests.bench.spark").measure(
        sizes.spark, reference
    )
    return found


SUITES: dict[str, Suite] = {
    "clients": lambda lab, sizes, _: clients.measure(lab, sizes.rows),
    "end-to-end": lambda lab, sizes, reference: end_to_end.measure(lab, sizes.rows, reference),
    "perf-tools": lambda lab, sizes, _: perf_tools.measure(lab, sizes.messages),
    "compression": lambda lab, sizes, _: compression.measure(lab, sizes.slow_rows),
    "security": lambda lab, sizes, _: walls.measure(lab, sizes.slow_rows, sizes.rounds),
    "faults": lambda lab, _, __: faults.measure(lab),
    "spark": _spark,
    "page": lambda _, sizes, __: pages.measure(*sizes.page),
    "agent": lambda _, sizes, __: agent.measure(sizes.agent),
    "live": lambda _, sizes, __: live.measure(*sizes.live),
    "copies": lambda lab, sizes, _: copies.measure(lab, sizes.slow_rows, sizes.rounds),
}


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser("bench", description=__doc__)
    made.add_argument("--quick", action="store_true", help="small sizes: does it work at all")
    made.add_argument(
        "--only",
        action="append",
        choices=SUITES,
        help="one part; may be repeated; without --quick the page keeps the others' figures",
    )
    made.add_argument("--out", type=Path, default=PAGE, metavar="FILE", help="the page to write")
    return made


def reference_folder() -> Path | None:
    """Return the folder that BENCH_REFERENCE names.

    Raises:
        BenchError: it is no folder.

    """
    name = os.environ.get("BENCH_REFERENCE", "")
    if name and not Path(name).is_dir():
        message = f"BENCH_REFERENCE: found {name!r}, expected a folder with commands; see --help"
        raise BenchError(message)
    return Path(name).resolve() if name else None


def kafka_home() -> Path:
    """Return the tree that KAFKA_HOME names.

    Raises:
        BenchError: there is no broker in it.

    """
    home = Path(os.environ.get("KAFKA_HOME", ""))
    if not (home / "bin" / "kafka-server-start.sh").exists():
        message = (
            f"KAFKA_HOME: found {str(home)!r}, expected a tree with bin/kafka-server-start.sh; "
            "'make bench' names it"
        )
        raise BenchError(message)
    return home


def _say(line: str) -> None:
    """Show how far it is: the whole takes long."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def run(args: argparse.Namespace) -> None:
    """Measure, and write page and plot; a part that fails leaves the others' figures in them.

    Raises:
        BenchError: a part failed.

    """
    sizes = QUICK if args.quick else FULL
    reference = reference_folder()
    figures: list[Measurement] = []
    failed: list[str] = []
    measured: list[str] = []
    with open_lab(kafka_home()) as lab:
        for name in args.only or SUITES:
            _say(f"bench: {name} ...")
            try:
                found = SUITES[name](lab, sizes, reference)
            except (BenchError, ProcessFailedError) as error:
                _say(f"bench: {name} failed: {error}")
                failed.append(f"{name}: {error}")
                continue
            for figure in found:
                _say(f"  {figure.name}: {number(figure.value)} {figure.unit}")
            figures += found
            measured.append(name)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    picture = args.out.with_suffix(".svg")
    facts = machine.facts(version())
    text = page(figures, facts, picture.name)
    if args.only and not args.quick and args.out.exists():
        when = f"{facts['date']}, load average {os.getloadavg()[-1]:.0f}"
        text = updated(args.out.read_text("utf-8"), text, dict.fromkeys(measured, when))
    plot.draw(text, picture)
    args.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    if failed:
        message = f"not measured, and not in {args.out}: {'; '.join(failed)}"
        raise BenchError(message)


def main(arguments: list[str]) -> int:
    """Run the benchmarks; an error is one line."""
    args = parser().parse_args(arguments)
    try:
        run(args)
    except (BenchError, ProcessFailedError) as error:
        sys.stderr.write(f"bench: error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
