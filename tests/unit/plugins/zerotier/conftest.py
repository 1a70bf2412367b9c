"""Nodes of ZeroTier's double, and the fake Central, as fixtures."""

from tests.support.zerotier_fixtures import central, cluster, runner, runner_on, served

__all__ = ["central", "cluster", "runner", "runner_on", "served"]
