"""Choose a version of ZeroTier's package, and judge what is installed and what runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..plugin_utils.filters import PublicFunctions

if TYPE_CHECKING:
    from collections.abc import Mapping

# Builds from 1.16 on leave the network controller out.
_WITHOUT_CONTROLLER = (1, 16)
# How apt-get begins its errors and warnings, and apt's own command from version 3 on.
_SAID = ("E:", "W:", "Error:", "Warning:")
_UPSTREAM = re.compile(r"\d+(\.\d+)*")


def _upstream(version: str) -> str:
    """Return the version as ZeroTier counts: 1.14.1 of 1.14.1-2 or 1.14.1+local."""
    found = _UPSTREAM.match(version)
    return found[0] if found else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _upstream(version).split(".") if part)


def _is(version: str, wanted: str) -> bool:
    return wanted in (version, _upstream(version))


def zerotier_is_settled(installed: str, wanted: str) -> bool:
    """Tell whether what dpkg reports as installed is what is wanted, '' being any version."""
    state, _, version = installed.partition(" ")
    return state == "installed" and (wanted == "" or _is(version, wanted))


def zerotier_pick(offered: str, wanted: str, keeps_network: bool) -> dict[str, str]:  # noqa: FBT001
    """Choose from what `apt-cache madison` lists: {version, problem}, one of them empty.

    Without a wanted version it is the newest; on the host that keeps the network the newest that
    has a controller.
    """
    lines = (line.split("|") for line in offered.splitlines())
    versions = [fields[1].strip() for fields in lines if len(fields) > 1]
    said = ", ".join(dict.fromkeys(versions)) or "none"
    fine = [version for version in versions if wanted == "" or _is(version, wanted)]
    if not fine:
        about = f"zerotier_version is {wanted}" if wanted else "zerotier-one is not offered"
        problem = f"{about}, versions offered for this distribution: {said}; choose one of them"
        return {"version": "", "problem": problem}
    if keeps_network and wanted == "":
        fine = [version for version in fine if _numbers(version) < _WITHOUT_CONTROLLER]
    if not fine:
        problem = (
            f"this host keeps the network, and builds from 1.16 on have no controller; offered: "
            f"{said}; give the host a build with one (zerotier_install_method deb), put a host of "
            "an older distribution into the group zerotier_controller, or use ZeroTier Central"
        )
        return {"version": "", "problem": problem}
    return {"version": max(fine, key=_numbers), "problem": ""}


def zerotier_apt_problem(update: Mapping[str, Any], uri: str) -> str:
    """Return one line on why apt could not use the repository, from the failed `apt-get update`."""
    said = [line for line in str(update["stderr"]).splitlines() if line.startswith(_SAID)]
    first = " ".join((said or [str(update["stderr"]) or "it said nothing"])[0].split())[:300]
    signature = any("GPG" in line or "signed" in line or "NO_PUBKEY" in line for line in said)
    step = (
        "the key of zerotier_apt_key is not the one that signed it; take the repository's own"
        if signature
        else "see that zerotier_apt_uri and zerotier_apt_suite are right and reached from this host"
    )
    return f"apt cannot use {uri}: {first}; {step}"


def zerotier_is_current(node: Mapping[str, Any]) -> bool:
    """Tell whether the running service is of the installed package's version."""
    package = _upstream(node.get("package_version", ""))
    return package in ("", node.get("version"))


def zerotier_for(setting: Any, release: str) -> str:
    """Return a setting that may differ by the distribution's release: text, or text by release."""
    return str(setting.get(release, "") if isinstance(setting, dict) else setting)


class FilterModule(PublicFunctions):
    """The filters of this file, which have their full names."""
