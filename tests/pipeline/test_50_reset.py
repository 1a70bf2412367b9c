"""The way back: reset asks first, and then leaves nothing of the pipeline behind."""

from tests.support.playbooks import on, play
from tests.support.project import PROJECT

THREE = PROJECT / "inventory" / "lab-ha"
NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
WANTS = "/etc/systemd/system/multi-user.target.wants"
LEFT = (
    "ls -d /opt/* /etc/kafka /etc/server-monitoring /var/lib/kafka /var/lib/server-monitoring "
    "/etc/systemd/system/kafka.service /etc/systemd/system/server-monitoring-* 2>/dev/null; "
    f"ls {WANTS} | grep -E 'kafka|server-monitoring'; "
    "getent passwd kafka; getent group server-monitoring; getent passwd | grep ^sm-; "
    "ss -tlnp | grep java; "
    "nft list tables | grep server_monitoring"
)


def test_reset_without_confirmation_changes_nothing() -> None:
    """It names the hosts and what would go, and how to confirm."""
    result = play("playbooks/reset.yml", inventory=THREE)
    assert result.status != 0
    assert result.says("to go on pass -e reset_confirm=yes"), result.tail()
    assert set(result.changed().values()) == {0}
    assert on("kafka-1", "systemctl is-active kafka") == "active"


def test_reset_leaves_nothing_behind() -> None:
    """No program, setting, data, unit, user or socket of the pipeline is left on any node.

    Nor a link by which a unit of a run that was broken off is started with its host.
    """
    template = "../server-monitoring-consume-cpu_mem@.service"
    on("consumer-1", f"ln -s {template} {WANTS}/server-monitoring-consume-cpu_mem@left.service")
    result = play("playbooks/reset.yml", inventory=THREE, extra={"reset_confirm": "yes"})
    assert result.status == 0, result.tail()
    for node in NODES:
        assert on(node, f"({LEFT}) || true") == "", node
