"""A broker with TLS, SCRAM and access lists, and listeners that are wrong in one way each.

Its plain listener takes anybody for the administrator: that is how tests make topics and users.
The app comes by the others, as one of the users of `access`.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from server_monitoring.broker.cluster import MECHANISM, SASL_SSL

from tests.kafka.access import Access, users
from tests.kafka.authority import LOOPBACK, Authority
from tests.kafka.kafka_broker import Broker, free_port

CLIENT, RENEWING, OLD_TLS = "CLIENT", "RENEWING", "OLDTLS"
EXPIRED, FOREIGN, ELSEWHERE = "EXPIRED", "FOREIGN", "ELSEWHERE"
LISTENERS = (CLIENT, RENEWING, OLD_TLS, EXPIRED, FOREIGN, ELSEWHERE)
REAUTHENTICATE_MS = 4_000
PROPERTIES = """\
listeners={listeners},PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners},PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map={protocols},PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=SCRAM-SHA-512
ssl.enabled.protocols=TLSv1.3
ssl.keystore.type=PEM
listener.name.renewing.scram-sha-512.connections.max.reauth.ms={reauthenticate}
listener.name.oldtls.ssl.enabled.protocols=TLSv1.2
"""
LISTENER = """\
listener.name.{name}.ssl.keystore.location={store}
listener.name.{name}.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@dataclass
class SecureBroker(Broker):
    """A broker that lets nobody in by its listeners of `LISTENERS` without a user."""

    ports: dict[str, int] = field(default_factory=lambda: {n: free_port() for n in LISTENERS})
    authority: Authority = field(init=False)

    @property
    def credentials(self) -> Path:
        """Return the folder with a file of credentials for each user."""
        return self.directory / "credentials"

    def listener(self, name: str = CLIENT) -> str:
        """Return host:port of a listener."""
        return f"{LOOPBACK}:{self.ports[name]}"

    def settings(self, name: str = CLIENT) -> dict[str, object]:
        """Return what the app's configuration says to come by a listener."""
        security = {"protocol": SASL_SSL, "ca_file": str(self.authority.file)}
        return {"bootstrap_servers": [self.listener(name)], "kafka_security": security}

    def format(self, properties: str = "") -> None:
        """Make certificates and storage."""
        self.credentials.mkdir()
        self.authority = Authority(self.directory, "authority")
        stores = dict.fromkeys(LISTENERS, self.authority.key_store("good", LOOPBACK))
        stores[EXPIRED] = self.authority.key_store("expired", LOOPBACK, days=-1)
        stores[ELSEWHERE] = self.authority.key_store("elsewhere", "kafka.example", "192.0.2.1")
        stores[FOREIGN] = Authority(self.directory, "stranger").key_store("foreign", LOOPBACK)
        secure = PROPERTIES.format(
            listeners=",".join(f"{name}://{self.listener(name)}" for name in LISTENERS),
            protocols=",".join(f"{name}:{SASL_SSL}" for name in LISTENERS),
            port=self.port,
            controller=free_port(),
            reauthenticate=REAUTHENTICATE_MS,
        )
        each = "".join(LISTENER.format(name=n.lower(), store=s) for n, s in stores.items())
        super().format(secure + each + properties)

    def add_user(self, name: str) -> Path:
        """Make a user, or give it another password; return its credentials."""
        path = self.credentials / f"{name}.json"
        password = secrets.token_urlsafe(24)
        path.touch(mode=0o600)
        path.write_text(json.dumps({"username": name, "password": password}))
        mechanism = ScramMechanism[MECHANISM.replace("-", "_")]
        self._alter(UserScramCredentialUpsertion(name, mechanism, password.encode()))
        return path

    def remove_user(self, name: str) -> None:
        """Take a user's password away."""
        self._alter(UserScramCredentialDeletion(name, ScramMechanism[MECHANISM.replace("-", "_")]))

    def _alter(self, change: object) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        admin.alter_user_scram_credentials([change])
        admin.close()

    def allow(self, user: str, access: Iterable[Access]) -> None:
        """Let a user do something, beside what it may already."""
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        made = admin.create_acls(
            [
                ACL(
                    f"User:{user}",
                    "*",
                    ACLOperation[operation],
                    ACLPermissionType.ALLOW,
                    ResourcePattern(
                        ResourceType[line.kind], line.name, ACLResourcePatternType[line.pattern]
                    ),
                )
                for line in access
                for operation in line.operations
            ]
        )
        admin.close()
        assert not made["failed"]

    def forbid(self, user: str) -> None:
        """Take all from a user that it may do."""
        everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        admin.delete_acls(
            [ACLFilter(f"User:{user}", "*", ACLOperation.ANY, ACLPermissionType.ANY, everything)]
        )
        admin.close()

    def open_to(self, groups: dict[str, list[str]]) -> None:
        """Make the users of a pipeline where they are missing, and let them use its topics."""
        for user, access in users(groups).items():
            if not (self.credentials / f"{user}.json").exists():
                self.add_user(user)
            self.allow(user, access)
