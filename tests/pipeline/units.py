"""Services of systemd on the lab's nodes, and SIGKILL for them."""

from dataclasses import dataclass

from tests.support.playbooks import on


@dataclass(frozen=True)
class Unit:
    """A service on a node."""

    node: str
    name: str

    def pid(self) -> int:
        """Return the process id of the service; 0 while it does not run."""
        return int(self.show("MainPID"))

    def active(self) -> bool:
        """Return whether the service has started and said that it is ready."""
        return self.show("ActiveState") == "active"

    def done(self) -> bool:
        """Return whether the service has ended by itself."""
        return self.show("ActiveState") == "inactive"

    def show(self, what: str) -> str:
        """Return one of the service's properties."""
        return on(self.node, f"systemctl show --property={what} --value {self.name}")

    def kill(self) -> bool:
        """Send SIGKILL, and wait until it has struck; return whether the service was running."""
        pid = self.pid()
        gone = f"while [ -e /proc/{pid} ]; do sleep 0.05; done"
        kill = f"kill -KILL {pid} && {{ {gone}; echo killed; }} || true"
        return pid > 0 and on(self.node, kill) == "killed"


def broker(node: str) -> Unit:
    """Return the broker on a node."""
    return Unit(node, "kafka")


def producer(node: str, run_id: str) -> Unit:
    """Return a run's producer."""
    return Unit(node, f"server-monitoring-produce@{run_id}")


def consumer(node: str, group: str, run_id: str) -> Unit:
    """Return a run's consumer of a metric group."""
    return Unit(node, f"server-monitoring-consume-{group}@{run_id}")
