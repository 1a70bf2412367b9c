"""Moons: what the double shows of them, and how nodes orbit one."""

from __future__ import annotations

import json

import pytest
from zerotier_double import api, cli
from zerotier_double.variant import Variant

from tests.doubles.zerotier.tests.contract import assert_like, one_path
from tests.support.zerotier_lab import ADDRESSES, NAMES, QUIET, Cluster, Json, Served, capture

MOON = "00000021c1e20656"
PORTS = frozenset({"homeDir", "listeningOn", "secondaryPort", "surfaceAddresses", "tertiaryPort"})
CUT_OFF = Variant(roots=False)
KEYS = frozenset({"signature", "updatesMustBeSignedBy"})


def peer(cluster: Cluster, name: str, other: str) -> Json:
    """Return what a node lists of another."""
    return next(entry for entry in cluster[name].peers() if entry["address"] == NAMES[other])


def ask(cluster: Cluster, name: str, method: str, path: str, body: str = "") -> object:
    """Return the answer of a node's API to one request."""
    return api._call(api.routes(cluster[name]), method, path, body.encode())  # noqa: SLF001 - no socket


def test_loaded_moon_is_listed_like_the_real_one(cluster: Cluster) -> None:
    """A file in moons.d is orbited from the start, and shown with its roots and endpoints."""
    cluster.orbit("B")
    listed = cluster["B"].moons.listed()
    assert_like(capture("11-moon.listmoons.json"), listed, KEYS)
    real = capture("11-moon.listmoons.json")[0]
    assert {key: len(real[key]) for key in KEYS} == {key: len(listed[0][key]) for key in KEYS}


def test_node_that_orbits_shows_the_root_like_the_real_one(cluster: Cluster) -> None:
    """The root is a MOON with its path, between the roots that no one reaches."""
    cluster.stop("C")
    cluster.orbit("B", variant=CUT_OFF)
    cluster.wire.pass_time()
    assert_like(one_path(capture("12-moon-online.peers.json")), cluster["B"].peers())
    assert_like(capture("12-moon-online.info.json"), cluster["B"].status(), PORTS)


def test_root_shows_itself_and_its_nodes_like_the_real_one(cluster: Cluster) -> None:
    """To the root the others are leaves; where nothing is above it, it is not ONLINE itself."""
    cluster.start("A", variant=CUT_OFF)
    cluster.orbit("B", "C")
    cluster.wire.pass_time()
    assert_like(one_path(capture("12-moon-root-itself.peers.json")), cluster["A"].peers())
    assert_like(capture("12-moon-root-itself.info.json"), cluster["A"].status(), PORTS)


def test_peers_of_a_node_that_orbits_are_like_the_real_ones(cluster: Cluster) -> None:
    """The root is a MOON, the other node a LEAF, in the captured order."""
    cluster.orbit("A", "B", "C")
    cluster.wire.pass_time()
    assert_like(one_path(capture("29-peers-with-leaf.B.json")), cluster["B"].peers())


def test_root_that_is_down_stays_listed_like_the_real_one(cluster: Cluster) -> None:
    """The moon keeps its root in the list, without a path; without roots that is OFFLINE."""
    cluster.stop("A")
    cluster.orbit("B", "C")
    cluster.configure("B", QUIET, variant=CUT_OFF)
    cluster.wire.pass_time()
    assert_like(capture("33-controller-down.peers.json"), cluster["B"].peers())
    free = frozenset({"homeDir", "surfaceAddresses"})
    assert_like(capture("33-controller-down.info.json"), cluster["B"].status(), free)


def test_root_lists_its_own_moon_and_is_online(cluster: Cluster) -> None:
    """A root that loaded its moon is a root itself: it needs no other to be ONLINE."""
    cluster.orbit("A", variant=CUT_OFF)
    assert [moon["id"] for moon in cluster["A"].moons.listed()] == [MOON]
    assert cluster["A"].status()["online"] is True
    assert NAMES["A"] not in {entry["address"] for entry in cluster["A"].peers()}


def test_moon_is_asked_of_its_seed(cluster: Cluster) -> None:
    """An orbit without a file waits until the seed was heard, and lasts over a restart."""
    cluster.orbit("A")
    waiting = ask(cluster, "B", "POST", f"/moon/{NAMES['A']}", json.dumps({"seed": NAMES["A"]}))
    assert waiting == {
        "id": MOON,
        "roots": [],
        "signature": None,
        "timestamp": 0,
        "updatesMustBeSignedBy": None,
        "waiting": True,
    }
    assert ask(cluster, "B", "GET", "/moon") == []
    cluster.wire.pass_time(2)
    listed = ask(cluster, "B", "GET", "/moon")
    assert listed == cluster["A"].moons.listed()
    cluster.start("B")
    assert cluster["B"].moons.listed() == listed


def test_moon_is_taken_from_its_seed_alone(cluster: Cluster) -> None:
    """A node that is no root of the moon cannot hand it out."""
    cluster.orbit("A")
    cluster.orbit("C")
    cluster.isolate("A", "B")
    ask(cluster, "B", "POST", f"/moon/{NAMES['A']}", json.dumps({"seed": NAMES["C"]}))
    cluster.wire.pass_time(3)
    assert cluster["B"].moons.listed() == []


