"""Builds that differ: another version, no controller, no roots."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from zerotier_double import api
from zerotier_double.variant import BUILT, Variant

from tests.doubles.zerotier import build
from tests.support.zerotier_lab import DOUBLE, NAMES, NETWORK, Cluster

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_CONTROLLER = Variant(version="1.16.0", controller=False)


def unpack(folder: Path, *arguments: str) -> Path:
    """Build a variant and return the tree of its package."""
    package, tree = folder / "double.deb", folder / "tree"
    assert build.main([str(package), *arguments]) == 0
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(tree)], check=True)
    return tree


def run(tree: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of an unpacked package."""
    code = f"import sys; from zerotier_double.{module} import main; sys.exit(main())"
    library = str(tree / "usr/lib/zerotier-one-double")
    command = [sys.executable, "-c", code, *arguments]
    environment = {"PYTHONPATH": library, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_sources_are_the_variant_of_the_captures() -> None:
    """Without options the double is zerotier-one 1.14.1 with a controller and reachable roots."""
    assert Variant() == BUILT


def test_version_appears_in_package_command_and_tool(tmp_path: Path) -> None:
    """One option changes them all."""
    tree = unpack(tmp_path, "--version", "1.16.2")
    control = (tree / "DEBIAN/control").read_text("utf-8")
    assert "Version: 1.16.2+double\n" in control
    assert run(tree, "cli", "-v").stdout == "1.16.2\n"
    assert "version 1.16.2" in run(tree, "idtool").stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"version": "1.14.1", "controller": True, "roots": True}),
        (["--without-controller"], {"version": "1.14.1", "controller": False, "roots": True}),
        (
            ["--version", "1.16.0", "--without-roots"],
            {"version": "1.16.0", "controller": True, "roots": False},
        ),
    ],
)
def test_options_are_written_to_one_file(
    tmp_path: Path, arguments: list[str], expected: dict[str, object]
) -> None:
    """All other files of the package are the same, but for the version in its control file."""
    tree = unpack(tmp_path, *arguments)
    library = tree / "usr/lib/zerotier-one-double/zerotier_double"
    assert json.loads((library / "variant.json").read_text("utf-8")) == expected
    sources = DOUBLE / "src/zerotier_double"
    modules = {file.name for file in sources.glob("*.py")}
    assert {file.name for file in library.iterdir()} == {*modules, "variant.json"}
    assert all((library / name).read_bytes() == (sources / name).read_bytes() for name in modules)


def test_version_is_what_the_node_shows_and_tells(cluster: Cluster) -> None:
    """Info has it in five places, and the other nodes and the controller hear of it."""
    cluster.network()
    cluster.authorize("B", "172.29.0.2")
    cluster.start("B", variant=Variant(version="1.16.2"))
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    shown = cluster["B"].status()
    numbers = [shown[f"version{part}"] for part in ("Major", "Minor", "Rev", "Build")]
    assert (shown["version"], numbers) == ("1.16.2", [1, 16, 2, 0])
    peers = {peer["address"]: peer for peer in cluster["C"].peers()}
    assert peers[NAMES["B"]]["version"] == "1.16.2"
    members = cluster["A"].controller.members(NETWORK) or {}
    member = members[NAMES["B"]]
    assert [member[key] for key in ("vMajor", "vMinor", "vRev")] == [1, 16, 2]


@pytest.mark.parametrize(
    "path",
    [
        "/controller",
        "/controller/network",
        f"/controller/network/{NETWORK}",
        f"/unstable/controller/network/{NETWORK}/member",
    ],
)
def test_build_without_controller_answers_404(cluster: Cluster, path: str) -> None:
    """Neither reading nor writing reaches a controller; the rest of the API is there."""
    cluster.start("A", variant=WITHOUT_CONTROLLER)
    table = api.routes(cluster["A"])
    for method in ("GET", "POST", "DELETE"):
        assert api._call(table, method, path, b"{}") is None  # noqa: SLF001 - no socket
    assert api._call(table, "GET", "/status", b"") is not None  # noqa: SLF001 - no socket


@pytest.mark.parametrize("name", ["A", "B"])
def test_network_of_a_node_without_controller_is_not_found(cluster: Cluster, name: str) -> None:
    """To the node itself and to others, even where records of an earlier build lie there."""
    cluster.network()
    cluster.start("A", variant=WITHOUT_CONTROLLER)
    cluster[name].join(NETWORK)
    cluster.wire.pass_time(2)
    assert cluster.shown(name)["status"] == "NOT_FOUND"
