"""What an agent costs the server that it watches, at a sample a second: CPU and memory.

By both clients, signed and not, beside each other, against a broker on loopback; and the cost of a
signature alone, made and checked.
"""

import os
import sys
import tempfile
import time
import timeit
from contextlib import ExitStack
from pathlib import Path

from server_monitoring.broker.limits import CLIENTS, CONFLUENT, KAFKA_PYTHON
from server_monitoring.model.signature import KEY_BYTES, check, sign

from tests.bench.measurement import Measurement
from tests.bench.processes import Watched, peak_mib
from tests.kafka.kafka_broker import Broker, create_topics, running_broker
from tests.support.app_settings import write_settings
from tests.support.project import PROJECT

COLUMNS = ("cpu_pct", "mem_pct", "net_in", "disk_io")
SETTLE_SECONDS = 10
MOST_PERCENT = {KAFKA_PYTHON: 1.5, CONFLUENT: 1.0}
MOST_MIB = 40.0
SIGNATURES = 100_000
VALUE = b'{"ts": "2024-06-01T12:00:00Z", "server_id": "bench", "disk_io": 1234.567}'


def start(broker: Broker, directory: Path, client: str, *, signing: bool) -> Watched:
    """Start an agent with psutil's samples, a sample a second."""
    directory.mkdir()
    topics = {column: f"{directory.name}-{column}" for column in COLUMNS}
    create_topics(broker.address, dict.fromkeys(topics.values(), 3))
    key = directory / "signing.key"
    key.touch(mode=0o600)
    key.write_text("5a" * KEY_BYTES)
    values = {
        "server_id": "bench",
        "kafka_client": client,
        **broker.settings(),
        "data_dir": str(directory / "data"),
        "topics": topics,
        "interval_seconds": 1,
        "signing": signing,
    }
    config = write_settings(directory / "agent.yml", values)
    command = [sys.executable, "-m", "server_monitoring", "agent", "--config", str(config)]
    kept = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    environment = kept | {"PYTHONPATH": str(PROJECT / "app" / "src")}
    return Watched([*command, "--signing-key", str(key)], environment)


def cpu_seconds(pid: int) -> float:
    """Return the time that a process has had of any core, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(seconds: float) -> list[Measurement]:
    """Run an agent of each kind beside each other for so long, and return what they took."""
    figures = _signatures()
    with ExitStack() as until:
        folder = Path(until.enter_context(tempfile.TemporaryDirectory()))
        (folder / "broker").mkdir()
        broker = until.enter_context(running_broker(Broker, folder / "broker"))
        agents = {}
        for client in CLIENTS:
            for signing in (False, True):
                name = f"{client}{', signed' if signing else ''}"
                directory = folder / name.replace(", ", "-")
                agents[name] = start(broker, directory, client, signing=signing)
                until.callback(agents[name].end)
        time.sleep(SETTLE_SECONDS)
        began = time.monotonic()
        before = {name: cpu_seconds(agent.pid) for name, agent in agents.items()}
        time.sleep(seconds)
        passed = time.monotonic() - began
        for name, agent in agents.items():
            percent = 100 * (cpu_seconds(agent.pid) - before[name]) / passed
            most = MOST_PERCENT[name.partition(",")[0]]
            what = f"Agent by {name}, a sample a second"
            figures += [
                Measurement(f"{what}: CPU", "% of a core", percent, None, most, at_most=True),
                Measurement(
                    f"{what}: memory", "MiB", peak_mib(agent.pid), None, MOST_MIB, at_most=True
                ),
            ]
    return figures


def _signatures() -> list[Measurement]:
    """Return what a signature costs, made and checked."""
    key = bytes(KEY_BYTES)
    headers = [("signature", sign(key, "topic-disk", b"bench", VALUE))]

    def checked() -> str:
        return check({"bench": key}, "bench", "topic-disk", b"bench", VALUE, headers)

    made = timeit.timeit(lambda: sign(key, "topic-disk", b"bench", VALUE), number=SIGNATURES)
    read = timeit.timeit(checked, number=SIGNATURES)
    return [
        Measurement(f"Signature {what}", "us", 1e6 * spent / SIGNATURES, None, None, at_most=True)
        for what, spent in (("made", made), ("checked", read))
    ]
