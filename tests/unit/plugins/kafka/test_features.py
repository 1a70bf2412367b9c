"""Which release can run a cluster, and what an upgrade is to raise: by plain values."""

from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import features

OLD = {"metadata.version": 29, "group.version": 1}
NEW = {"metadata.version": 30, "group.version": 1, "share.version": 1}
SAID = """\
metadata.version=30 (4.3-IV0)
group.version=1
share.version=1
"""


def test_a_release_s_own_levels_are_read() -> None:
    """As its tool prints them, with the name of the metadata version behind."""
    assert features.release_levels(SAID) == NEW


def test_a_tool_that_says_something_else_is_quoted() -> None:
    """In one line."""
    with pytest.raises(ValueError, match=r"found no metadata\.version in 'java: not found'"):
        features.release_levels("java:\nnot found")


def test_a_cluster_s_levels_are_the_highest_of_the_finalized_ranges() -> None:
    """What is supported but not in use is left out."""
    answer: dict[str, dict[str, Any]] = {
        "metadata.version": {"supported": (7, 30), "finalized": (29, 29), "finalized_epoch": 5},
        "share.version": {"supported": (0, 1)},
    }
    assert features.finalized_levels(answer) == {"metadata.version": 29}


def test_a_release_can_run_what_is_not_above_its_own_level() -> None:
    """Its own cluster, and one of an older release whose upgrade is not finished."""
    assert features.refusal(OLD, OLD, "4.2.2") == features.refusal(OLD, NEW, "4.3.1") == ""


def test_there_is_no_way_back_from_a_level_that_the_release_does_not_know() -> None:
    """One line says what was found, what is expected, and what to do."""
    line = features.refusal(NEW, OLD, "4.2.2")
    assert line.startswith("kafka_version: found 4.2.2, which holds metadata.version 29 at most,")
    assert "expected a release that holds the cluster's, 30: " in line
    assert "set kafka_version to the release that runs" in line
    assert "\n" not in line


def test_what_is_below_the_release_is_to_be_raised() -> None:
    """With its level, 0 where it is not in use; nothing is ever lowered."""
    assert features.behind(OLD, NEW) == {"metadata.version": 29, "share.version": 0}
    assert features.behind(NEW, NEW) == features.behind(NEW, OLD) == {}
