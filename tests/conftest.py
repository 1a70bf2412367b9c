"""Options of storms and outages, on a lab and on loopback."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare how long storms and outages last, and the seed of a storm."""
    parser.addoption("--faults", type=int, default=10, help="faults in all (default: 10)")
    parser.addoption("--seed", type=int, default=47, help="of the faults (default: 47)")
    parser.addoption(
        "--away", type=int, default=60, help="seconds that live mode has no broker (default: 60)"
    )
