"""What stops the service: HomeError and ConfError below FatalError, each with the line to print."""

from __future__ import annotations


class FatalError(Exception):
    """The service cannot run; the text is the line that zerotier-one prints before it exits."""


class HomeError(FatalError):
    """The home directory holds something that cannot be used."""


class ConfError(FatalError):
    """local.conf cannot be read."""
