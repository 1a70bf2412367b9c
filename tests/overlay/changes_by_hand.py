"""What somebody changed behind Ansible's back: members on the controller, and a node's rules."""

from dataclasses import dataclass
from typing import Any

from tests.overlay.lab_overlay import CONTROLLER, NODES, address, member, set_member
from tests.support.playbooks import on

STRANGER = "deadbeef01"
RULES = "nft --stateless list table inet server_monitoring"


@dataclass(frozen=True)
class ByHand:
    """Who is who on the controller, the rules as they were, and a member that nobody knows."""

    nodes: dict[str, str]
    rules: str
    stranger: dict[str, Any]


def change_by_hand() -> ByHand:
    """Change members on the controller, and the rules of its node, behind Ansible's back."""
    nodes = {node: address(node) for node in NODES}
    set_member(STRANGER, name="a-laptop", authorized=True, ipAssignments=["172.29.0.200"])
    set_member(nodes["producer-1"], authorized=False)
    set_member(nodes["consumer-1"], name="someone-else")
    set_member(nodes["consumer-2"], ipAssignments=["172.29.0.99"])
    rules = on(CONTROLLER, RULES)
    flush = "nft flush chain inet server_monitoring overlay"
    on(CONTROLLER, f"nft add table inet bystander; {flush}")
    assert on(CONTROLLER, RULES) != rules
    return ByHand(nodes, rules, member(STRANGER))
