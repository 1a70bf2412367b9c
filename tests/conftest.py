"""Options of storms, on a lab and on loopback."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare how long a storm of faults lasts, and its seed."""
    parser.addoption("--faults", type=int, default=10, help="faults in all (default: 10)")
    parser.addoption("--seed", type=int, default=47, help="of the faults (default: 47)")
