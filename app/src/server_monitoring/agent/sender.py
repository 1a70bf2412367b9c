"""From the spool to the topics, for as long as the agent runs, with or without a broker."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

from server_monitoring.agent.config import AgentConfig
from server_monitoring.agent.row import COLUMNS, Row
from server_monitoring.agent.spool import Chunk, Spool
from server_monitoring.broker.client import Client, Future, Producer, client_for
from server_monitoring.broker.failures import check_connection, in_mid_run
from server_monitoring.broker.limits import DOUBT_SECONDS
from server_monitoring.errors import BrokerError, CredentialsError, printable
from server_monitoring.host.notify import sd_notify
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.signature import SIGNATURE_HEADER, sign
from server_monitoring.model.wire import ROW_HEADER, RUN_ID_HEADER, encode_value, partition_for

ROWS_PER_CHUNK = 500
# A record that was given to the client stays with it, in order, however long no broker answers.
_PATIENCE_SECONDS = 7 * 86_400
# So soon does it hear that the agent ends.
_IDLE_SECONDS = 1.0
_LONGEST_PAUSE = 30.0
# So often does it look whether the topics have grown: a server's partition is another one then.
LOOK_SECONDS = 300.0
_CONNECTED = "connected"


class Sender:
    """Sends rows in their order by one idempotent producer, chunk by chunk.

    Guarantee: a chunk is acknowledged to the spool once each topic has all of its rows; it is sent
    again, and nothing behind it, until then.
    """

    def __init__(
        self,
        config: AgentConfig,
        spool: Spool,
        key: bytes | None,
        tell: Callable[[str], object],
        least_pause: float = 1.0,
    ) -> None:
        """Send what `spool` has; `tell` of brokers that refuse or do not answer, and of their end.

        Args:
            config: brokers and topics.
            spool: where rows come from.
            key: to sign with, or None.
            tell: told each new reason to wait, once.
            least_pause: seconds before the second attempt to connect; each pause doubles.

        """
        self._config = config
        self._spool = spool
        self._key = key
        self._tell = tell
        self._least_pause = self._pause = least_pause
        self._client: Client = client_for(config.kafka_client)
        self._stopping = threading.Event()
        self._chunk: Chunk | None = None
        self._let_in = False
        self.state = "connecting"
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        """Send in a thread of its own."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Send what is left, for at most `timeout` seconds."""
        self._stopping.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._send_until_stopped()
        except BaseException as error:  # noqa: BLE001 - the agent's other thread raises it
            self.failure = error

    def _send_until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._mid_run():
                    self._send_by_one_producer()
            except CredentialsError:
                raise
            except BrokerError as error:
                self._say(f"waiting for the broker: {error}")
                self._stopping.wait(self._pause)
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _mid_run(self) -> AbstractContextManager[None]:
        """Take the refusal of a user who was let in for a new password, which a new start has."""
        return in_mid_run() if self._let_in else nullcontext()

    def _send_by_one_producer(self) -> None:
        cluster = self._config.cluster
        partitions = self._partitions()
        with self._client.open_producer(cluster, _PATIENCE_SECONDS) as producer:
            self._let_in = True
            look = time.monotonic() + LOOK_SECONDS
            while True:
                if time.monotonic() >= look:
                    if self._partitions() != partitions:
                        return  # all that was sent is acknowledged: the order stays
                    look = time.monotonic() + LOOK_SECONDS
                self._chunk = self._chunk or self._spool.unsent(ROWS_PER_CHUNK)
                if self._chunk is not None:
                    self._deliver(producer, partitions, self._chunk)
                    self._spool.acknowledge(self._chunk)
                    self._chunk = None
                elif self._stopping.is_set():
                    return
                else:
                    self._spool.wait(_IDLE_SECONDS)

    def _partitions(self) -> list[int]:
        """Return how many partitions each topic has."""
        with self._client.open_reader(self._config.cluster) as reader:
            return [reader.partitions(topic) for topic in self._config.topics]

    def _deliver(self, producer: Producer, partitions: list[int], chunk: Chunk) -> None:
        """Send a chunk, and wait until each topic has it."""
        topics = ", ".join(self._config.topics)
        with self._client.translated(
            self._config.cluster, f"sending to {topics}", f"Write on topic {topics}"
        ):
            pending = [
                future for row in chunk.rows for future in self._send(producer, partitions, row)
            ]
            for future in pending:
                self._await(future)
        self._pause = self._least_pause
        self._say(_CONNECTED)

    def _send(self, producer: Producer, partitions: list[int], row: Row) -> list[Future]:
        quoted, record_key = json.dumps(row.server_id), row.server_id.encode()
        headers = [(RUN_ID_HEADER, LIVE_RUN.encode()), (ROW_HEADER, b"%d" % row.second)]
        sent = []
        for topic, column, value, count in zip(
            self._config.topics, COLUMNS, row.values, partitions, strict=True
        ):
            body = encode_value(row.ts, quoted, column, value)
            more = []
            if self._key is not None:
                more = [(SIGNATURE_HEADER, sign(self._key, topic, record_key, body))]
            partition = partition_for(row.server_id, count)
            sent.append(producer.send(topic, body, record_key, headers + more, partition))
        return sent

    def _await(self, future: Future) -> None:
        """Wait until a record is decided; ask ever more rarely whether this host is refused."""
        pause: float = DOUBT_SECONDS
        while not future.is_done or future.failed():
            try:
                future.get(timeout=pause)
            except self._client.TIMEOUT:
                if future.is_done:
                    raise
                self._say("waiting for the broker: no acknowledgement")
                check_connection(self._config.cluster)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _say(self, state: str) -> None:
        if state != self.state:
            # Whoever has started it waits for this.
            with suppress(OSError):
                sd_notify(f"STATUS={printable(state)}")
            if (state, self.state) != (_CONNECTED, "connecting"):
                self._tell(state)
        self.state = state
