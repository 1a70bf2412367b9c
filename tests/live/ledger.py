"""Live rows of simulated times, stored as well as judged, and the books of their days."""

import csv
import json
import subprocess
from typing import Any

from tests.kafka.kafka_broker import PATIENCE
from tests.kafka.live_rows import LiveMode, Sample
from tests.spark.spark_lab import environment

GROUP = "cpu_mem"
DIFFERENT = 10
"""Exit status of books with differences."""
CALM_SECONDS = 40
"""After so long without an abnormal value no open window has an alert."""


class Ledger:
    """A detector and a live consumer of cpu_mem, and what closing a day leaves."""

    def __init__(self, live: LiveMode) -> None:
        """Start both."""
        self.live = live
        self.folder = live.pipeline.data_dir / "live"
        live.start()
        self._consumer = subprocess.Popen(
            live.pipeline.command("consume", "--live", "--group", GROUP),
            stderr=subprocess.PIPE,
            text=True,
            env=live.pipeline.environment(),
        )
        live.processes.append(self._consumer)

    def rows(self) -> int:
        """Return how many rows were stored."""
        paths = self.folder.glob("offsets/*/*.json")
        return sum(json.loads(path.read_text(encoding="utf-8"))["rows"] for path in paths)

    def stop(self, rows: int) -> None:
        """Stop the consumer once it has stored so many rows of each metric."""
        self.live.wait_for(lambda: self.rows() >= 2 * rows, f"{rows} rows stored")
        self._consumer.terminate()
        _, said = self._consumer.communicate(timeout=PATIENCE)
        assert self._consumer.returncode == 0, said

    def close(self, day: str) -> dict[str, Any]:
        """Analyze a day and close its books; return these."""
        pipeline = self.live.pipeline
        for command in ("analyze", "books"):
            done = subprocess.run(
                pipeline.command(command, "--day", day, "--group", GROUP),
                capture_output=True,
                text=True,
                check=False,
                env=environment(),
                cwd=pipeline.data_dir,
            )
            assert done.returncode in {0, DIFFERENT}, done.stderr
        path = self.folder / day / "books.json"
        books: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return books

    def table(self, day: str) -> list[list[str]]:
        """Return a day's table."""
        path = self.folder / day / self.live.pipeline.values["groups"][GROUP]["output_file"]
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file, strict=True))[1:]


def calm(server_id: str, after: int, step: int = 1) -> list[Sample]:
    """Return low samples that follow the second `after`."""
    seconds = range(after + step, after + step + CALM_SECONDS, step)
    return [Sample(server_id, second, "1.5", "2.5") for second in seconds]
