"""An agent's configuration and its key: one clear line for whatever is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.agent.config import SPOOL_BYTES, load, read_key
from server_monitoring.agent.row import COLUMNS
from server_monitoring.errors import ConfigError

Write = Callable[[object], Path]
TOPICS = {column: f"topic-{column}" for column in COLUMNS}
VALUES: dict[str, Any] = {
    "server_id": "web-1",
    "kafka_client": "confluent-kafka",
    "bootstrap_servers": ["127.0.0.1:9"],
    "data_dir": "/var/lib/server-monitoring-agent",
    "topics": TOPICS,
}


def test_what_is_not_said_has_its_default(write: Write) -> None:
    """Ten seconds, psutil, what is physical, unsigned."""
    config = load(write(VALUES))
    assert (config.interval, config.spool_bytes) == (10, SPOOL_BYTES)
    assert (config.source_file, config.nics, config.disks, config.signing) == (None, (), (), False)
    assert config.topics == tuple(TOPICS[column] for column in COLUMNS)


def test_all_that_can_be_said(write: Write) -> None:
    """In any order."""
    more = {
        "kafka_security": {"protocol": "SASL_SSL", "ca_file": "/ca.pem"},
        "interval_seconds": 1,
        "spool_bytes": 300_000,
        "source": "file",
        "source_file": "/run/numbers.json",
        "nics": ["bond0"],
        "disks": ["sda", "md0"],
        "signing": "true",
    }
    config = load(write(more | VALUES))
    assert config.cluster.ca_file == Path("/ca.pem")
    assert (config.interval, config.spool_bytes, config.signing) == (1, 300_000, True)
    assert config.source_file == Path("/run/numbers.json")
    assert (config.nics, config.disks) == (("bond0",), ("sda", "md0"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"server": "x"}, "server: found 'server', expected no such key"),
        ({"server_id": 7}, "server_id: found 7, expected a server id as text"),
        ({"server_id": " a"}, "server_id: found ' a', expected a server id without blanks"),
        ({"server_id": "a\nb"}, "expected a server id without line ends"),
        ({"kafka_client": "librdkafka"}, "expected kafka-python or confluent-kafka"),
        ({"bootstrap_servers": []}, "bootstrap_servers: found [], expected at least one host:port"),
        ({"kafka_security": {"protocol": "SASL_SSL"}}, "expected also ca_file"),
        ({"data_dir": "spool"}, "data_dir: found 'spool', expected an absolute path"),
        ({"topics": {"cpu_pct": "t"}}, "topics.mem_pct: missing; add it"),
        ({"topics": TOPICS | {"cpu": "t"}}, "topics.cpu: found 'cpu', expected no such key"),
        ({"topics": TOPICS | {"net_in": ""}}, "topics.net_in: found '', expected a name"),
        ({"interval_seconds": 0}, "interval_seconds: found 0, expected a whole number from 1 to"),
        ({"interval_seconds": 1.5}, "interval_seconds: found 1.5, expected a whole number"),
        ({"spool_bytes": 1000}, "spool_bytes: found 1000, expected a whole number from 262144 to"),
        ({"source": "snmp"}, "source: found 'snmp', expected psutil or file"),
        ({"source": "file"}, "source_file: missing; add it, as source is file"),
        ({"source_file": "/x"}, "source_file: found '/x', expected none, as source is psutil"),
        ({"nics": "eth0"}, "nics: found 'eth0', expected a list of names"),
        ({"disks": [1]}, "disks[0]: found 1, expected a name"),
        ({"signing": "yes please"}, "signing: found 'yes please', expected true or false"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_expected(
    write: Write, more: dict[str, Any], message: str
) -> None:
    """And where."""
    path = write(VALUES | more)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("key", ["server_id", "topics", "data_dir", "bootstrap_servers"])
def test_what_must_be_said_is_missed(write: Write, key: str) -> None:
    """By its name."""
    with pytest.raises(ConfigError, match=f"{key}: missing; add it"):
        load(write({name: value for name, value in VALUES.items() if name != key}))


def test_a_key_is_read_from_a_file_of_mode_0600_or_from_the_units_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message holds what is in the file."""
    path = tmp_path / "signing.key"
    path.write_text("ab" * 32)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="expected 0600: others may read the key"):
        read_key(path)
    path.chmod(0o600)
    assert read_key(path) == b"\xab" * 32
    with pytest.raises(ConfigError, match="signing: found true, but no key"):
        read_key(None)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_key(None) == b"\xab" * 32
    path.write_text("secret")
    with pytest.raises(ConfigError, match="expected a key of 64 hexadecimal digits") as caught:
        read_key(None)
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="No such file or directory; name a signing key file"):
        read_key(tmp_path / "none")
