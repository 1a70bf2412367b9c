"""New rules never lock Ansible out, and what was changed by hand is set right."""

from tests.support.playbooks import on, play

NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
NODE = "consumer-2"
RULES = "nft --stateless list table inet server_monitoring"
FIREWALL = "playbooks/firewall.yml"


def test_rules_that_cut_ssh_are_taken_back_by_the_node() -> None:
    """The run fails with the reason; rules, file and ssh are as they were."""
    kept = "cat /etc/server-monitoring/firewall.nft"
    before, file_before = on(NODE, RULES), on(NODE, kept)
    cut = {"firewall_ssh_ports": [1], "firewall_rollback_seconds": 5}
    result = play(FIREWALL, "--limit", NODE, extra=cut)
    assert result.status != 0
    assert result.says(f"{NODE}: the new rules let no new ssh connection in within 5 s, and were")
    assert result.says("found ssh open on 1 of all interfaces but the overlay")
    assert on(NODE, RULES) == before
    assert on(NODE, kept) == file_before
    left = "systemctl is-active server-monitoring-firewall-rollback || true"
    assert on(NODE, left) == "inactive"


def test_change_by_hand_is_set_right_and_a_stranger_s_table_stays() -> None:
    """The next run puts back a rule that was taken out, on that node alone, and arms no more."""
    before = on(NODE, RULES)
    on(NODE, "nft add table inet bystander; nft flush chain inet server_monitoring overlay")
    assert on(NODE, RULES) != before
    announced = play(FIREWALL, "--check", "--diff")
    assert announced.status == 0, announced.tail()
    assert announced.changed()[NODE] == 1, announced.tail(100)
    assert on(NODE, RULES) != before

    result = play(FIREWALL)
    assert result.status == 0, result.tail()
    assert {node for node in NODES if result.changed()[node]} == {NODE}, result.tail(100)
    assert on(NODE, RULES) == before
    assert "table inet bystander" in on(NODE, "nft list tables")
    on(NODE, "nft delete table inet bystander")
