"""The configuration: metric groups, windows, thresholds and this host's share.

Rendered by provisioning from the inventory; loaded strictly, so that a misspelt key or a value
out of range stops here and not in the middle of a run.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from server_monitoring.broker.client import CLIENTS, COMPRESSIONS, LEAST_TIMEOUT
from server_monitoring.broker.cluster import Cluster, parse_cluster
from server_monitoring.errors import ConfigError, UsageError
from server_monitoring.host.runs import Run
from server_monitoring.model import timestamps
from server_monitoring.model.windows import Windows
from server_monitoring.settings.strict import Node, load_yaml

DEFAULT_CONFIG = Path("/etc/server-monitoring/config.yml")
DEFAULT_DATA_DIR = Path("/var/lib/server-monitoring")
AVERAGE, MAXIMUM = "average", "maximum"
JOIN_WINDOWS, JOIN_ROWS = "windows", "rows"
OTHER_COLUMNS = {"server_id", "window_start", "window_end", "alert"}
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
_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")  # Kafka's own rule
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}\.csv")
_LABEL = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


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


@dataclass(frozen=True)
class Config:
    """A valid configuration."""

    kafka_client: str
    compression: str
    cluster: Cluster
    data_dir: Path
    broker_timeout: int
    full_disk_timeout: int
    window_seconds: int
    slide_seconds: int
    start: str
    thresholds: dict[str, Decimal]
    groups: dict[str, Group]
    consumers: dict[str, Share]

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

    def time_form(self) -> timestamps.TimeForm:
        """Return how times are written: as the setting `start` is."""
        return timestamps.form_of(self.start) or timestamps.CLOCK

    def windows(self) -> Windows:
        """Return the windows from `start` on."""
        form = self.time_form()
        first = form.to_seconds(self.start)
        if form.earliest is not None:
            first = max(first, form.earliest)
        return Windows(self.window_seconds, self.slide_seconds, first)


def default_path(run_id: str | None) -> Path:
    """Return the run's own copy of the configuration if it has one, else the host's."""
    if run_id is None:
        return DEFAULT_CONFIG
    try:
        data_dir = load(DEFAULT_CONFIG).data_dir if DEFAULT_CONFIG.exists() else DEFAULT_DATA_DIR
        own = Run(data_dir, run_id).directory / "config.yml"
        return own if own.exists() else DEFAULT_CONFIG
    except PermissionError as error:
        raise ConfigError(
            f"{error.filename}: {error.strerror}; run this as root or server-monitoring, "
            "or name a file with --config"
        ) from error


def load(path: Path) -> Config:
    """Read and validate a configuration file.

    Raises:
        ConfigError: the first thing that is wrong, with the path of its key.

    """
    return parse(load_yaml(path))


def problem(values: Mapping[str, object], prefix: str) -> str | None:
    """Return what is wrong with a configuration that is not a file yet, or None.

    Each key is named with `prefix`, as whoever holds the values knows it.
    """
    source = Path("configuration")
    try:
        parse(Node(source, "", values))
    except ConfigError as error:
        return prefix + str(error).removeprefix(f"{source}: ")
    return None


def parse(root: Node) -> Config:
    """Validate a configuration.

    Raises:
        ConfigError: the first thing that is wrong, with the path of its key.

    """
    keys = root.fields(KEYS, optional=("kafka_security",))
    slide = keys["slide_seconds"].integer(1, timestamps.SECONDS_PER_DAY)
    window = keys["window_seconds"].integer(1, timestamps.SECONDS_PER_DAY)
    if slide > window:
        raise keys["slide_seconds"].fail(f"at most window_seconds ({window})")
    groups = _groups(keys["groups"])
    return Config(
        kafka_client=keys["kafka_client"].choice(*CLIENTS),
        compression=keys["compression"].choice(*COMPRESSIONS),
        cluster=parse_cluster(keys["bootstrap_servers"], keys.get("kafka_security")),
        data_dir=Path(keys["data_dir"].text("an absolute path", lambda text: text.startswith("/"))),
        broker_timeout=keys["broker_timeout"].integer(LEAST_TIMEOUT, timestamps.SECONDS_PER_DAY),
        full_disk_timeout=keys["full_disk_timeout"].integer(0, timestamps.SECONDS_PER_DAY),
        window_seconds=window,
        slide_seconds=slide,
        start=_start(keys["start"]),
        thresholds=_thresholds(keys["thresholds"], groups),
        groups=groups,
        consumers=_consumers(keys["consumers"], groups),
    )


def _start(node: Node) -> str:
    expected = f'a time as quoted text, {timestamps.expected_forms()} (such as "20:52:00")'
    return node.text(expected, lambda text: timestamps.form_of(text) is not None)


def _thresholds(node: Node, groups: dict[str, Group]) -> dict[str, Decimal]:
    columns = {m.column for group in groups.values() for m in group.metrics}
    return {name: n.decimal() for name, n in node.fields(sorted(columns)).items()}


def _groups(node: Node) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    topics: set[str] = set()
    files: set[str] = set()
    for name, child in node.children().items():
        if _NAME.fullmatch(name) is None:
            raise child.fail("a name of letters, digits and underscores", found=name)
        groups[name] = group = _group(name, child)
        for metric in group.metrics:
            if metric.topic in topics:
                raise child.fail("a topic of its own for each metric", found=metric.topic)
            topics.add(metric.topic)
        if group.output_file in files:
            raise child.fail("an output file of its own for each group", found=group.output_file)
        files.add(group.output_file)
    if not groups:
        raise node.fail("at least one metric group")
    return groups


def _group(name: str, node: Node) -> Group:
    keys = node.fields(("metrics", "aggregate", "join", "output_file", "labels"))
    metrics = [_metric(n) for n in keys["metrics"].items("a list of two metrics")]
    if len(metrics) != len(("first", "second")):
        raise keys["metrics"].fail("exactly two metrics", found=f"{len(metrics)} metrics")
    outputs = {m.output_column for m in metrics}
    if len(outputs) != len(metrics) or outputs & OTHER_COLUMNS:
        raise keys["metrics"].fail("output columns that differ", found=sorted(outputs))
    labels = keys["labels"].fields(("both", "first", "second"))
    texts = {key: n.text("a text without control characters", _LABEL) for key, n in labels.items()}
    return Group(
        name=name,
        metrics=(metrics[0], metrics[1]),
        aggregate=keys["aggregate"].choice(AVERAGE, MAXIMUM),
        join=keys["join"].choice(JOIN_WINDOWS, JOIN_ROWS),
        output_file=keys["output_file"].text("a plain file name ending in .csv", _FILE),
        labels=Labels(**texts),
    )


def _metric(node: Node) -> Metric:
    keys = node.fields(("topic", "column", "output_column"))
    named = "a name of letters, digits and underscores"
    column = keys["column"].text(
        f"{named}, not ts or server_id",
        lambda text: _NAME.fullmatch(text) is not None and text not in {"ts", "server_id"},
    )
    topic = keys["topic"].text("a topic name: 1 to 249 of A-Z a-z 0-9 . _ -", _TOPIC)
    return Metric(topic, column, keys["output_column"].text(named, _NAME))


def _consumers(node: Node, groups: dict[str, Group]) -> dict[str, Share]:
    shares = {}
    for name, child in node.children().items():
        if name not in groups:
            raise child.fail("a group named in groups: " + ", ".join(groups), found=name)
        keys = child.fields(("index", "hosts"))
        hosts = keys["hosts"].integer(1, 10_000)
        shares[name] = Share(keys["index"].integer(0, hosts - 1), hosts)
    return shares


def share_of(config: Config, group: str) -> Share:
    """Return this host's share of a group's partitions.

    Raises:
        ConfigError: this host consumes nothing of the group.

    """
    if group not in config.consumers:
        raise ConfigError(
            f"consumers.{group}: missing, so this host has no partitions of the group; "
            f"put the host into the inventory group consumers_{group} and provision it"
        )
    return config.consumers[group]
