"""A host that is away in the middle of a step, and what its shells print, by a double of ssh."""

import stat
from pathlib import Path

import pytest
import yaml

from tests.unit.plugins.pipeline.progress_plays import PRODUCER, RUN, play, write_site
from tests.unit.plugins.pipeline.test_progress import SCENES

# Runs the command here, behind a banner, but for some calls: then nobody answers.
SSH = """#!/bin/sh
for command; do :; done
printf 'x\\n' >> {folder}/asked
asked=$(wc -l < {folder}/asked)
if [ $asked -gt {first} ] && [ $asked -le {last} ]; then
    echo 'ssh: connect to host c2 port 22: No route to host' >&2
    exit 255
fi
printf 'Welcome, root\\n\\nLoadState=masked\\nActiveState=failed\\n\\n'
sh -c "$command"
printf '\\nGood bye\\n'
"""


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a site whose host c2 is reached by the double."""
    # Rows are sent for longer than the host is away, so that a line is shown meanwhile.
    begun, sent, *_, ended = SCENES[PRODUCER]
    environment = write_site(tmp_path, {**SCENES, PRODUCER: [begun, *[sent] * 40, ended]})
    inventory = yaml.safe_load((tmp_path / "hosts.yml").read_text(encoding="utf-8"))
    away = {"ansible_connection": "ssh", "ansible_ssh_executable": str(tmp_path / "ssh")}
    inventory["all"]["children"]["consumers_net_disk"]["hosts"]["c2"] = away
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    return environment


def reach(folder: Path, first: int = 10**9, last: int = 10**9) -> None:
    """Let c2 answer, but for its calls from behind the `first` up to the `last`."""
    path = folder / "ssh"
    path.write_text(SSH.format(folder=folder, first=first, last=last), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_a_host_that_answers_again_is_waited_for_whatever_its_shells_print(
    tmp_path: Path, site: dict[str, str]
) -> None:
    """The line says so meanwhile; a banner that looks like an answer hides no unit's end."""
    reach(tmp_path, first=2, last=6)
    done = play(tmp_path, site, "-e", "pipeline_node_timeout=60")
    assert done.returncode == 0, done.stdout
    assert "c2 does not answer, waited for at most " in done.stdout
    assert "step 4 of 6, drain: every consumer has reached its end offsets" in done.stdout


def test_a_host_that_stays_away_ends_the_run_on_all_the_others(
    tmp_path: Path, site: dict[str, str]
) -> None:
    """With the host and the reason; what it still runs is noted, for the gate of the next run."""
    reach(tmp_path, first=2)
    done = play(tmp_path, site, "-e", "pipeline_node_timeout=2")
    assert done.returncode == 2, done.stdout
    said = " ".join(done.stdout.split())
    assert "run r1 stopped in step produce: " in said
    assert "c2: no answer for " in said
    assert "s (pipeline_node_timeout is 2)" in said
    assert "c2 does not answer: what it runs of the run is stopped when the next run begins" in said
    assert "stop server-monitoring-*@r1.service" in (tmp_path / "calls").read_text("utf-8")
    assert (tmp_path / "run" / "over").read_text(encoding="utf-8").splitlines()[0] == RUN
    assert not list((tmp_path / "wants").iterdir())
