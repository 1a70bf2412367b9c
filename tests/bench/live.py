#!/usr/bin/env python3
"""Measure detection in real time: 500 servers, a sample a second, both metrics of cpu_mem.

Prints CPU (of one core), memory, and how long after its window's end an alert can be read.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from server_monitoring.broker.limits import CLIENTS
from server_monitoring.model.live import WINDOW, utc_second

from tests.kafka.kafka_broker import Broker, running_broker
from tests.kafka.live_rows import PARTITIONS, LiveMode, Sample, make_live

SERVERS = 500


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Return the most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def listen(live: LiveMode, waits: list[float], over: threading.Event) -> None:
    """Note how long after its window's end each alert comes to a reader of what is committed."""
    topic = live.live["alerts_topic"]
    reader = KafkaConsumer(
        bootstrap_servers=live.pipeline.broker.address, isolation_level="read_committed"
    )
    reader.assign([TopicPartition(topic, p) for p in range(PARTITIONS)])
    reader.seek_to_beginning()
    while not over.is_set():
        for records in reader.poll(timeout_ms=100).values():
            now = time.time()
            told = [json.loads(record.value) for record in records]
            waits += [now - utc_second(t["window_end"]) for t in told if t["kind"] == WINDOW]
    reader.close()


def measure(broker: Broker, directory: Path, client: str, seconds: int) -> str:
    """Return the figures of one client."""
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
                for i in range(SERVERS)
            )
        spent = time.time() - began
        used = cpu_seconds(detector.pid) - before
        memory = resident_mib(detector.pid)
        time.sleep(2)
    finally:
        over.set()
        listener.join()
        live.end()
    waits.sort()
    return (
        f"{client}: {100 * used / spent:.1f} % of a core, {memory:.0f} MiB, {len(waits)} alerts, "
        f"after their window's end: median {statistics.median(waits):.2f} s, "
        f"p99 {waits[int(len(waits) * 0.99)]:.2f} s, load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Measure the clients, on a broker of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", choices=CLIENTS, action="append")
    parser.add_argument("--seconds", type=int, default=120)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for client in args.client or CLIENTS:
            directory = Path(name) / client
            (directory / "broker").mkdir(parents=True)
            with running_broker(Broker, directory / "broker") as broker:
                sys.stdout.write(measure(broker, directory, client, args.seconds) + "\n")


if __name__ == "__main__":
    main()
