"""The module zerotier_moon, with the double's zerotier-idtool."""

from __future__ import annotations

import base64
import json
import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from ansible.module_utils.basic import AnsibleModule

from tests.support.zerotier_lab import DOUBLE, NAMES, Json, identities
from tests.support.zerotier_runner import Runner, content

if TYPE_CHECKING:
    from pathlib import Path

DEFINITION, WORLD = "server-monitoring.moon.json", "server-monitoring.moon"
MOON = "00000021c1e20656"
HERE, THERE = "192.0.2.10/9993", "192.0.2.11/9993"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the double's zerotier-idtool into the PATH; each command is written to a file."""
    folder = tmp_path / "tools"
    folder.mkdir()
    code = "import sys; from zerotier_double.idtool import main; sys.exit(main())"
    script(
        folder,
        f'echo "$1" >> {shlex.quote(str(folder / "commands"))}\n'
        f"export PYTHONPATH={shlex.quote(str(DOUBLE / 'src'))}\n"
        f'exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"',
    )
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def root(tmp_path: Path, capsys: pytest.CaptureFixture[str], tools: Path) -> Runner:
    """Run modules on a machine with the identity of node A."""
    assert tools.is_dir()
    home = tmp_path / "home"
    home.mkdir()
    (home / "identity.public").write_text(identities()["A"], "utf-8")
    return Runner(home, capsys)


def script(folder: Path, text: str) -> None:
    """Write a zerotier-idtool."""
    command = folder / "zerotier-idtool"
    command.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    command.chmod(0o755)


def commands(tools: Path) -> list[str]:
    """Return what zerotier-idtool was asked for."""
    file = tools / "commands"
    return file.read_text("utf-8").split() if file.exists() else []


def moon(runner: Runner, *endpoints: str, check: bool = False) -> Json:
    """Run zerotier_moon."""
    return runner.run("moon", check=check, endpoints=list(endpoints or [HERE]))


def definition(runner: Runner) -> Json:
    """Return the moon's definition, with its signing key."""
    found: Json = json.loads((runner.home / DEFINITION).read_text("utf-8"))
    return found


def world(result: Json) -> Json:
    """Return the signed world of a result: the double's are JSON."""
    found: Json = json.loads(base64.b64decode(result["moon"]["world"]))
    return found


def test_moon_is_made_of_the_node(root: Runner) -> None:
    """Its id is the node's address, its one root the node at its endpoints."""
    made = moon(root, THERE, HERE)
    assert (made["changed"], made["moon"]["id"]) == (True, MOON)
    assert world(made)["id"] == MOON
    assert world(made)["roots"] == [
        {"identity": identities()["A"], "stableEndpoints": [HERE, THERE]}
    ]
    assert base64.b64decode(made["moon"]["world"]) == (root.home / WORLD).read_bytes()


def test_moon_is_made_once(root: Runner, tools: Path) -> None:
    """The second run, with the endpoints in another order, returns the same world untouched."""
    first = moon(root, HERE, THERE)
    before = content(root.home)
    again = moon(root, THERE, HERE)
    assert (again["changed"], again["moon"]) == (False, first["moon"])
    assert content(root.home) == before
    assert commands(tools) == ["initmoon", "genmoon"]


def test_new_endpoints_are_signed_with_the_same_key(root: Runner, tools: Path) -> None:
    """Only so do nodes that orbit the moon take over the new version."""
    old, key = world(moon(root, HERE)), definition(root)["signingKey_SECRET"]
    changed = moon(root, THERE)
    new = world(changed)
    assert changed["changed"]
    assert new["roots"][0]["stableEndpoints"] == [THERE]
    assert (new["signedBy"], new["id"]) == (old["updatesMustBeSignedBy"], MOON)
    assert new["timestamp"] > old["timestamp"]
    assert definition(root)["signingKey_SECRET"] == key
    assert commands(tools) == ["initmoon", "genmoon", "genmoon"]


