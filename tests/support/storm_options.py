"""Options of pytest for storms and outages, on a lab and on loopback."""

import contextlib

import pytest


def declare_storms(parser: pytest.Parser) -> None:
    """Declare how long storms and outages last, and the seed of a storm; also a second time."""
    with contextlib.suppress(ValueError):
        parser.addoption("--faults", type=int, default=10, help="faults in all (default: 10)")
        parser.addoption("--seed", type=int, default=47, help="of the faults (default: 47)")
        parser.addoption(
            "--away", type=int, default=60, help="seconds without a broker, live (default: 60)"
        )
