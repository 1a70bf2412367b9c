"""A batch that decompresses to far more than it is: one line, and memory that stays small."""

import os
import subprocess
import sys
import uuid

import confluent_kafka
import pytest
from server_monitoring.broker.limits import CONFLUENT, KAFKA_PYTHON

from tests.kafka.kafka_broker import Broker, create_topics
from tests.support.project import PROJECT

# Of zeros, it is a batch below the limit of 1 MiB with each codec.
LARGE = 240 * 1024 * 1024
READ = """
import sys
from server_monitoring.broker.client import client_for
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.errors import BrokerError
client, server, topic = sys.argv[1:]
tp = TopicPartition(topic, 0)
with client_for(client).open_reader(Cluster((server,))) as reader:
    try:
        reader.start({tp: 0})
        for _ in range(100):
            reader.poll(200, 1000)
    except BrokerError as error:
        print(error)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.parametrize(
    ("client", "codec"),
    [
        (KAFKA_PYTHON, "zstd"),
        (CONFLUENT, "zstd"),
        # librdkafka has no such limit for other codecs: there the unit's memory limit ends it.
        pytest.param(KAFKA_PYTHON, "gzip", marks=pytest.mark.long),
        pytest.param(KAFKA_PYTHON, "lz4", marks=pytest.mark.long),
    ],
)
def test_a_batch_that_grows_too_large_is_refused_by_its_place(
    broker: Broker, client: str, codec: str
) -> None:
    """Topic, partition and offset; a reader that took it whole would need 240 MiB and more."""
    topic = f"grows-{uuid.uuid4().hex[:8]}"
    create_topics(broker.address, {topic: 1})
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": broker.address,
            "compression.type": codec,
            "message.max.bytes": 2 * LARGE,
            "batch.size": 2 * LARGE,
            "queue.buffering.max.kbytes": 2 * LARGE // 1024,
        }
    )
    producer.produce(topic, b"first", partition=0)
    assert producer.flush(60) == 0
    producer.produce(topic, bytes(LARGE), partition=0)
    assert producer.flush(60) == 0
    done = subprocess.run(
        [sys.executable, "-c", READ, client, broker.address, topic],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "app" / "src")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    said, memory = done.stdout.splitlines()
    assert said.startswith(f"topic {topic}: partition 0: the batch at offset 1 needs more than 16")
    assert int(memory) < 200 * 1024
