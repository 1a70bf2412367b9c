"""A broker as the role kafka_access finds it: users by SCRAM, administration by mutual TLS."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server_monitoring.broker.cluster import Credentials
from server_monitoring.broker.login import WRONG_PASSWORD, refusal

from tests.kafka.authority import LOOPBACK, Authority
from tests.kafka.kafka_broker import Broker, free_port

NAME = "kafka-1"
PROPERTIES = """\
listeners={clients},{admins},{local}
advertised.listeners={clients},{admins},{local}
listener.security.protocol.map=CLIENT:SASL_SSL,BROKER:SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
allow.everyone.if.no.acl.found=false
super.users=User:{name};User:ANONYMOUS
sasl.enabled.mechanisms=SCRAM-SHA-512
ssl.enabled.protocols=TLSv1.3
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.broker.ssl.client.auth=required
listener.name.broker.ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/
listener.name.client.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""
ADMIN = """\
security.protocol=SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
"""


@dataclass
class AccessBroker(Broker):
    """A broker whose certificate makes its holder the administrator.

    Its plain listener is there to see when it has started; the tests do not use it.
    """

    client_port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    authority: Authority = field(init=False)

    @property
    def admin_properties(self) -> Path:
        """Return the file that says how to administrate."""
        return self.directory / "admin.properties"

    @property
    def clients(self) -> str:
        """Return host:port of the listener for users."""
        return f"{LOOPBACK}:{self.client_port}"

    def arguments(self, **others: Any) -> dict[str, Any]:
        """Return arguments of the module kafka_access."""
        return {
            "bootstrap_servers": [f"{LOOPBACK}:{self.admin_port}"],
            "client_servers": [self.clients],
            "admin_properties": str(self.admin_properties),
            "super_users": [NAME],
        } | others

    def format(self, properties: str = "") -> None:
        """Make certificates, the file for administration, and storage."""
        self.authority = Authority(self.directory, "authority")
        stores = {
            "keystore": self.authority.key_store(NAME, LOOPBACK),
            "truststore": self.authority.file,
        }
        self.admin_properties.write_text(ADMIN.format(**stores))
        controller = free_port()
        secure = PROPERTIES.format(
            clients=f"CLIENT://{self.clients}",
            admins=f"BROKER://{LOOPBACK}:{self.admin_port}",
            local=f"PLAINTEXT://{self.address},CONTROLLER://{LOOPBACK}:{controller}",
            controller=controller,
            name=NAME,
            **stores,
        )
        super().format(secure + properties)


def logs_in(broker: AccessBroker, user: str, secret: str) -> bool:
    """Tell whether the broker lets a user in; it is asked once."""
    context = ssl.create_default_context(cafile=str(broker.authority.file))
    reason = refusal(broker.clients, context, Credentials(user, secret), 20)
    assert reason in {None, WRONG_PASSWORD}, reason
    return reason is None
