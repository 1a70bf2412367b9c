"""Metric groups: two metrics that are analyzed together, and which partitions a host consumes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server_monitoring.errors import BrokerError

AVERAGE, MAXIMUM = "average", "maximum"
JOIN_WINDOWS, JOIN_ROWS = "windows", "rows"
# Of the metrics of a data set, where no configuration says so; those of the role's defaults.
DEFAULT_COLUMNS = ("cpu_pct", "mem_pct", "net_in", "disk_io")
# Of every alert table; the columns of its metrics come before the last one.
TABLE_COLUMNS = ("server_id", "window_start", "window_end", "alert")


def table_columns(metrics: Iterable[str]) -> list[str]:
    """Return the columns of an alert table with these columns of metrics."""
    return [*TABLE_COLUMNS[:-1], *metrics, TABLE_COLUMNS[-1]]


@dataclass(frozen=True)
class Metric:
    """One metric: its topic, its column in the data set and in the alert table."""

    topic: str
    column: str
    output_column: str


@dataclass(frozen=True)
class Labels:
    """What the alert column says when both or only one metric is above its threshold."""

    both: str
    first: str
    second: str


@dataclass(frozen=True)
class Group:
    """A metric group: two metrics that are analyzed together."""

    name: str
    metrics: tuple[Metric, Metric]
    aggregate: str
    join: str
    output_file: str
    labels: Labels


@dataclass(frozen=True)
class Share:
    """The partitions this host consumes: those with `partition % hosts == index`."""

    index: int
    hosts: int

    def of(self, counts: Mapping[str, int], group: Group) -> list[tuple[str, int]]:
        """Return this host's partitions of a group's topics, which have so many partitions each.

        Raises:
            BrokerError: the topics differ in their number of partitions, so that a server's two
                metrics would not meet on one host, or there is none for this host.

        """
        if len(set(counts.values())) != 1:
            found = ", ".join(f"{topic} has {n}" for topic, n in counts.items())
            raise BrokerError(
                f"group {group.name}: {found} partitions, expected the same number for both "
                "topics; mend the topics' partitions in the inventory and provision"
            )
        assigned = [
            (topic, partition)
            for topic, count in counts.items()
            for partition in range(count)
            if partition % self.hosts == self.index
        ]
        if not assigned:
            raise BrokerError(
                f"group {group.name}: {min(counts.values())} partitions for {self.hosts} hosts "
                "leave none for this one; grow the group's topics or take a host out of its "
                "inventory group"
            )
        return assigned
