"""The module zerotier_orbit: the moons of the inventory, and the roots that must be heard."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import ledger
from zerotier_double import world
from zerotier_double.identity import Identity

from tests.support.zerotier_lab import NAMES, Cluster, Json, identities
from tests.support.zerotier_runner import Runner, calls, changing, content, passing_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOON, FOREIGN = "00000021c1e20656", f"000000{NAMES['C']}"


@pytest.fixture
def on_b(cluster: Cluster, runner_on: Callable[[str], Runner]) -> Runner:
    """Let A be the root of its own moon, and run on B."""
    cluster.orbit("A")
    return runner_on("B")


def orbit(runner: Runner, *moons: Json, check: bool = False, **changed: Any) -> Json:
    """Run zerotier_orbit for the node producer-1 with moons as the double keeps them."""
    given = [
        {"id": moon["id"], "world": base64.b64encode(json.dumps(moon).encode()).decode()}
        for moon in moons
    ]
    arguments = {"node": "producer-1", "timeout": 5} | changed
    return runner.run("orbit", check=check, moons=given, **arguments)


def orbited(cluster: Cluster) -> dict[str, Json]:
    """Return the moons of B by id."""
    return {moon["id"]: moon for moon in cluster["B"].moons.listed()}


def noted(runner: Runner) -> list[str]:
    """Return the moons of the ledger."""
    moons: list[str] = ledger.read(str(runner.home))["moons"]
    return moons


def test_moon_is_orbited_and_its_root_waited_for(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The world lies in the node's home, the service knows it, and the root was heard."""
    clock = passing_time(monkeypatch, "orbit", cluster)
    done = orbit(on_b, cluster.moon())
    assert (done["changed"], done["moons"], done["silent"]) == (True, [MOON], [])
    assert clock.slept != []
    assert orbited(cluster).keys() == {MOON}
    assert noted(on_b) == [MOON]
    assert (on_b.home / f"moons.d/{MOON}.moon").stat().st_mode & 0o777 == 0o600


