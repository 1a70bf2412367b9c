"""Which brokers and as whom: credentials that are read with care, and shown nowhere."""

import json
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from server_monitoring import cli
from server_monitoring.broker import failures, tls
from server_monitoring.broker.clients import confluent_common, kafka_python_common
from server_monitoring.broker.cluster import Cluster, Credentials, read_credentials
from server_monitoring.errors import (
    AuthenticationError,
    ConfigError,
    CredentialsError,
    UnreachableError,
)
from server_monitoring.settings import config

from tests.support.app_settings import write_settings

PASSWORD = "a-secret-that-shows"  # noqa: S105 - of no user


def written(path: Path, content: object, mode: int = 0o600) -> Path:
    """Write a file of credentials."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def good(path: Path, mode: int = 0o600) -> Path:
    """Write good credentials."""
    return written(path, {"username": "producer", "password": PASSWORD}, mode)


def test_credentials_are_read_and_not_shown(tmp_path: Path) -> None:
    """Not by the cluster that holds them either."""
    found = read_credentials(good(tmp_path / "c.json"))
    assert (found.username, found.password) == ("producer", PASSWORD)
    assert PASSWORD not in repr(found) + str(found)
    cluster = Cluster(("a:1",), Path("/ca.pem"), found)
    assert PASSWORD not in repr(cluster) + str(cluster)
    assert cluster.user == "producer"


def test_the_units_credentials_are_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systemd lets their user in by an access list, which shows as a right of the group."""
    good(tmp_path / "kafka.json", 0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_credentials(None).username == "producer"
    assert Cluster(("a:1",), Path("/ca.pem")).identity.username == "producer"
    good(tmp_path / "kafka.json").chmod(0o444)
    with pytest.raises(ConfigError, match="found mode 0444, expected 0600"):
        read_credentials(None)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that mends it."""
    path = good(tmp_path / "c.json", mode)
    with pytest.raises(ConfigError, match=f"found mode {mode:04o}, expected 0600.*chmod 600"):
        read_credentials(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PASSWORD, "expected JSON"),
        (f'{{"username": "u", "password": "{PASSWORD}"', "expected JSON"),
        ([PASSWORD], "expected JSON"),
        ({"username": "u"}, "expected only username and password"),
        ({"username": "u", "password": PASSWORD, "more": 1}, "found the keys 'more'"),
        ({"username": "", "password": PASSWORD}, "username: expected printable text"),
        ({"username": "u", "password": 5}, "password: expected printable text"),
        ({"username": "u", "password": f"{PASSWORD}\n"}, "password: expected printable text"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_its_content(
    tmp_path: Path, content: object, message: str
) -> None:
    """A password that stands in the wrong place is still one."""
    path = written(tmp_path / "c.json", content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_credentials(path)
    assert str(path) in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_credentials_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError, match=r"none found .* name a file with --credentials"):
        read_credentials(None)
    with pytest.raises(ConfigError, match="No such file"):
        read_credentials(tmp_path / "absent.json")


def test_a_configuration_without_the_section_means_plain_text(
    values: dict[str, Any], tmp_path: Path
) -> None:
    """As does one that says so; then no credentials are looked for."""
    for section in ({}, {"kafka_security": {"protocol": "PLAINTEXT"}}):
        loaded = config.load(write_settings(tmp_path / "c.yml", values | section))
        assert loaded.cluster == Cluster(("127.0.0.1:9",))
        assert "security.protocol" not in confluent_common.options(loaded.cluster)
        assert "security_protocol" not in kafka_python_common.options(loaded.cluster)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"protocol": "SSL", "ca_file": "/c"}, "kafka_security.protocol: found 'SSL', expected"),
        ({"protocol": "SASL_SSL"}, "kafka_security: found .* expected also ca_file"),
        ({"protocol": "SASL_SSL", "ca_file": "c"}, "kafka_security.ca_file: found 'c', expected"),
        ({"ca_file": "/c"}, "kafka_security.protocol: missing"),
        ({"protocol": "PLAINTEXT", "password": "p"}, "kafka_security.password: found 'password'"),
        (None, "kafka_security: found None"),
    ],
)
def test_a_wrong_section_is_named(
    values: dict[str, Any], tmp_path: Path, section: object, message: str
) -> None:
    """A typing error must not mean plain text."""
    path = write_settings(tmp_path / "c.yml", values | {"kafka_security": section})
    with pytest.raises(ConfigError, match=message):
        config.load(path)


@pytest.mark.parametrize("make", [confluent_common.options, kafka_python_common.options])
@pytest.mark.parametrize(
    ("file", "message"), [("absent.pem", "No such file"), ("bad.pem", "no certificate")]
)
def test_authorities_that_cannot_be_read_are_named(
    tmp_path: Path, make: Any, file: str, message: str
) -> None:
    """By the setting and the file."""
    (tmp_path / "bad.pem").write_text("x")
    path = tmp_path / file
    cluster = Cluster(("a:1",), path, Credentials("u", PASSWORD))
    with pytest.raises(ConfigError, match=f"kafka_security.ca_file: {path}: {message}"):
        make(cluster)


@pytest.fixture
def secured(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Return a cluster with TLS, whose authorities need not be there."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
    return Cluster(("a:1",), Path("/ca.pem"), Credentials("u", PASSWORD))


def test_both_clients_are_told_to_verify_and_who_to_be(secured: Cluster) -> None:
    """Host names too, and TLS 1.3 at least."""
    context = tls.context(secured)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    ours = kafka_python_common.options(secured)
    assert ours["security_protocol"] == "SASL_SSL"
    assert (ours["sasl_mechanism"], ours["sasl_plain_username"]) == ("SCRAM-SHA-512", "u")
    theirs = confluent_common.options(secured)
    assert theirs["security.protocol"] == "sasl_ssl"
    assert theirs["ssl.endpoint.identification.algorithm"] == "https"
    assert theirs["enable.ssl.certificate.verification"] is True
    assert (theirs["ssl.ca.location"], theirs["sasl.mechanism"]) == ("/ca.pem", "SCRAM-SHA-512")


def test_a_silent_broker_is_asked_only_once(
    secured: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for an acknowledgement waits for each question too."""
    asked = []
    client, broker = socket.socketpair(socket.AF_UNIX)

    def open_socket(server: str, *_: float) -> socket.socket:
        asked.append(server)
        client.settimeout(0.1)
        return client

    monkeypatch.setattr(tls, "open_socket", open_socket)
    with broker:
        assert tls.handshake_error(secured) is None
    assert asked == ["a:1"]


def test_a_refusal_in_mid_run_is_a_reason_to_start_again() -> None:
    """Other errors stay what they are."""
    refused, away = AuthenticationError("refused"), UnreachableError("away")
    with pytest.raises(CredentialsError) as caught, failures.in_mid_run():
        raise refused
    assert (caught.value.exit_status, str(caught.value)) == (11, "refused")
    assert AuthenticationError.exit_status == 5
    with pytest.raises(UnreachableError, match="away"), failures.in_mid_run():
        raise away


@pytest.mark.parametrize("command", ["produce", "consume", "probe"])
def test_commands_that_connect_take_credentials(
    command: str, values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not usable ends them in one line, before anything else."""
    values["kafka_security"] = {"protocol": "SASL_SSL", "ca_file": "/ca.pem"}
    path = write_settings(tmp_path / "c.yml", values)
    more = {
        "produce": ["--run-id", "r1", "--dataset", "m.csv"],
        "consume": ["--run-id", "r1", "--group", "cpu_mem"],
        "probe": [],
    }
    credentials = good(tmp_path / "own.json", 0o644)
    argv = [command, *more[command], "--config", str(path), "--credentials", str(credentials)]
    assert cli.main(argv) == ConfigError.exit_status
    err = capsys.readouterr().err
    assert "found mode 0644, expected 0600" in err
    assert err.count("\n") == 1
