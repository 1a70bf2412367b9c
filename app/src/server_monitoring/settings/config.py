"""The configuration: metric groups, windows, thresholds and this host's share.

Provisioning renders it from the inventory. It is read strictly, so that a misspelt key or a value
out of range is found here and not in the middle of a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from server_monitoring.broker.cluster import PLAINTEXT, PROTOCOLS, SASL_SSL, Cluster, parse_server
from server_monitoring.broker.limits import CLIENTS, COMPRESSIONS, LEAST_TIMEOUT
from server_monitoring.errors import ConfigError, UsageError
from server_monitoring.model import timestamps
from server_monitoring.model.groups import Group, Metric, Share
from server_monitoring.model.layout import KEEP, SEPARATORS, STOP, TIME_UNITS, Layout
from server_monitoring.model.windows import Windows
from server_monitoring.settings.groups import read_consumers, read_groups, read_thresholds
from server_monitoring.settings.live import Live, read_live
from server_monitoring.settings.strict import Node, load_yaml

# Of a run that an older version began.
IDLE_SECONDS = 900
# A data set that is sent in real time may pause for days.
_DAYS = 30 * timestamps.SECONDS_PER_DAY
KEYS = (
    "kafka_client",
    "compression",
    "bootstrap_servers",
    "data_dir",
    "broker_timeout",
    "full_disk_timeout",
    "window_seconds",
    "slide_seconds",
    "start",
    "thresholds",
    "groups",
    "consumers",
)
# What only some data sets need; a run that an older version began has none of them.
LAYOUT_KEYS = ("csv_separator", "decimal_comma", "time_unit", "clock_goes_back")


@dataclass(frozen=True)
class Config:
    """A valid configuration."""

    kafka_client: str
    compression: str
    cluster: Cluster
    data_dir: Path
    broker_timeout: int
    full_disk_timeout: int
    idle_timeout: int
    window_seconds: int
    slide_seconds: int
    start: str
    thresholds: dict[str, Decimal]
    groups: dict[str, Group]
    consumers: dict[str, Share]
    layout: Layout
    live: Live | None = None

    def metrics(self) -> list[Metric]:
        """Return all groups' metrics in order."""
        return [metric for group in self.groups.values() for metric in group.metrics]

    def group(self, name: str) -> Group:
        """Return a group by name.

        Raises:
            UsageError: there is no such group.

        """
        if name not in self.groups:
            known = ", ".join(self.groups)
            raise UsageError(f"--group: found {name!r}, expected one of {known}")
        return self.groups[name]

    def time_form(self) -> timestamps.TimeForm | None:
        """Return how times are written: as the setting `start` does; None if the data say it."""
        return timestamps.form_of(self.start)

    def windows(self, form: timestamps.TimeForm) -> Windows:
        """Return the windows of times of this form, from `start` on if it is set."""
        first = form.to_seconds(self.start) if self.start else None
        if first is not None and form.earliest is not None and first <= form.earliest:
            first = None  # so it leaves out nothing
        return Windows(self.window_seconds, self.slide_seconds, first, form.earliest)


def load(path: Path) -> Config:
    """Read and validate a configuration file.

    Raises:
        ConfigError: the first thing that is wrong, with the path of its key.

    """
    return parse(load_yaml(path))


