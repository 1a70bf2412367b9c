"""Plays gather the facts that roles use, and no others: each costs every host time."""

import re

import yaml

from tests.support.project import PROJECT

PLAYS = {
    f"{path.name}: {play['name']}": play
    for path in sorted((PROJECT / "playbooks").glob("*.yml"))
    for play in yaml.safe_load(path.read_text(encoding="utf-8"))
    if "hosts" in play
}
GATHERED = {"distribution", "python"}
USED = re.compile(r"ansible_facts\.(\w+)")


def test_plays_that_gather_facts_gather_the_same_ones() -> None:
    """Facts are gathered once in a run, by whichever play comes first."""
    wanted = ["!all", "!min", *sorted(GATHERED)]
    gathering = {name: play for name, play in PLAYS.items() if play.get("gather_facts", True)}
    assert {name: play.get("gather_subset") for name, play in gathering.items()} == dict.fromkeys(
        gathering, wanted
    )


def test_roles_use_no_other_facts() -> None:
    """Each fact's name begins with that of its subset."""
    files = [*(PROJECT / "roles").rglob("*.yml"), *(PROJECT / "roles").rglob("*.j2")]
    used = {name for file in files for name in USED.findall(file.read_text(encoding="utf-8"))}
    assert "distribution_version" in used
    assert {name.partition("_")[0] for name in used} <= GATHERED
