"""Which version of the package is taken, and what is said where none can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import zerotier_package as package

if TYPE_CHECKING:
    from tests.support.zerotier_lab import Json

URI = "http://127.0.0.1:1/debian/bookworm"


def madison(*versions: str) -> str:
    """Return what `apt-cache madison` lists of these versions."""
    lines = (
        f"zerotier-one | {version} | {URI} bookworm/main amd64 Packages" for version in versions
    )
    return "\n".join(lines)


def picked(offered: str, wanted: str = "", *, keeps: bool = False) -> str:
    """Return the version that is chosen; there must be no problem with it."""
    choice = package.zerotier_pick(offered, wanted, keeps)
    assert choice["problem"] == ""
    return str(choice["version"])


def refused(offered: str, wanted: str = "", *, keeps: bool = False) -> str:
    """Return the line on why none is chosen."""
    choice = package.zerotier_pick(offered, wanted, keeps)
    assert choice["version"] == ""
    assert "\n" not in choice["problem"]
    return str(choice["problem"])


ALL = madison("1.9.9", "1.16.0", "1.14.2", "1.14.10+local")


def test_newest_version_is_taken() -> None:
    """By its numbers, not as text and not by its place in the list."""
    assert picked(ALL) == "1.16.0"
    assert picked(madison("1.9.9", "1.14.2", "1.14.10")) == "1.14.10"


def test_host_that_keeps_the_network_gets_the_newest_with_a_controller() -> None:
    """Builds from 1.16 on leave it out."""
    assert picked(ALL, keeps=True) == "1.14.10+local"
    assert picked(madison("1.16.0", "1.15.99"), keeps=True) == "1.15.99"


def test_pinned_version_is_taken_as_it_is_offered() -> None:
    """Named as ZeroTier counts, or in full as Debian does; the person knows what they pin."""
    assert picked(ALL, "1.14.2") == "1.14.2"
    assert picked(ALL, "1.14.10") == picked(ALL, "1.14.10+local") == "1.14.10+local"
    assert picked(ALL, "1.16.0", keeps=True) == "1.16.0"


def test_version_that_is_not_offered_is_told_with_those_that_are() -> None:
    """A beginning of a version is none; each offered one is named once."""
    assert refused(madison("1.14.2", "1.14.2", "1.16.0"), "1.14") == (
        "zerotier_version is 1.14, versions offered for this distribution: 1.14.2, 1.16.0; "
        "choose one of them"
    )


def test_empty_repository_is_told() -> None:
    """Nothing is offered at all."""
    assert refused("") == (
        "zerotier-one is not offered, versions offered for this distribution: none; choose one of "
        "them"
    )


def test_distribution_without_a_controller_is_told_with_the_ways_out() -> None:
    """The newest distributions get only builds without one."""
    line = refused(madison("1.16.0", "1.16.1"), keeps=True)
    assert line.startswith(
        "this host keeps the network, and builds from 1.16 on have no controller; offered: 1.16.0, "
        "1.16.1; give the host a build with one (zerotier_install_method deb)"
    )


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("1.14.2", ""),
        ("1.14.2", "1.14.2"),
        ("1.14.2-3", "1.14.2"),
        ("1.14.2+local", "1.14.2+local"),
    ],
)
def test_installed_version_will_do(version: str, wanted: str) -> None:
    """It need not be named as Debian does in full; without a wanted version any will do."""
    assert package.zerotier_is_settled(f"installed {version}", wanted) is True


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("installed 1.14.2", "1.14.1"),
        ("installed 1.14.20", "1.14.2"),
        ("config-files 1.14.2", ""),
        ("not-installed ", ""),
        ("", ""),
    ],
)
def test_another_version_or_none_will_not_do(found: str, wanted: str) -> None:
    """Of a removed package some files may be left; that is none."""
    assert package.zerotier_is_settled(found, wanted) is False


# What apt-get 2.6.2 wrote, with APT::Update::Error-Mode=any.
WRONG_KEY = f"""\
W: GPG error: {URI} bookworm InRelease: The following signatures couldn't be verified because the \
public key is not available: NO_PUBKEY 79152294D752880A
E: The repository '{URI} bookworm InRelease' is not signed.
"""
UNREACHABLE = f"""\
E: Failed to fetch {URI}/dists/bookworm/InRelease  Could not connect to 127.0.0.1:1 (127.0.0.1). \
- connect (111: Connection refused)
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""
UNRESOLVED = """\
E: Failed to fetch https://no-such-host.invalid/dists/bookworm/InRelease  Could not resolve \
'no-such-host.invalid'
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""
OTHER_SUITE = f"E: The repository '{URI} sid Release' does not have a Release file.\n"
KEY_STEP = "; the key of zerotier_apt_key is not the one that signed it; take the repository's own"
PLACE_STEP = (
    "; see that zerotier_apt_uri and zerotier_apt_suite are right and reached from this host"
)


@pytest.mark.parametrize(
    ("stderr", "said", "step"),
    [
        (WRONG_KEY, "W: GPG error: ", KEY_STEP),
        (WRONG_KEY.replace("W:", "Warning:").replace("E:", "Error:"), "Warning: GPG err", KEY_STEP),
        (f"E: The repository '{URI} bookworm InRelease' is not signed.", "E: The repo", KEY_STEP),
        (UNREACHABLE, f"E: Failed to fetch {URI}/dists/bookworm/InRelease Could not", PLACE_STEP),
        (UNRESOLVED, "E: Failed to fetch https://no-such-host.invalid/dists/bookw", PLACE_STEP),
        (OTHER_SUITE, "E: The repository ", PLACE_STEP),
        ("apt-get: killed\nby a signal\n", "apt-get: killed by a signal", PLACE_STEP),
        ("", "it said nothing", PLACE_STEP),
        (f"\nN: a notice\n{OTHER_SUITE}", "E: The repository ", PLACE_STEP),
        ("E: " + "x" * 500, "E: xxx", PLACE_STEP),
    ],
)
def test_failed_update_is_one_line(stderr: str, said: str, step: str) -> None:
    """The address, apt's first error, and the next step; a signature has a step of its own."""
    line = package.zerotier_apt_problem({"stderr": stderr}, URI)
    assert line.startswith(f"apt cannot use {URI}: {said}")
    assert line.endswith(step)
    assert "\n" not in line
    assert len(line) < 500


@pytest.mark.parametrize(
    ("version", "installed"),
    [("1.14.2", "1.14.2"), ("1.14.2", "1.14.2-1"), ("1.14.1", "1.14.1+double"), ("1.14.1", "")],
)
def test_running_service_is_of_its_package(version: str, installed: str) -> None:
    """A machine without the package has nothing to restart for."""
    node: Json = {"version": version, "package_version": installed}
    assert package.zerotier_is_current(node) is True
    assert package.zerotier_is_current({}) is True


def test_running_service_is_older_than_its_package() -> None:
    """It goes on as what it was when it started."""
    node: Json = {"version": "1.14.1", "package_version": "1.14.2"}
    assert package.zerotier_is_current(node) is False


def test_setting_may_differ_by_release() -> None:
    """One text for all, or one a release; a release that is not named gets none."""
    assert package.zerotier_for("a.deb", "trixie") == "a.deb"
    by_release = {"trixie": "t.deb", "bookworm": "b.deb"}
    assert package.zerotier_for(by_release, "bookworm") == "b.deb"
    assert package.zerotier_for(by_release, "sid") == ""
