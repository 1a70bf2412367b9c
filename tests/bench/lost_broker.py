"""The longest wait for an acknowledgement when one of three brokers is lost.

Of one that is killed the host still refuses connections; one that is stopped answers nothing at
all, as if its host had lost its power.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from server_monitoring.broker.client import Future, client_for
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CLIENTS

from tests.bench.copies import open_cluster
from tests.bench.lab import PARTITIONS, Lab
from tests.bench.measurement import Measurement
from tests.kafka.kafka_cluster import KafkaCluster

KILLED_BAR, SILENT_BAR = 20.0, 15.0
_WARM_SECONDS, _WATCHED_SECONDS, _LOOK_SECONDS = 4.0, 30.0, 0.01
_PATIENCE = 90.0
_LOST = 2


def measure(lab: Lab) -> list[Measurement]:
    """Return how long each client waits when a broker is killed, and when it falls silent."""
    with open_cluster(lab, 3) as cluster:
        killed = _waits(cluster, "killed", lambda: cluster.kill(_LOST))
        cluster.start(_LOST)
        cluster.wait_for_all()
        silent = _waits(cluster, "silent", lambda: _silence(cluster))
    return [
        Measurement(f"{client} {what}", "s", waits[client], None, bar, at_most=True)
        for client in CLIENTS
        for what, bar, waits in (
            ("one broker of three killed, longest wait", KILLED_BAR, killed),
            ("one broker of three silent, longest wait", SILENT_BAR, silent),
        )
    ]


def _silence(cluster: KafkaCluster) -> None:
    process = cluster.members[_LOST].process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)


def _waits(cluster: KafkaCluster, topic: str, lose: Callable[[], None]) -> dict[str, float]:
    """Lose a broker while all clients send; return the longest wait of each, in seconds.

    The topic is a new one, so that each broker leads a partition.
    """
    cluster.create_topic(topic, PARTITIONS, 3)
    end = time.monotonic() + _WARM_SECONDS + _WATCHED_SECONDS
    with ThreadPoolExecutor() as pool:
        waits = {
            client: pool.submit(_longest_wait, client, cluster, topic, end) for client in CLIENTS
        }
        time.sleep(_WARM_SECONDS)
        lose()
        return {client: wait.result() for client, wait in waits.items()}


def _longest_wait(name: str, brokers: KafkaCluster, topic: str, end: float) -> float:
    """Send to all partitions in turns until `end`; a record that fails is an error."""
    client, longest, number = client_for(name), 0.0, 0
    under_way: deque[tuple[float, Future]] = deque()
    with client.open_producer(Cluster(tuple(brokers.bootstrap)), _PATIENCE) as producer:
        while time.monotonic() < end:
            sent = producer.send(topic, b"1", None, [], number % PARTITIONS)
            under_way.append((time.monotonic(), sent))
            number += 1
            try:
                under_way[0][1].get(_LOOK_SECONDS)
            except client.TIMEOUT:
                continue
            while under_way and under_way[0][1].is_done:
                longest = max(longest, time.monotonic() - under_way.popleft()[0])
        producer.flush(_PATIENCE)
    return longest