def test_known_moon_is_answered_whole(cluster: Cluster) -> None:
    """A second orbit, and a look at one moon, show it; an unknown one is an empty object."""
    cluster.orbit("B")
    shown = cluster["B"].moons.listed()[0]
    body = json.dumps({"seed": NAMES["A"]})
    assert ask(cluster, "B", "POST", f"/moon/{NAMES['A']}", body) == shown
    assert ask(cluster, "B", "GET", f"/moon/{NAMES['A'].upper()}") == shown
    assert ask(cluster, "B", "GET", "/moon/aaaaaaaaaa") == {}
    # The API knows ten digits alone, although it shows sixteen.
    assert ask(cluster, "B", "GET", f"/moon/{MOON}") is None


@pytest.mark.parametrize("body", ["", "{}", '{"seed": "0"}', '{"seed": 7}', '{"seed": "no"}', "x"])
def test_orbit_without_a_seed_does_nothing(cluster: Cluster, body: str) -> None:
    """The answer is an empty object, and no moon is waited for."""
    assert ask(cluster, "B", "POST", "/moon/aaaaaaaaaa", body) == {}
    assert cluster["B"].moons.stamps == {}


def test_orbit_finds_a_file_that_was_put_there_meanwhile(cluster: Cluster) -> None:
    """The answer still says waiting, as the real one's does, and the moon is there."""
    folder = cluster.home("B") / "moons.d"
    folder.mkdir()
    (folder / f"{MOON}.moon").write_text(json.dumps(cluster.moon()), "utf-8")
    answer = ask(cluster, "B", "POST", f"/moon/{NAMES['A']}", json.dumps({"seed": NAMES["A"]}))
    assert isinstance(answer, dict)
    assert answer["waiting"] is True
    assert [moon["id"] for moon in cluster["B"].moons.listed()] == [MOON]


def test_deorbit_forgets_moon_and_file(cluster: Cluster) -> None:
    """The root is a leaf again; a moon that is not there is removed with the same answer."""
    cluster.orbit("B")
    cluster.wire.pass_time()
    assert peer(cluster, "B", "A")["role"] == "MOON"
    for _ in range(2):
        assert ask(cluster, "B", "DELETE", f"/moon/{NAMES['A']}") == {"result": True}
    assert list((cluster.home("B") / "moons.d").iterdir()) == []
    assert peer(cluster, "B", "A")["role"] == "LEAF"


@pytest.mark.parametrize("text", ["", "junk", "[]", '{"id": "00000021c1e20656"}'])
def test_broken_file_is_passed_over(cluster: Cluster, text: str) -> None:
    """A file that holds no moon neither stops the node nor shows anything."""
    folder = cluster.home("B") / "moons.d"
    folder.mkdir()
    (folder / f"{MOON}.moon").write_text(text, "utf-8")
    cluster.start("B")
    assert cluster["B"].moons.listed() == []


@pytest.mark.parametrize("name", ["0000000000000001.moon", "1.moon", f"{MOON}.txt"])
def test_file_of_another_name_is_passed_over(cluster: Cluster, name: str) -> None:
    """The name has to be the moon's sixteen digits."""
    folder = cluster.home("B") / "moons.d"
    folder.mkdir()
    (folder / name).write_text(json.dumps(cluster.moon()), "utf-8")
    cluster.start("B")
    assert cluster["B"].moons.listed() == []


def test_newer_moon_of_the_same_key_spreads(cluster: Cluster) -> None:
    """A root that was given a newer moon hands it to its nodes, an older one it does not take."""
    cluster.orbit("A", "B")
    newer = cluster.moon(timestamp=1_795_476_600_000)
    cluster.orbit("A", moon=newer)
    cluster.wire.pass_time(2)
    assert cluster["B"].moons.listed()[0]["timestamp"] == newer["timestamp"]
    cluster.orbit("A", moon=cluster.moon(timestamp=1))
    cluster.wire.pass_time(2)
    assert cluster["B"].moons.listed()[0]["timestamp"] == newer["timestamp"]


def test_newer_moon_of_another_key_is_refused(cluster: Cluster) -> None:
    """A moon that was made anew with a key of its own replaces no older one."""
    cluster.orbit("A", "B")
    stranger = cluster.moon(timestamp=1_795_476_600_000) | {"signedBy": "00"}
    cluster.orbit("A", moon=stranger)
    cluster.wire.pass_time(2)
    assert cluster["B"].moons.listed()[0]["timestamp"] == cluster.moon()["timestamp"]


def test_newer_moon_is_taken_from_a_root_alone(cluster: Cluster) -> None:
    """A leaf that has a newer moon does not spread it."""
    cluster.orbit("B")
    cluster.orbit("C", moon=cluster.moon(timestamp=1_795_476_600_000))
    cluster.wire.pass_time(2)
    assert cluster["B"].moons.listed()[0]["timestamp"] == cluster.moon()["timestamp"]


