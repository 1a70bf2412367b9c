"""Nodes of ZeroTier's double, and the fake Central, as fixtures."""

from tests.support.zerotier_fixtures import (
    _no_proxies,
    clock,
    cluster,
    fake,
    runner,
    runner_on,
    served,
)

__all__ = ["_no_proxies", "clock", "cluster", "fake", "runner", "runner_on", "served"]
