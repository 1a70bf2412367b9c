"""New rules never lock Ansible out."""

from tests.support.playbooks import on, play

NODE = "consumer-2"
RULES = "nft --stateless list table inet server_monitoring"


def test_rules_that_cut_ssh_are_taken_back_by_the_node() -> None:
    """The run fails with the reason; rules, file and ssh are as they were."""
    kept = "cat /etc/server-monitoring/firewall.nft"
    before, file_before = on(NODE, RULES), on(NODE, kept)
    cut = {"firewall_ssh_ports": [1], "firewall_rollback_seconds": 5}
    result = play("playbooks/firewall.yml", "--limit", NODE, extra=cut)
    assert result.status != 0
    assert result.says(f"{NODE}: the new rules let no new ssh connection in within 5 s, and were")
    assert result.says("found ssh open on 1 of all interfaces but the overlay")
    assert on(NODE, RULES) == before
    assert on(NODE, kept) == file_before
    left = "systemctl is-active server-monitoring-firewall-rollback || true"
    assert on(NODE, left) == "inactive"
