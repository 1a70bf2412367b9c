"""Two ways to the same thing, measured in turns, so that what else the machine does hits both."""

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from tests.bench.clients import own_rate, position, start_and_wait
from tests.bench.lab import GROUPS, TIMEOUT, publish_end, start_producer
from tests.bench.measurement import Measurement
from tests.kafka.kafka_broker import Pipeline

_STEPS = ("produce", "consume")


def in_turns(
    client: str,
    ways: Mapping[str, Callable[[], Pipeline]],
    dataset: Path,
    rounds: int,
    bar: float | None = None,
) -> list[Measurement]:
    """Return the median rates of a client by each way; the first is the base of the others.

    Args:
        client: its name.
        ways: makes a new pipeline, by the words that end a figure's name.
        dataset: what is sent.
        rounds: how often each has its turn.
        bar: what the others have to reach of the first.

    """
    rates: dict[tuple[str, str], list[float]] = {(s, w): [] for s in _STEPS for w in ways}
    for _ in range(rounds):
        for way, pipeline in ways.items():
            for step, rate in zip(_STEPS, _round(pipeline(), dataset), strict=True):
                rates[step, way].append(rate)
    first = next(iter(ways))
    figures = []
    for (step, way), found in rates.items():
        base, least = (None, None) if way == first else (f"{client} {step} {first}", bar)
        name = f"{client} {step} {way}"
        figures.append(Measurement(name, "messages/s", median(found), base, least, at_most=False))
    return figures


def _round(pipeline: Pipeline, dataset: Path) -> tuple[float, float]:
    """Return the messages a second that were produced and consumed."""
    position(pipeline)
    start_producer(pipeline, dataset).wait(TIMEOUT)
    publish_end(pipeline)
    stored = min(start_and_wait(pipeline, group)[0] for group in GROUPS)
    return own_rate(pipeline, "produce"), stored
