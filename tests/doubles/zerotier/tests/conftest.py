"""Nodes of ZeroTier's double, and the fake Central, as fixtures."""

from tests.support.zerotier_fixtures import cluster, fake, runner, runner_on, served

__all__ = ["cluster", "fake", "runner", "runner_on", "served"]
