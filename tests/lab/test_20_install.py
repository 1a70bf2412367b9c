"""ZeroTier gets onto bare nodes only as it was vouched for; `make test-long-overlay`: in each way.

The lab's first provision, which comes next, installs it in all three ways side by side.
"""

import pytest

from tests.overlay.lab_overlay import BARE, CONTROLLER, NODES, REAL, networks, overlay, versions
from tests.overlay.zerotier_packages import Packages
from tests.support.playbooks import on

double_only = pytest.mark.skipif(REAL, reason="of the real ZeroTier there is one version at hand")
# What is refused is refused on one host as on all.
ONE = ("--limit", "consumer-1")
NOBODY = "http://10.213.0.12:9/debian"
INSTALLED = "dpkg-query --show --showformat='${Version}' zerotier-one 2>/dev/null || true"


def assert_nothing_installed() -> None:
    """Assert that no node that came without the package has it."""
    assert {on(node, INSTALLED) for node in BARE} == {""}


def test_missing_package_is_named() -> None:
    """`preinstalled` on nodes without the package says so and what to do."""
    result = overlay(*ONE)
    assert result.status != 0
    assert result.says("zerotier_install_method is 'preinstalled', but /usr/sbin/zerotier-cli is")


def test_package_with_another_sum_is_refused(served: Packages) -> None:
    """A file that is not the one that was vouched for gets onto no node."""
    result = overlay(*ONE, **served.deb | {"zerotier_deb_sha256": "0" * 64})
    assert result.status != 0
    assert result.says(f"expected {'0' * 64}; fetch the package anew")
    assert_nothing_installed()


def test_repository_signed_with_another_key_is_refused(served: Packages) -> None:
    """Nothing is installed from a repository whose signature the key does not fit."""
    result = overlay(*ONE, **served.apt | {"zerotier_apt_key": str(served.other_key)})
    assert result.status != 0
    assert result.says("the key of zerotier_apt_key is not the one that signed it")
    assert_nothing_installed()


@pytest.mark.long
@pytest.mark.parametrize(
    ("way", "wrong", "line"),
    [
        (
            "deb",
            {"zerotier_deb": "/no/such.deb"},
            "has the sha256 of nothing: there is no such file",
        ),
        ("apt", {"zerotier_apt_uri": NOBODY}, f"apt cannot use {NOBODY}:"),
    ],
    ids=["file", "repository"],
)
def test_source_that_is_not_there_is_named(
    served: Packages, way: str, wrong: dict[str, str], line: str
) -> None:
    """With the reason: there is no such file, or apt's own words."""
    result = overlay(*ONE, **getattr(served, way) | wrong)
    assert result.status != 0
    assert result.says(line), result.tail()


@pytest.mark.long
@pytest.mark.parametrize("method", ["apt", "deb"])
def test_check_mode_installs_nothing(served: Packages, method: str) -> None:
    """`--check` goes through on bare nodes, and leaves them so."""
    result = overlay("--check", "--diff", *ONE, **served.apt if method == "apt" else served.deb)
    assert result.status == 0, result.tail()
    assert_nothing_installed()


@pytest.mark.long
def test_apt_makes_an_overlay_of_bare_nodes(served: Packages) -> None:
    """The newest version everywhere, but on the network's keeper the newest with a controller."""
    result = overlay(**served.apt)
    assert result.status == 0, result.tail()
    newest, keeper = ("1.14.1", "1.14.1") if REAL else ("1.16.0", "1.14.2")
    assert versions() == dict.fromkeys(NODES, newest) | {CONTROLLER: keeper}
    for node in NODES:
        assert [(status, len(ips)) for _, status, ips in networks(node)] == [("OK", 1)]
        assert on(node, "apt-mark showhold") == "zerotier-one"


@pytest.mark.long
def test_apt_changes_nothing_the_second_time(served: Packages) -> None:
    """What is installed and held stays, although a newer version is offered to one node."""
    result = overlay(**served.apt)
    assert result.changed() == dict.fromkeys(NODES, 0), result.tail(200)


@pytest.mark.long
@double_only
def test_unoffered_version_is_refused_with_those_offered(served: Packages) -> None:
    """A pinned version that the repository lacks is named beside those that it has."""
    result = overlay(*ONE, **served.apt, zerotier_version="1.10.1")
    assert result.status != 0
    assert result.says("zerotier_version is 1.10.1, versions offered for this distribution: 1.16.0")


@pytest.mark.long
@double_only
def test_pinned_version_is_installed_and_runs(served: Packages) -> None:
    """A pin takes held packages up and down, and the running service is of that version."""
    result = overlay(**served.apt, zerotier_version="1.14.2")
    assert result.status == 0, result.tail()
    assert set(versions().values()) == {"1.14.2"}


@pytest.mark.long
def test_deb_installs_the_file_that_was_vouched_for(served: Packages) -> None:
    """The file's version is installed, runs, and a second run changes nothing."""
    result = overlay(**served.deb)
    assert result.status == 0, result.tail()
    assert set(versions().values()) == {"1.14.1"}
    again = overlay(**served.deb)
    assert again.changed() == dict.fromkeys(NODES, 0), again.tail(200)
