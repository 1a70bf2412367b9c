"""An agent's own configuration, read as strictly as that of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from server_monitoring.agent.row import COLUMNS
from server_monitoring.agent.spool import LEAST_BOUND
from server_monitoring.broker.cluster import Cluster, default_secret, secret_content
from server_monitoring.broker.limits import CLIENTS
from server_monitoring.errors import ConfigError
from server_monitoring.model.signature import parse_key
from server_monitoring.model.values import check_server_id
from server_monitoring.settings.config import parse_cluster
from server_monitoring.settings.strict import Node, load_yaml

PSUTIL, FILE = "psutil", "file"
SIGNING_KEY = "signing.key"
"""Name of the credential that the unit loads where rows are signed."""
INTERVAL_SECONDS = 10
SPOOL_BYTES = 16 * 1024 * 1024
"""Three days without a broker, at a sample a second of about 60 bytes."""
_LONGEST_INTERVAL = 3600
_LARGEST_SPOOL = 1 << 40
_KEYS = ("server_id", "kafka_client", "bootstrap_servers", "data_dir", "topics")
_OPTIONAL = (
    "kafka_security",
    "interval_seconds",
    "spool_bytes",
    "source",
    "source_file",
    "nics",
    "disks",
    "signing",
)


@dataclass(frozen=True)
class AgentConfig:
    """A valid configuration.

    Attributes:
        server_id: under which the rows count.
        kafka_client: one of CLIENTS.
        cluster: the brokers.
        data_dir: where spool, position, counters and lock are.
        topics: of COLUMNS, in their order.
        interval: seconds between two samples.
        spool_bytes: bound of the spool.
        source_file: where the numbers stand, or None for those of psutil.
        nics, disks: what to count; empty: what is physical.
        signing: whether rows are signed.

    """

    server_id: str
    kafka_client: str
    cluster: Cluster
    data_dir: Path
    topics: tuple[str, ...]
    interval: int
    spool_bytes: int
    source_file: Path | None
    nics: tuple[str, ...]
    disks: tuple[str, ...]
    signing: bool


def load(path: Path) -> AgentConfig:
    """Read and validate a configuration file.

    Raises:
        ConfigError: the first thing that is wrong, with the path of its key.

    """
    return _parse(load_yaml(path))


def problems(values: Mapping[str, object], prefix: str) -> list[str]:
    """Return the first thing that is wrong with a configuration that is not in a file yet, if any.

    Its key is named with `prefix`, as the caller knows it.
    """
    source = Path("configuration")
    try:
        _parse(Node(source, "", values))
    except ConfigError as error:
        return [prefix + str(error).removeprefix(f"{source}: ")]
    return []


def _parse(root: Node) -> AgentConfig:
    keys = root.fields(_KEYS, optional=_OPTIONAL)
    topics = keys["topics"].fields(COLUMNS)

    def integer(name: str, lowest: int, highest: int, default: int) -> int:
        return keys[name].integer(lowest, highest) if name in keys else default

    return AgentConfig(
        server_id=_server_id(keys["server_id"]),
        kafka_client=keys["kafka_client"].choice(*CLIENTS),
        cluster=parse_cluster(keys["bootstrap_servers"], keys.get("kafka_security")),
        data_dir=_path(keys["data_dir"]),
        topics=tuple(_name(topics[column]) for column in COLUMNS),
        interval=integer("interval_seconds", 1, _LONGEST_INTERVAL, INTERVAL_SECONDS),
        spool_bytes=integer("spool_bytes", LEAST_BOUND, _LARGEST_SPOOL, SPOOL_BYTES),
        source_file=_source_file(root, keys),
        nics=_names(keys.get("nics")),
        disks=_names(keys.get("disks")),
        signing="signing" in keys and keys["signing"].truth(),
    )


def _server_id(node: Node) -> str:
    server_id = node.text("a server id as text", bool)
    try:
        check_server_id(server_id)
    except ValueError as error:
        raise node.fail(str(error)) from error
    return server_id


def _source_file(root: Node, keys: dict[str, Node]) -> Path | None:
    source = keys["source"].choice(PSUTIL, FILE) if "source" in keys else PSUTIL
    if source == FILE:
        if "source_file" not in keys:
            raise ConfigError(f"{root.file}: source_file: missing; add it, as source is {FILE}")
        return _path(keys["source_file"])
    if "source_file" in keys:
        raise keys["source_file"].fail(f"none, as source is {source}")
    return None


def _path(node: Node) -> Path:
    return Path(node.text("an absolute path", lambda text: text.startswith("/")))


def _name(node: Node) -> str:
    return node.text("a name", lambda text: bool(text) and "\0" not in text)


def _names(node: Node | None) -> tuple[str, ...]:
    return tuple(_name(item) for item in node.items("a list of names")) if node else ()


def read_key(path: Path | None) -> bytes:
    """Read the key to sign with: 64 hexadecimal digits; None means the unit's own.

    Raises:
        ConfigError: there is none, others may read it, or it is something else. The message
            never holds what is in the file.

    """
    own = default_secret(SIGNING_KEY)
    file = path or own
    if file is None:
        raise ConfigError(
            "signing: found true, but no key; start this by its systemd unit, which loads one, or "
            "name a file with --signing-key"
        )
    try:
        return parse_key(secret_content(file, own, "key").decode("ascii", "replace"))
    except ValueError as error:
        raise ConfigError(f"{file}: expected {error}") from error
