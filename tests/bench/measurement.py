"""What was measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Attributes:
        name: what was measured; unique within a run.
        unit: of `value`, such as `messages/s`, `s` or `MiB`.
        value: the figure.
        base: the name of the measurement that this one is compared with, or None.
        bar: what the ratio to `base`, or without one `value` itself, has to reach; None for none.
        at_most: whether the bar is the most, and not the least, that it may be.

    """

    name: str
    unit: str
    value: float
    base: str | None
    bar: float | None
    at_most: bool
