"""Options that storms on a lab and on loopback have in common."""

from contextlib import suppress

import pytest


def add_storm_options(parser: pytest.Parser) -> None:
    """Declare how long a storm lasts, and its seed, where another folder has not done so."""
    with suppress(ValueError):
        parser.addoption("--faults", type=int, default=10, help="faults in all (default: 10)")
        parser.addoption("--seed", type=int, default=47, help="of the faults (default: 47)")