def test_signing_key_is_its_owner_s_alone(root: Runner) -> None:
    """Definition and world are 0600, no other file stays, and no result holds the key."""
    made = moon(root)
    modes = {name: mode & 0o777 for name, (mode, _) in content(root.home).items()}
    del modes["identity.public"]
    assert modes == {DEFINITION: 0o600, WORLD: 0o600}
    assert definition(root)["signingKey_SECRET"] not in json.dumps(made)


@pytest.mark.parametrize("name", [DEFINITION, WORLD])
def test_moon_is_not_written_through_a_link(root: Runner, tmp_path: Path, name: str) -> None:
    """Who owns the home directory cannot lead root's writing elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("mine", "utf-8")
    (root.home / f"{name}.tmp").symlink_to(victim)
    assert moon(root)["changed"]
    assert victim.read_text("utf-8") == "mine"
    assert not (root.home / name).is_symlink()
    assert not (root.home / f"{name}.tmp").is_symlink()


def test_other_identity_makes_another_moon(root: Runner, tools: Path) -> None:
    """The moon of a machine that got a new identity cannot be kept."""
    moon(root)
    key = definition(root)["signingKey_SECRET"]
    (root.home / "identity.public").write_text(identities()["B"], "utf-8")
    made = moon(root)
    assert (made["changed"], made["moon"]["id"]) == (True, f"000000{NAMES['B']}")
    assert definition(root)["signingKey_SECRET"] != key
    assert commands(tools) == ["initmoon", "genmoon"] * 2


def test_lost_world_is_signed_anew(root: Runner) -> None:
    """The definition is all that it takes."""
    moon(root)
    (root.home / WORLD).unlink()
    assert moon(root)["changed"]
    assert not moon(root)["changed"]


def test_moon_in_check_mode_is_only_announced(root: Runner, tools: Path) -> None:
    """Nothing is written or called; the id is known, the world is empty or the old one."""
    before = content(root.home)
    announced = moon(root, check=True)
    assert (announced["changed"], announced["moon"]) == (True, {"id": MOON, "world": ""})
    assert (content(root.home), commands(tools)) == (before, [])
    made = moon(root)
    before = content(root.home)
    announced = moon(root, THERE, check=True)
    assert (announced["changed"], announced["moon"]) == (True, made["moon"])
    assert content(root.home) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "printf 'cannot\\n\\nread it' >&2; exit 3",
            "zerotier-idtool initmoon failed with status 3: 'cannot read it'",
        ),
        (
            '[ "$1" = genmoon ] || echo \'{"roots": [{}]}\'',
            "zerotier-idtool genmoon wrote 0 files from {home}/" + DEFINITION + ", expected one",
        ),
    ],
)
def test_failing_idtool_is_one_line(root: Runner, tools: Path, text: str, expected: str) -> None:
    """What it said, or what it did not do, is passed on."""
    script(tools, text)
    assert moon(root)["msg"] == expected.format(home=root.home)


def test_missing_idtool_is_one_line(root: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says where the tool comes from."""
    monkeypatch.setattr(AnsibleModule, "get_bin_path", lambda *_arguments, **_options: None)
    assert moon(root)["msg"] == (
        "zerotier-idtool is missing; it comes with the package zerotier-one"
    )


def test_missing_identity_is_one_line(root: Runner) -> None:
    """A service that never started has no identity yet."""
    (root.home / "identity.public").unlink()
    assert moon(root)["msg"].startswith(f"{root.home}/identity.public cannot be read (No such")


def test_damaged_definition_is_not_replaced(root: Runner) -> None:
    """A moon whose key may still be saved is never made anew unasked."""
    moon(root)
    (root.home / DEFINITION).write_text('{"id": ', "utf-8")
    before = content(root.home)
    assert moon(root)["msg"] == (
        f"{root.home}/{DEFINITION} is no JSON; restore it from a backup, or remove it to make a "
        "new moon"
    )
    assert content(root.home) == before
