"""The command zerotier-idtool, held against what the real one prints and refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from zerotier_double import idtool, world
from zerotier_double.identity import new_identity

from tests.doubles.zerotier.tests.contract import assert_like
from tests.support.zerotier_lab import Cluster, capture, identities

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.zerotier_lab import Json

PUBLIC = identities()["A"]
ABORTED = 134


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own with an identity and the JSON of a moon."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "identity.public").write_text(PUBLIC, "utf-8")
    moon = capture("10-moon.initmoon.json") | {"signingKey_SECRET": "00" * 64}
    moon["roots"][0]["stableEndpoints"] = ["10.213.0.1/9993"]
    (tmp_path / "moon.json").write_text(json.dumps(moon), "utf-8")
    return tmp_path


def change(folder: Path, **changes: object) -> None:
    """Change moon.json; None takes a key out."""
    file = folder / "moon.json"
    moon = json.loads(file.read_text("utf-8")) | changes
    kept = {key: value for key, value in moon.items() if value is not None}
    file.write_text(json.dumps(kept), "utf-8")


def written(folder: Path) -> Json:
    """Return the one moon that was made in the folder."""
    (file,) = folder.glob("*.moon")
    record: Json = json.loads(file.read_text("utf-8"))
    assert file.stem == record["id"]
    return record


@pytest.mark.parametrize("argument", ["identity.public", PUBLIC, f"{PUBLIC}:{'00' * 64}"])
@pytest.mark.usefixtures("folder")
def test_initmoon_prints_the_real_shape(capsys: pytest.CaptureFixture[str], argument: str) -> None:
    """A file and both texts will do; the keys are random, of the real lengths, and one secret."""
    assert idtool.main(["initmoon", argument]) == 0
    printed = capsys.readouterr().out
    made = json.loads(printed)
    # The secret was taken out of the capture.
    secret = made.pop("signingKey_SECRET")
    real = capture("10-moon.initmoon.json")
    assert_like(real, made, frozenset({"signingKey", "updatesMustBeSignedBy"}))
    assert made["signingKey"] == made["updatesMustBeSignedBy"] != real["signingKey"]
    assert len(secret) == len(made["signingKey"]) == len(real["signingKey"])
    assert printed.startswith('{\n "id": "21c1e20656",\n')


def test_genmoon_writes_the_moon_that_a_node_orbits(
    folder: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """From identity to orbit: the file in moons.d is shown by the node."""
    assert idtool.main(["genmoon", "moon.json"]) == 0
    record = written(folder)
    line = f"wrote 00000021c1e20656.moon (signed world with timestamp {record['timestamp']})\n"
    assert capsys.readouterr().out == line
    cluster.orbit("B", moon=record)
    free = frozenset({"timestamp", "signature"})
    assert_like(capture("11-moon.listmoons.json"), cluster["B"].moons.listed(), free)


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"id": "0"}, 1, "ID in moon.json is invalid"),
        ({"id": "moon"}, 1, "ID in moon.json is invalid"),
        ({"id": None}, 1, "ID in moon.json is invalid"),
        ({"worldType": "star"}, 1, "invalid worldType"),
        ({"worldType": None}, 1, "invalid worldType"),
        ({"roots": [{"identity": "junk"}]}, ABORTED, "moon.json names a root without a valid"),
    ],
)
def test_genmoon_refuses_what_the_real_one_refuses(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    changes: Json,
    status: int,
    message: str,
) -> None:
    """With its line and status; where it aborts, a line of the double's own and that status."""
    change(folder, **changes)
    assert idtool.main(["genmoon", "moon.json"]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(message)
    assert list(folder.glob("*.moon")) == []


@pytest.mark.parametrize(("text", "status"), [("no json", ABORTED), ("[]", ABORTED)])
def test_genmoon_aborts_at_what_is_no_object(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, status: int
) -> None:
    """The real one ends by SIGABRT there; a shell calls that 134."""
    (folder / "moon.json").write_text(text, "utf-8")
    assert idtool.main(["genmoon", "moon.json"]) == status
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "changes", [{"roots": []}, {"roots": None}, {"roots": [7]}, {"signingKey_SECRET": None}]
)
def test_genmoon_accepts_what_the_real_one_accepts(folder: Path, changes: Json) -> None:
    """A moon without roots, or signed with no key, is written all the same."""
    change(folder, **changes)
    assert idtool.main(["genmoon", "moon.json"]) == 0
    assert len(written(folder)["roots"]) == ("signingKey_SECRET" in changes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1/9993", "10.0.0.1/9993"),
        ("10.0.0.1", "10.0.0.1/0"),
        ("10.0.0.1/99999", "10.0.0.1/34463"),
        ("2001:db8:0::1/9993", "2001:db8::1/9993"),
        ("host/9993", ""),
        ("", ""),
    ],
)
def test_endpoint_is_read_as_the_real_one_reads_it(text: str, expected: str) -> None:
    """A missing port is 0, a large one is cut to 16 bits, a name is none."""
    assert world.endpoint(text) == expected


def test_genmoon_keeps_four_roots_and_32_endpoints(folder: Path) -> None:
    """The rest is dropped without a word."""
    endpoints = [f"10.0.0.{number}/9993" for number in range(40)]
    roots = [{"identity": new_identity().public, "stableEndpoints": endpoints} for _ in range(5)]
    change(folder, roots=roots)
    assert idtool.main(["genmoon", "moon.json"]) == 0
    assert [len(root["stableEndpoints"]) for root in written(folder)["roots"]] == [32] * 4


def test_getpublic_prints_no_line_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The public text of a secret identity, as it would stand in identity.public."""
    made = new_identity()
    (folder / "identity.secret").write_text(f"{made.secret}\n", "utf-8")
    assert idtool.main(["getpublic", "identity.secret"]) == 0
    assert capsys.readouterr().out == made.public


def test_validate_tells_made_identities_from_altered_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An identity whose address does not follow from its key fails."""
    made = new_identity()
    (folder / "fine").write_text(made.secret, "utf-8")
    (folder / "altered").write_text(f"b{made.public[1:]}", "utf-8")
    assert idtool.main(["validate", "fine"]) == 0
    assert idtool.main(["validate", "altered"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "fine is a valid identity\n"
    assert printed.err == "altered FAILED validation.\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["initmoon", "missing"], "missing is not a valid identity"),
        (["initmoon", ""], " is not a valid identity"),
        (["getpublic", "moon.json"], "Identity argument invalid or file unreadable: moon.json"),
        (["validate", "missing"], "Identity argument invalid or file unreadable: missing"),
        (["genmoon", "missing"], "cannot read missing"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_unusable_argument_is_the_real_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    """On stderr, with status 1."""
    assert idtool.main(arguments) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{line}\n")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 1),
        (["bogus"], 1),
        (["getpublic"], 1),
        (["validate"], 1),
        (["initmoon"], 0),
        (["genmoon"], 0),
    ],
)
def test_incomplete_command_prints_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    """On stdout; the real one forgets the exit status for the two commands of moons."""
    assert idtool.main(arguments) == status
    assert "Usage: zerotier-idtool <command> [<args>]" in capsys.readouterr().out


def test_moon_that_cannot_be_written_is_announced_all_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real one does not look; whoever needs the file has to."""
    (folder / "00000021c1e20656.moon").mkdir()
    assert idtool.main(["genmoon", "moon.json"]) == 0
    assert capsys.readouterr().out.startswith("wrote 00000021c1e20656.moon")
