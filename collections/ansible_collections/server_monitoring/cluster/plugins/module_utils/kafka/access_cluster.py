"""Users and ACLs of a running Kafka cluster, by mutual TLS."""

from __future__ import annotations

from contextlib import contextmanager
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from .access_plan import MECHANISM, RETIRED, Acl, Plan, State, to_prove
from .admin import BrokerError, administrate, needs_app, read_stores, tls_context
from .quota_plan import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .quota_plan import Changes, Quotas

try:
    from kafka import errors
    from kafka.admin import (
        ACL,
        ACLFilter,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePattern,
        ResourcePatternFilter,
        ResourceType,
        UserScramCredentialUpsertion,
    )
    from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest
except ImportError:
    # A check of the declarations needs no client; a connection says that it is missing.
    errors = None

AT_ONCE = 500
"""Entries of a request, which the broker bounds (kafka_max_request_bytes)."""


class Cluster:
    """Users and ACLs of a running cluster, through kafka-python's admin client."""

    def __init__(
        self, servers: list[str], client_servers: list[str], properties: str, timeout: int
    ) -> None:
        """Connect by mutual TLS.

        Args:
            servers: of the listener with mutual TLS, as host:port.
            client_servers: of the listener for users.
            properties: file of Kafka's properties with the stores.
            timeout: seconds that each answer may take.

        Raises:
            BrokerError: no broker answers in time, or there is no client.

        """
        self._timeout = timeout
        self._client_servers = client_servers
        self._admin = administrate(servers, properties, timeout)
        self._trust = tls_context(read_stores(properties), with_key=False)

    def close(self) -> None:
        """End the connection."""
        self._admin.close()

    def state(self, passwords: dict[str, str], iterations: int) -> State:
        """Return all users and ACLs, and which of the passwords let their user in.

        Raises:
            BrokerError: the broker does not tell.

        """
        everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        with _one_line():
            # First: of who may not ask, this answer says so.
            acls, _ = self._admin.describe_acls(
                ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
            )
            answers = self._admin.describe_user_scram_credentials()
            quotas = self._quotas()
        users = {
            user: {
                found["mechanism"].name.replace("_", "-"): found["iterations"]
                for found in answer["credential_infos"]
            }
            for user, answer in answers.items()
        }
        state = State(users, frozenset(map(_plain, acls)), quotas=quotas)
        return state._replace(
            proven=[
                user
                for user in to_prove(passwords, state, iterations)
                if self._lets_in(user, passwords[user])
            ]
        )

    def _quotas(self) -> Quotas:
        answer = self._send(DescribeClientQuotasRequest(components=[], strict=False))
        if answer.error_code:
            message = f"quotas: refused by the broker: {answer.error_message}"
            raise BrokerError(message)
        return {
            tuple((part.entity_type, part.entity_name) for part in entry.entity): {
                value.key: value.value for value in entry.values
            }
            for entry in answer.entries or []
        }

    def _send(self, request: Any) -> Any:
        """Ask what the client has messages for, but no method."""
        manager = self._admin._manager  # noqa: SLF001 - see above
        return manager.run(manager.send, request)

    def _lets_in(self, user: str, password: str) -> bool:
        """Tell whether every broker takes this password."""
        with needs_app():
            from server_monitoring.broker.cluster import Credentials  # noqa: PLC0415
            from server_monitoring.broker.login import WRONG_PASSWORD, refusal  # noqa: PLC0415
        for server in self._client_servers:
            found: str | Exception | None
            try:
                found = refusal(server, self._trust, Credentials(user, password), self._timeout)
            except (OSError, ValueError) as error:
                found = error
            if found == WRONG_PASSWORD:
                return False
            if found is not None:
                message = f"{server}: no login as {user} could be tried: {found}"
                raise BrokerError(message)
        return True

    def apply(self, plan: Plan, passwords: dict[str, str], iterations: int) -> None:
        """Carry out a plan: what is new first, so that nobody is without access in between.

        Raises:
            BrokerError: naming the user or ACL and the broker's reason.

        """
        with _one_line():
            self._alter(
                UserScramCredentialUpsertion(user, MECHANISM, passwords[user], iterations)
                for user in plan.set_passwords
            )
            # Before rights: who has new ones has bounds by then.
            self._limit(plan.alter_quotas)
            self._create(plan.create_acls)
            self._delete(plan.delete_acls)
            # One request a mechanism, as the answers are by user.
            retired = plan.retire_credentials
            for mechanism in sorted({m for found in retired.values() for m in found}):
                self._alter(
                    UserScramCredentialUpsertion(user, mechanism, token_urlsafe(32), RETIRED)
                    for user, found in retired.items()
                    if mechanism in found
                )

    def _limit(self, quotas: Changes) -> None:
        for part in _parts(list(quotas.items())):
            request = AlterClientQuotasRequest(
                entries=[
                    (
                        entity,
                        [(key, value or 0.0, value is None) for key, value in wanted.items()],
                    )
                    for entity, wanted in part
                ],
                validate_only=False,
            )
            for answer in self._send(request).entries:
                if answer.error_code:
                    entity = tuple((e.entity_type, e.entity_name) for e in answer.entity)
                    message = f"quotas of {label(entity)}: refused: {answer.error_message}"
                    raise BrokerError(message)

    def _create(self, acls: list[Acl]) -> None:
        for part in _parts(acls):
            for refused in self._admin.create_acls(list(map(_kafka, part)))["failed"]:
                message = f"ACLs: refused by the broker: {refused.__name__}"
                raise BrokerError(message)

    def _delete(self, acls: list[Acl]) -> None:
        for part in _parts(acls):
            answers = self._admin.delete_acls([_kafka(acl, ACLFilter) for acl in part])
            for acl, (_, _, kind) in zip(part, answers, strict=True):
                if kind is not errors.NoError:
                    message = f"{acl.principal}: {acl}: refused by the broker: {kind.__name__}"
                    raise BrokerError(message)

    def _alter(self, changes: Iterable[Any]) -> None:
        for part in _parts(list(changes)):
            for user, reason in self._admin.alter_user_scram_credentials(part).items():
                if reason is not None:
                    message = f"user {user}: refused by the broker: {reason}"
                    raise BrokerError(message)


def _parts(whole: list[Any]) -> list[list[Any]]:
    """Return a list in parts that each fit into a request."""
    return [whole[first : first + AT_ONCE] for first in range(0, len(whole), AT_ONCE)]


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn the client's errors into one line."""
    try:
        yield
    except errors.KafkaError as error:
        message = f"the broker refused: {type(error).__name__}: {error}"
        raise BrokerError(message) from error


def _plain(acl: Any) -> Acl:
    pattern = acl.resource_pattern
    return Acl(
        acl.principal,
        pattern.resource_type.name,
        pattern.resource_name,
        pattern.pattern_type.name,
        acl.operation.name,
        acl.permission_type.name,
        acl.host,
    )


def _kafka(acl: Acl, of: Any = None) -> Any:
    """Return an ACL as kafka-python has it; `of` is the class, for a filter that it alone fits."""
    return (of or ACL)(
        acl.principal,
        acl.host,
        ACLOperation[acl.operation],
        ACLPermissionType[acl.permission],
        ResourcePattern(ResourceType[acl.resource], acl.name, ACLResourcePatternType[acl.pattern]),
    )
