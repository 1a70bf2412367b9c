"""Detection in real time, of servers that send a sample a second, both metrics of cpu_mem.

CPU and memory of the detector, how long after its window's end an alert can be read, and how many
rows a second it takes in, signed and not, before it computes windows.
"""

import json
import statistics
import tempfile
import threading
import time
import timeit
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer
from kafka import TopicPartition as ClientPartition
from kafka.consumer.fetcher import ConsumerRecord
from server_monitoring.broker.limits import CLIENTS
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.detect.rows import rows
from server_monitoring.model.live import WINDOW, utc_second, utc_text
from server_monitoring.model.senders import Senders
from server_monitoring.model.signature import KEY_BYTES, sign

from tests.bench.agent import cpu_seconds
from tests.bench.measurement import Measurement
from tests.bench.processes import peak_mib
from tests.kafka.kafka_broker import Broker, running_broker
from tests.kafka.live_rows import PARTITIONS, LiveMode, Sample, make_live

ROWS = 20_000
MOST_PERCENT, MOST_MIB = 10.0, 150.0
MEDIAN_SECONDS, LATE_SECONDS = 3.0, 5.0


def listen(live: LiveMode, waits: list[float], over: threading.Event) -> None:
    """Note how long after its window's end each alert comes to a reader of what is committed."""
    topic = live.live["alerts_topic"]
    reader = KafkaConsumer(
        bootstrap_servers=live.pipeline.broker.address, isolation_level="read_committed"
    )
    reader.assign([ClientPartition(topic, p) for p in range(PARTITIONS)])
    reader.seek_to_beginning()
    while not over.is_set():
        for records in reader.poll(timeout_ms=100).values():
            now = time.time()
            told = [json.loads(record.value) for record in records]
            waits += [now - utc_second(t["window_end"]) for t in told if t["kind"] == WINDOW]
    reader.close()


def measure(servers: int, seconds: int) -> list[Measurement]:
    """Return the figures of both clients, each on a broker of its own, for so many seconds."""
    figures = _taken_in()
    for client in CLIENTS:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "broker").mkdir()
            with running_broker(Broker, Path(name) / "broker") as broker:
                figures += _detection(broker, Path(name), client, servers, seconds)
    return figures


def _detection(
    broker: Broker, directory: Path, client: str, servers: int, seconds: int
) -> list[Measurement]:
    live = make_live(broker, directory, client)
    waits: list[float] = []
    over = threading.Event()
    listener = threading.Thread(target=listen, args=(live, waits, over))
    try:
        detector = live.start()
        threading.Thread(target=list, args=(detector.stderr,), daemon=True).start()
        listener.start()
        before, began = cpu_seconds(detector.pid), time.time()
        for second in range(int(began) + 1, int(began) + 1 + seconds):
            time.sleep(max(0.0, second - time.time()))
            # One server in ten is abnormal at a time.
            live.send(
                Sample(
                    f"server-{i}", second, "99.5" if (i + second // 60) % 10 == 0 else "7.25", "9.5"
                )
                for i in range(servers)
            )
        spent = time.time() - began
        used = cpu_seconds(detector.pid) - before
        memory = peak_mib(detector.pid)
        time.sleep(2)
    finally:
        over.set()
        listener.join()
        live.end()
    waits.sort()
    what = f"Detection of {servers} servers by {client}"
    found = {
        ("CPU", "% of a core"): (100 * used / spent, MOST_PERCENT),
        ("memory", "MiB"): (memory, MOST_MIB),
        ("alert after its window's end, median", "s"): (statistics.median(waits), MEDIAN_SECONDS),
        ("alert after its window's end, 99th percentile", "s"): (
            waits[int(len(waits) * 0.99)],
            LATE_SECONDS,
        ),
    }
    return [
        Measurement(f"{what}: {name}", unit, value, None, bar, at_most=True)
        for (name, unit), (value, bar) in found.items()
    ]


def _taken_in() -> list[Measurement]:
    """Return how many rows a second become rows of watched servers, with and without keys."""
    keys = {f"server-{n}": bytes([n % 256]) * KEY_BYTES for n in range(500)}
    tp = TopicPartition("topic-cpu", 0)
    records = [_record(tp, n, f"server-{n % 500}", keys) for n in range(ROWS)]
    rates = {}
    for way, senders in (("any", Senders()), ("signed", Senders(keys=keys))):
        spent = min(timeit.repeat(partial(_take, records, tp, senders), number=1, repeat=5))
        rates[way] = ROWS / spent
    names = {"any": "Rows taken in", "signed": "Rows taken in, signatures checked"}
    return [
        Measurement(names["any"], "rows/s", rates["any"], None, None, at_most=False),
        Measurement(names["signed"], "rows/s", rates["signed"], names["any"], None, at_most=False),
    ]


def _take(records: list[Any], tp: TopicPartition, senders: Senders) -> None:
    rows(records, "cpu_pct", tp, 1, senders, Counter())


def _record(tp: TopicPartition, number: int, server: str, keys: dict[str, bytes]) -> Any:
    value = b'{"ts": "%b", "server_id": "%b", "cpu_pct": %d.25}' % (
        utc_text(1_790_000_000 + number // 500).encode(),
        server.encode(),
        number % 100,
    )
    mark = sign(keys[server], tp.topic, server.encode(), value)
    headers = [("run_id", b"live"), ("row", b"1"), ("signature", mark)]
    size = len(value)
    return ConsumerRecord(*tp, 0, number, 0, 0, server.encode(), value, headers, None, 1, size, 10)
