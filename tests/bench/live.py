#!/usr/bin/env python3
"""Measure detection in real time: 500 servers, a sample a second, both metrics of cpu_mem.

Prints CPU (of one core), memory, and how long after its window's end an alert can be read. With
`--agents` servers are few, but agents watch them, at their default interval of ten seconds.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from server_monitoring.agent.config import INTERVAL_SECONDS
from server_monitoring.agent.row import COLUMNS
from server_monitoring.broker.limits import CLIENTS
from server_monitoring.model.live import WINDOW, utc_second

from tests.bench.processes import peak_mib
from tests.kafka.kafka_broker import Broker, running_broker
from tests.kafka.live_rows import PARTITIONS, Sample, make_live
from tests.live.site import make_site

SERVERS, AGENTS = 500, 5


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listen(address: str, topic: str, waits: list[float], over: threading.Event) -> None:
    """Note how long after its window's end each alert comes to a reader of what is committed."""
    reader = KafkaConsumer(bootstrap_servers=address, isolation_level="read_committed")
    reader.assign([TopicPartition(topic, p) for p in range(PARTITIONS)])
    reader.seek_to_beginning()
    while not over.is_set():
        for records in reader.poll(timeout_ms=100).values():
            now = time.time()
            told = [json.loads(record.value) for record in records]
            waits += [now - utc_second(t["window_end"]) for t in told if t["kind"] == WINDOW]
    reader.close()


@contextmanager
def listening(address: str, topic: str) -> Iterator[list[float]]:
    """Return a list that fills with seconds, each from a window's end to its alert."""
    waits: list[float] = []
    over = threading.Event()
    listener = threading.Thread(target=listen, args=(address, topic, waits, over))
    listener.start()
    try:
        yield waits
    finally:
        over.set()
        listener.join()


def delays(waits: list[float]) -> str:
    """Return the figures of such seconds."""
    waits = sorted(waits)
    return (
        f"{len(waits)} alerts, after their window's end: median {statistics.median(waits):.2f} s, "
        f"p99 {waits[int(len(waits) * 0.99)]:.2f} s, load {os.getloadavg()[0]:.1f}"
    )


def measure(broker: Broker, directory: Path, client: str, seconds: int) -> str:
    """Return the figures of one client with many servers."""
    live = make_live(broker, directory, client)
    try:
        detector = live.start()
        threading.Thread(target=list, args=(detector.stderr,), daemon=True).start()
        with listening(broker.address, live.live["alerts_topic"]) as waits:
            before, began = cpu_seconds(detector.pid), time.time()
            for second in range(int(began) + 1, int(began) + 1 + seconds):
                time.sleep(max(0.0, second - time.time()))
                # One server in ten is abnormal at a time.
                abnormal = range(second // 60 % 10, SERVERS, 10)
                live.send(
                    Sample(f"server-{i}", second, "99.5" if i in abnormal else "7.25", "9.5")
                    for i in range(SERVERS)
                )
            spent = time.time() - began
            used = cpu_seconds(detector.pid) - before
            memory = peak_mib(detector.pid)
            time.sleep(2)
    finally:
        live.end()
    share = 100 * used / spent
    return f"{client}: {share:.1f} % of a core, {memory:.0f} MiB, {delays(waits)}"


def measure_agents(broker: Broker, directory: Path, client: str, seconds: int) -> str:
    """Return the figures of one client with agents at their default interval."""
    names = [f"server-{i}" for i in range(AGENTS)]
    agent = {"interval_seconds": INTERVAL_SECONDS}
    site = make_site([broker.address], directory / "site", names, [client] * 2, agent)
    for one in site.agents.values():
        one.drive([99.5] * len(COLUMNS))
    try:
        site.start()
        with listening(broker.address, site.told.alerts_topic) as waits:
            time.sleep(seconds)
    finally:
        site.end()
    return f"{client}, {AGENTS} agents at {INTERVAL_SECONDS} s: {delays(waits)}"


def main() -> None:
    """Measure the clients, on a broker of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", choices=CLIENTS, action="append")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--agents", action="store_true", help="agents, instead of many servers")
    args = parser.parse_args()
    figures = measure_agents if args.agents else measure
    with tempfile.TemporaryDirectory() as name:
        for client in args.client or CLIENTS:
            directory = Path(name) / client
            (directory / "broker").mkdir(parents=True)
            with running_broker(Broker, directory / "broker") as broker:
                sys.stdout.write(figures(broker, directory, client, args.seconds) + "\n")


if __name__ == "__main__":
    main()