def test_moon_is_orbited_once(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run asks the service for nothing."""
    passing_time(monkeypatch, "orbit", cluster)
    orbit(on_b, cluster.moon())
    before, written = content(on_b.home), calls(monkeypatch)
    again = orbit(on_b, cluster.moon())
    assert (again["changed"], again["silent"]) == (False, [])
    assert (changing(written), content(on_b.home)) == ([], before)


def test_new_version_of_a_moon_is_taken_over(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root that moved is told to the service without a restart."""
    passing_time(monkeypatch, "orbit", cluster)
    orbit(on_b, cluster.moon())
    newer = cluster.moon("10.213.0.1/9993", "192.0.2.1/9993", timestamp=1_795_476_999_999)
    assert orbit(on_b, newer)["changed"]
    assert orbited(cluster)[MOON]["roots"][0]["stableEndpoints"] == [
        "10.213.0.1/9993",
        "192.0.2.1/9993",
    ]
    assert not orbit(on_b, newer)["changed"]


def test_noted_moon_is_left_and_a_foreign_one_is_not(
    cluster: Cluster, runner_on: Callable[[str], Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the ledger notes is taken back; what a person orbited by hand stays."""
    foreign = world.make(world.new_moon(Identity(identities()["C"])), "moon.json", 1)
    cluster.orbit("A")
    cluster.orbit("B", moon=foreign)
    on_b, _ = runner_on("B"), passing_time(monkeypatch, "orbit", cluster)
    orbit(on_b, cluster.moon())
    assert orbited(cluster).keys() == {MOON, FOREIGN}
    written = calls(monkeypatch)
    left = orbit(on_b)
    assert (left["changed"], left["moons"], noted(on_b)) == (True, [], [])
    assert changing(written) == [f"DELETE /moon/{NAMES['A']}"]
    assert orbited(cluster).keys() == {FOREIGN}
    assert not (on_b.home / f"moons.d/{MOON}.moon").exists()
    assert not orbit(on_b)["changed"]


def test_silent_root_is_a_failure_that_names_it(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names node, moon and what to check; what was orbited is noted all the same."""
    cluster.stop("A")
    passing_time(monkeypatch, "orbit", cluster)
    failed = orbit(on_b, cluster.moon())
    assert failed["msg"] == (
        f"producer-1: no answer from the moon {NAMES['A']}; check zerotier_moon_endpoints of its "
        "host, that zerotier-one runs there, and that its UDP port is open to this node"
    )
    assert noted(on_b) == [MOON]


def test_silent_root_is_reported_where_it_is_not_required(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next step, such as a restart, is then the caller's."""
    cluster.stop("A")
    clock = passing_time(monkeypatch, "orbit", cluster)
    done = orbit(on_b, cluster.moon(), required=False)
    assert (done["changed"], done["silent"]) == (True, [MOON])
    assert 5 < clock.monotonic() < 7


def test_one_silent_root_of_several_is_a_warning(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others keep the node connected, so the run goes on, required or not."""
    passing_time(monkeypatch, "orbit", cluster)
    cluster.stop("C")
    second = world.make(world.new_moon(Identity(identities()["C"])), "moon.json", 1)
    for required in (True, False):
        done = orbit(on_b, cluster.moon(), second, required=required)
        assert (done["silent"], done["unrooted"]) == ([FOREIGN], False)
        [warning] = done["warnings"]
        assert warning.startswith(f"producer-1: no answer from the moon {NAMES['C']}; check")


def test_all_silent_roots_are_a_failure_where_required(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names each; where it is not required, the result alone tells, and no warning."""
    passing_time(monkeypatch, "orbit", cluster)
    second = world.make(world.new_moon(Identity(identities()["C"])), "moon.json", 1)
    cluster.stop("A")
    cluster.stop("C")
    failed = orbit(on_b, cluster.moon(), second)
    assert failed["failed"]
    assert f"no answer from the moon {NAMES['A']}, {NAMES['C']}; check" in failed["msg"]
    done = orbit(on_b, cluster.moon(), second, required=False)
    assert (done["silent"], done["unrooted"]) == ([MOON, FOREIGN], True)
    assert (done["warnings"], done.get("failed", False)) == ([], False)


def test_node_is_not_unrooted_without_moons_or_with_heard_ones(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing wanted is nothing missed."""
    passing_time(monkeypatch, "orbit", cluster)
    for moons in ([], [cluster.moon()]):
        done = orbit(on_b, *moons)
        assert (done["silent"], done["unrooted"], done["warnings"]) == ([], False, [])


@pytest.mark.parametrize("trap", [f"{MOON}.moon", f"{MOON}.moon.tmp"])
def test_moon_is_not_laid_down_through_a_link(
    on_b: Runner, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """Who owns the home directory cannot lead root's writing elsewhere."""
    passing_time(monkeypatch, "orbit", cluster)
    victim, folder = tmp_path / "victim", on_b.home / "moons.d"
    victim.write_text("mine", "utf-8")
    folder.mkdir(exist_ok=True)
    (folder / trap).symlink_to(victim)
    assert orbit(on_b, cluster.moon())["changed"]
    assert victim.read_text("utf-8") == "mine"
    assert not (folder / trap).is_symlink()


def test_folder_of_moons_that_is_a_link_is_refused(
    on_b: Runner, cluster: Cluster, tmp_path: Path
) -> None:
    """Nothing is written where it leads."""
    elsewhere, folder = tmp_path / "elsewhere", on_b.home / "moons.d"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    failed = orbit(on_b, cluster.moon())
    assert failed["msg"].startswith(f"{folder} is a symbolic link, expected a folder; ")
    assert list(elsewhere.iterdir()) == []


def test_root_that_fell_silent_is_not_taken_for_a_living_one(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that was kept is no proof: it must have been heard within two heartbeats."""
    passing_time(monkeypatch, "orbit", cluster)
    orbit(on_b, cluster.moon())
    monkeypatch.setattr("zerotier_double.peers.SILENT_AFTER_MS", 600_000)
    cluster.stop("A")
    cluster.wire.pass_time(29)
    assert orbit(on_b, cluster.moon(), timeout=0, required=False)["silent"] == []
    cluster.wire.pass_time(3)
    assert cluster["B"].peers()[0]["paths"] != []
    assert orbit(on_b, cluster.moon(), timeout=0, required=False)["silent"] == [MOON]


def test_root_is_no_peer_of_itself(
    cluster: Cluster, runner_on: Callable[[str], Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moon's own host does not wait for an answer of its own."""
    runner = runner_on("A")
    clock = passing_time(monkeypatch, "orbit", cluster)
    cluster.stop("B")
    cluster.stop("C")
    done = orbit(runner, cluster.moon())
    assert (done["changed"], done["silent"], clock.slept) == (True, [], [])


def test_moons_in_check_mode_are_only_announced(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, told or waited for, for a new moon and for one to leave."""
    before, clock = content(on_b.home), passing_time(monkeypatch, "orbit", cluster)
    written = calls(monkeypatch)
    announced = orbit(on_b, cluster.moon(), check=True)
    assert (announced["changed"], announced["silent"]) == (True, [])
    assert '"00000021c1e20656"' in announced["diff"]["after"]
    assert (content(on_b.home), changing(written), clock.slept) == (before, [], [])
    orbit(on_b, cluster.moon())
    before, asked = content(on_b.home), changing(written)
    assert orbit(on_b, check=True)["changed"]
    assert (content(on_b.home), changing(written)) == (before, asked)


def test_moon_that_is_not_made_yet_is_announced(on_b: Runner) -> None:
    """In check mode the world of a new moon is empty."""
    moons = [{"id": MOON, "world": ""}]
    assert on_b.run("orbit", check=True, node="producer-1", moons=moons)["changed"]
