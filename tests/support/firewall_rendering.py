"""Templates of the role firewall, rendered as Ansible does it."""

from __future__ import annotations

from typing import Any

import jinja2

from tests.support.project import PROJECT

TEMPLATES = PROJECT / "roles" / "firewall" / "templates"
EMPTY: dict[str, list[str]] = {"overlay": [], "anywhere": []}


def render(name: str, **changes: Any) -> str:
    """Return a template of the role as Ansible renders it, undefined variables refused."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    environment.filters["bool"] = bool
    variables: dict[str, Any] = {
        "ansible_managed": "Ansible managed",
        "firewall_overlay_interface": "zt*",
        "firewall_ssh_on_overlay": False,
        "firewall_zerotier_port": 9993,
        "_firewall_ssh_ports": [22],
        "_firewall_openings": EMPTY,
        "_firewall_file": "/etc/server-monitoring/firewall.nft",
    }
    return environment.get_template(f"{name}.j2").render(variables | changes)
