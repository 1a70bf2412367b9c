"""A broker with the role's own configuration refuses what is not to come in."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import KafkaError

from tests.kafka.access_broker import NAME
from tests.kafka.authority import LOOPBACK, Authority
from tests.kafka.kafka_broker import CLUSTER_ID, PATIENCE, Broker, free_port, running_broker
from tests.support.kafka_templates import render

# The request ApiVersions, which every listener answers first, before any authentication.
REQUEST = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
ANSWER = bytes.fromhex("00000001 0000")
LISTENERS = ("client", "controller", "broker")
BY_CERTIFICATE = LISTENERS[1:]


class RestrictedBroker(Broker):
    """A broker as the role sets it up with `kafka_access_enabled`, on loopback."""

    def format(self, properties: str = "") -> None:
        """Make certificates, render its configuration and format its storage."""
        signer = Authority(self.directory, "authority")
        self.authority, self.key_store = signer.file, signer.key_store(NAME, LOOPBACK)
        self.ports = {name: free_port() for name in LISTENERS}
        listeners = [f"{name.upper()}://{LOOPBACK}:{port}" for name, port in self.ports.items()]
        values = {
            "kafka_access_enabled": True,
            "kafka_address": LOOPBACK,
            "_kafka_controllers": [f"{LOOPBACK}:{self.ports['controller']}"],
            "_kafka_secure_listeners": listeners,
            "_kafka_advertised_listeners": listeners,
            "_kafka_log_dir": f"{self.directory}/data",
            "_kafka_key_store": self.key_store,
            "_kafka_trust_store": self.authority,
            "kafka_extra_properties": {"offsets.topic.num.partitions": 1},
        }
        for name in ("server", "admin"):
            path = self.directory / f"{name}.properties"
            path.write_text(render(f"{name}.properties.j2", **values) + properties)
        self.tool("kafka-storage.sh", "format", "--standalone", "-t", CLUSTER_ID, "-c")

    def tool(self, name: str, *arguments: str) -> str:
        """Run a tool of Kafka with a file of settings last, and return what it prints."""
        settings = "server" if name == "kafka-storage.sh" else "admin"
        command = [
            str(self.home / "bin" / name),
            *arguments,
            f"{self.directory}/{settings}.properties",
        ]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=self.environment()
        )
        printed: str = done.stdout
        assert done.returncode == 0, printed + done.stderr
        return printed

    def serves(self) -> bool:
        """Tell whether the listener for brokers answers."""
        return self.answers("broker", self.context(self.key_store))

    def context(self, certificate: Path | None = None) -> ssl.SSLContext:
        """Return a client's side of TLS 1.3, with or without a certificate of its own."""
        context = ssl.create_default_context(cafile=self.authority)
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context

    def answers(self, listener: str, context: ssl.SSLContext | None) -> bool:
        """Tell whether a listener takes a request, over TLS or (without context) in plain text."""
        try:
            address = (LOOPBACK, self.ports[listener])
            with socket.create_connection(address, timeout=PATIENCE) as raw:
                if context is None:
                    return _asks(raw)
                with context.wrap_socket(raw, server_hostname=LOOPBACK) as wrapped:
                    return _asks(wrapped)
        except TimeoutError:
            raise
        except OSError:  # refused by an alert, or closed
            return False

    def client(self, user: str, password: str) -> dict[str, object]:
        """Return how a client logs in."""
        return {
            "bootstrap_servers": f"{LOOPBACK}:{self.ports['client']}",
            "security_protocol": "SASL_SSL",
            "ssl_cafile": str(self.authority),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user,
            "sasl_plain_password": password,
        }


def _asks(stream: socket.socket) -> bool:
    stream.sendall(REQUEST)
    return stream.recv(64)[4:10] == ANSWER


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestrictedBroker]:
    """Return the broker, running."""
    with running_broker(RestrictedBroker, tmp_path_factory.mktemp("restricted")) as broker:
        yield broker


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate that claims to be the broker's, but that another authority signed."""
    return Authority(tmp_path_factory.mktemp("foreign"), "authority").key_store(NAME, LOOPBACK)


@pytest.mark.parametrize("listener", LISTENERS)
def test_plain_text_is_refused(restricted: RestrictedBroker, listener: str) -> None:
    """A request without TLS gets no answer; with TLS and the right certificate it does."""
    assert not restricted.answers(listener, None)
    assert restricted.answers(listener, restricted.context(restricted.key_store))


@pytest.mark.parametrize("listener", LISTENERS)
def test_older_tls_is_refused(restricted: RestrictedBroker, listener: str) -> None:
    """TLS 1.2 ends in the handshake, whatever certificate comes with it."""
    context = restricted.context(restricted.key_store)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not restricted.answers(listener, context)


@pytest.mark.parametrize("listener", BY_CERTIFICATE)
def test_brokers_listeners_need_a_certificate_by_the_authority(
    restricted: RestrictedBroker, foreign: Path, listener: str
) -> None:
    """None, and one that only bears the right name, are refused; clients need none on theirs."""
    assert not restricted.answers(listener, restricted.context())
    assert not restricted.answers(listener, restricted.context(foreign))
    assert restricted.answers("client", restricted.context())


def test_broker_s_certificate_is_for_its_address_alone(restricted: RestrictedBroker) -> None:
    """A client that asked for another address does not go on."""
    raw = socket.create_connection((LOOPBACK, restricted.ports["client"]), timeout=PATIENCE)
    with raw, pytest.raises(ssl.SSLCertVerificationError, match="not valid for '127"):
        restricted.context().wrap_socket(raw, server_hostname="127.0.0.2")


def test_administration_works_by_the_broker_s_own_settings(restricted: RestrictedBroker) -> None:
    """admin.properties makes a topic and lists rules: its principal is the super user."""
    server = ["--bootstrap-server", f"{LOOPBACK}:{restricted.ports['broker']}"]
    topic = ["--create", "--topic", "made-by-admin", "--command-config"]
    assert "Created topic" in restricted.tool("kafka-topics.sh", *server, *topic)
    restricted.tool("kafka-acls.sh", *server, "--list", "--command-config")


def test_client_needs_its_password_and_sees_nothing_without_a_right(
    restricted: RestrictedBroker,
) -> None:
    """A wrong password is refused; with the right one, topics that no rule opens stay hidden."""
    admin = KafkaAdminClient(
        bootstrap_servers=f"{LOOPBACK}:{restricted.ports['broker']}",
        security_protocol="SSL",
        ssl_cafile=str(restricted.authority),
        ssl_certfile=str(restricted.key_store),
        ssl_keyfile=str(restricted.key_store),
    )
    try:
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("somebody", ScramMechanism.SCRAM_SHA_512, b"right")]
        )
        admin.create_topics({"hidden": {"num_partitions": 1, "replication_factor": 1}})
        assert "hidden" in admin.list_topics()
    finally:
        admin.close()
    with pytest.raises(KafkaError):
        KafkaConsumer(**restricted.client("somebody", "wrong"), bootstrap_timeout_ms=5000)
    consumer = KafkaConsumer(**restricted.client("somebody", "right"))
    try:
        assert consumer.topics() == set()
    finally:
        consumer.close()