def test_moon_is_told_to_those_who_lack_it(cluster: Cluster) -> None:
    """Who has it as it is, or does not ask for it, is told nothing; an older one replaces none."""
    cluster.orbit("A", "B")
    moons, stamp = cluster["A"].moons, cluster.moon()["timestamp"]
    told = {at: len(moons.newer({MOON: at})) for at in (0, stamp - 1, stamp, stamp + 1)}
    assert told == {0: 1, stamp - 1: 1, stamp: 0, stamp + 1: 0}
    assert moons.newer({"00000000000000ff": 0}) == []
    cluster["B"].moons.receive([cluster.moon(timestamp=stamp - 1)], NAMES["A"])
    assert cluster["B"].moons.listed()[0]["timestamp"] == stamp


def test_deorbit_of_a_moon_that_is_waited_for_ends_the_wait(cluster: Cluster) -> None:
    """The seed is forgotten, and what it tells later is not taken."""
    cluster.orbit("A")
    ask(cluster, "B", "POST", f"/moon/{NAMES['A']}", json.dumps({"seed": NAMES["A"]}))
    assert cluster["B"].moons.stamps == {MOON: 0}
    ask(cluster, "B", "DELETE", f"/moon/{NAMES['A']}")
    cluster.wire.pass_time(2)
    assert (cluster["B"].moons.stamps, cluster["B"].moons.listed()) == ({}, [])


def test_root_at_another_address_than_its_endpoint_is_not_met(cluster: Cluster) -> None:
    """A moon that still names a root's old address leaves its nodes without a path to it."""
    cluster.orbit("B", moon=cluster.moon("10.213.0.99/9993"))
    cluster.wire.pass_time(2)
    assert peer(cluster, "B", "A")["paths"] == []
    assert peer(cluster, "B", "C")["paths"] != []


def test_root_without_endpoints_is_met_anywhere(cluster: Cluster) -> None:
    """Endpoints that cannot be read bar no one, nor does their absence."""
    moon = cluster.moon()
    moon["roots"][0]["stableEndpoints"] = []
    cluster.orbit("B", moon=moon)
    cluster.wire.pass_time()
    assert peer(cluster, "B", "A")["paths"] != []


def test_node_with_the_moon_alone_is_online_by_it(cluster: Cluster) -> None:
    """In a build without roots, other leaves make no node ONLINE; a moon's root does."""
    for name in NAMES:
        cluster.start(name, variant=CUT_OFF)
    cluster.wire.pass_time()
    assert [cluster[name].status()["online"] for name in NAMES] == [False, False, False]
    cluster.orbit("A", "B", variant=CUT_OFF)
    cluster.wire.pass_time()
    assert [cluster[name].status()["online"] for name in NAMES] == [True, True, False]


def test_command_orbits_lists_and_deorbits(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """The three commands print the real one's texts."""
    home = f"-D{served.home}"
    assert cli.main([home, "orbit", NAMES["B"], NAMES["B"]]) == 0
    assert cli.main([home, "-j", "orbit", NAMES["B"], NAMES["B"]]) == 0
    assert cli.main([home, "deorbit", NAMES["B"]]) == 0
    assert cli.main([home, "-j", "deorbit", NAMES["B"]]) == 0
    assert cli.main([home, "listmoons"]) == 0
    expected = ["200 orbit OK", "200 orbit OK", "200 deorbit OK", '{"result":true}[]']
    assert capsys.readouterr().out.splitlines() == expected


def test_command_refuses_what_the_api_refuses(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sixteen digits are no id for orbit and deorbit: the answer is 404."""
    home = f"-D{served.home}"
    assert cli.main([home, "orbit", MOON, NAMES["A"]]) == 1
    assert cli.main([home, "deorbit", MOON]) == 1
    assert cli.main([home, "deorbit"]) == 1
    expected = ["404 orbit ", "404 deorbit ", "404 deorbit "]
    assert capsys.readouterr().out.splitlines() == expected


@pytest.mark.parametrize("ids", [[], ["zz", "zz"], [NAMES["A"]], ["0", "1"]])
def test_orbit_of_nothing_ends_in_silence(
    served: Served, capsys: pytest.CaptureFixture[str], ids: list[str]
) -> None:
    """Like the real one, the command sends nothing, prints nothing and exits with 0."""
    assert cli.main([f"-D{served.home}", "orbit", *ids]) == 0
    assert capsys.readouterr().out == ""


def test_moon_lets_nodes_meet_where_broadcasts_are_dropped(cluster: Cluster) -> None:
    """Hellos go straight to the root's endpoint, and the root introduces its nodes."""
    cluster.wire.broadcasts = False
    cluster.wire.pass_time(2)
    assert [entry["address"] for entry in cluster["B"].peers() if entry["paths"]] == []
    cluster.orbit("A", "B", "C")
    cluster.wire.pass_time(3)
    assert peer(cluster, "B", "C")["paths"][0]["address"] == f"{ADDRESSES['C']}/9993"
    cluster.wire.pass_time(30)
    assert peer(cluster, "B", "C")["paths"] != []
    cluster.stop("A")
    cluster.wire.pass_time(30)
    assert NAMES["C"] not in {entry["address"] for entry in cluster["B"].peers()}