def parse(root: Node) -> Config:
    """Validate a configuration.

    Raises:
        ConfigError: the first thing that is wrong, with the path of its key.

    """
    keys = root.fields(KEYS, optional=("kafka_security", "idle_timeout", "live", *LAYOUT_KEYS))
    slide = keys["slide_seconds"].integer(1, timestamps.SECONDS_PER_DAY)
    window = keys["window_seconds"].integer(1, timestamps.SECONDS_PER_DAY)
    if slide > window:
        raise keys["slide_seconds"].fail(f"at most window_seconds ({window})")
    groups = read_groups(keys["groups"])
    return Config(
        kafka_client=keys["kafka_client"].choice(*CLIENTS),
        compression=keys["compression"].choice(*COMPRESSIONS),
        cluster=parse_cluster(keys["bootstrap_servers"], keys.get("kafka_security")),
        data_dir=Path(keys["data_dir"].text("an absolute path", lambda text: text.startswith("/"))),
        broker_timeout=keys["broker_timeout"].integer(LEAST_TIMEOUT, timestamps.SECONDS_PER_DAY),
        full_disk_timeout=keys["full_disk_timeout"].integer(0, timestamps.SECONDS_PER_DAY),
        idle_timeout=_idle_timeout(keys.get("idle_timeout")),
        window_seconds=window,
        slide_seconds=slide,
        start=_start(keys["start"]),
        thresholds=read_thresholds(keys["thresholds"], groups),
        groups=groups,
        consumers=read_consumers(keys["consumers"], groups),
        layout=_layout(keys),
        live=read_live(keys["live"], groups) if "live" in keys else None,
    )


def _idle_timeout(node: Node | None) -> int:
    """Return for how long a consumer waits for its run; a run of an older version has no word."""
    return node.integer(LEAST_TIMEOUT, _DAYS) if node else IDLE_SECONDS


def _layout(keys: Mapping[str, Node]) -> Layout:
    """Return how the data set is written; what is not said is as most data sets are."""
    found: dict[str, Any] = {}
    if "csv_separator" in keys:
        found["separator"] = keys["csv_separator"].choice(*SEPARATORS)
    if "decimal_comma" in keys:
        found["decimal_comma"] = keys["decimal_comma"].truth()
    if "time_unit" in keys:
        found["time_unit"] = unit = keys["time_unit"].choice(*TIME_UNITS)
        if unit and timestamps.form_of(str(keys["start"].value)) is timestamps.CLOCK:
            raise keys["start"].fail(f"none, or one in ISO 8601, as time_unit is {unit}")
    if "clock_goes_back" in keys:
        found["clock_goes_back"] = keys["clock_goes_back"].choice(STOP, KEEP)
    return Layout(**found)


def _start(node: Node) -> str:
    expected = (
        f'"" for all windows, or a time as quoted text, {timestamps.expected_forms()} '
        '(such as "20:52:00")'
    )
    return node.text(expected, lambda text: not text or timestamps.form_of(text) is not None)


def share_of(config: Config, group: str) -> Share:
    """Return this host's share of a group's partitions.

    Raises:
        ConfigError: this host consumes none of the group.

    """
    if group not in config.consumers:
        raise ConfigError(
            f"consumers.{group}: missing, so this host has no partitions of the group; "
            f"put the host into the inventory group consumers_{group} and provision it"
        )
    return config.consumers[group]


def live_of(config: Config) -> Live:
    """Return the section of live mode.

    Raises:
        ConfigError: there is none.

    """
    if config.live is None:
        raise ConfigError(
            "live: missing, so live mode is not set up on this host; do so in the inventory "
            "(hosts in its group agents) and provision it"
        )
    return config.live


def parse_cluster(servers: Node, security: Node | None) -> Cluster:
    """Return the cluster that the configuration names; without `security`, in plain text.

    Raises:
        ConfigError: the first thing that is wrong.

    """
    return Cluster(_servers(servers), _ca_file(security))


def _servers(node: Node) -> tuple[str, ...]:
    servers = [n.text("host:port", parse_server) for n in node.items("a list of host:port")]
    if not servers:
        raise node.fail("at least one host:port")
    return tuple(servers)


def _ca_file(node: Node | None) -> Path | None:
    """Return the file of trusted authorities, or None for plain text."""
    if node is None:
        return None
    keys = node.fields(("protocol",), optional=("ca_file",))
    if keys["protocol"].choice(*PROTOCOLS) == PLAINTEXT:
        return None
    if "ca_file" not in keys:
        raise node.fail(f"also ca_file, as {SASL_SSL} needs it")
    return Path(keys["ca_file"].text("an absolute path", lambda text: text.startswith("/")))
