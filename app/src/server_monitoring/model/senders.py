"""Whose rows count live: those of the servers that are watched, and that these have signed."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from server_monitoring.model.signature import GOOD, check

UNLISTED, UNSIGNED = "unlisted", "unsigned"
WHY = {
    UNLISTED: "of a server that is not watched",
    UNSIGNED: "without a signature of the server that it names",
}


class Senders(NamedTuple):
    """The servers whose rows count.

    Attributes:
        servers: their ids; empty: any server.
        keys: by which they sign, by id; None: no signature is asked for.

    """

    servers: frozenset[str] = frozenset()
    keys: Mapping[str, bytes] | None = None

    @property
    def anyone(self) -> bool:
        """Whether every row counts."""
        return self.keys is None and not self.servers

    def lists(self, server_id: str) -> bool:
        """Return whether a server is watched."""
        return not self.servers or server_id in self.servers

    def refusal(
        self,
        topic: str,
        server_id: str,
        record_key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]],
    ) -> str | None:
        """Return why a record of `topic` that names `server_id` does not count; None if it does."""
        if not self.lists(server_id):
            return UNLISTED
        if self.keys is None:
            return None
        found = check(self.keys, server_id, topic, record_key, value, headers)
        return None if found == GOOD else UNSIGNED
