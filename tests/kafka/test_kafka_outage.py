"""A broker that dies in mid-run and comes back: what ends, what is kept, and what goes on."""

import json
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from server_monitoring.broker.limits import CLIENTS

from tests.kafka.kafka_broker import PATIENCE, Broker, make_pipeline
from tests.kafka.kafka_runs import (
    consumer,
    finish,
    publish_end,
    running,
    stored,
    topics,
    write_dataset,
)
from tests.support.app_settings import write_settings

ROWS, RATE = 6_000, 200
BROKER_TIMEOUT = 15  # the least that may be set
AT_MOST_SECONDS = 30


class Run:
    """A run by one client: a producer, and a consumer of each group."""

    def __init__(self, broker: Broker, directory: Path, client: str, until: ExitStack) -> None:
        """Start the consumers."""
        directory.mkdir()
        self.pipeline = make_pipeline(broker, directory, 3, client)
        self.pipeline.values["broker_timeout"] = BROKER_TIMEOUT
        write_settings(self.pipeline.config, self.pipeline.values)
        self.rows = write_dataset(directory / "m.csv", ROWS)
        self.produce = ["produce", "--run-id", "r1", "--dataset", str(directory / "m.csv")]
        self.leaving = until.enter_context(consumer(self.pipeline, "r1", "cpu_mem"))
        self.staying = until.enter_context(consumer(self.pipeline, "r1", "net_disk"))

    def send(self, until: ExitStack) -> None:
        """Start the producer, and wait until rows are sent."""
        sending = running(self.pipeline, "ready: ", *self.produce, "--rate", str(RATE))
        self.producer = until.enter_context(sending)
        assert self.producer.stderr is not None
        while not self.producer.stderr.readline().startswith("sent "):
            pass

    def check_producer_gave_up(self) -> None:
        """Say that nobody answers, in one line, and end with the status of that."""
        _, err = self.producer.communicate(timeout=PATIENCE)
        assert self.producer.returncode == 8, err
        address = self.pipeline.broker.address
        last = err.splitlines()[-1]
        assert last.startswith(f"server-monitoring: error: broker {address}: no answer")
        assert "Traceback" not in err

    def check_stopped_consumer_keeps_what_it_stored(self) -> None:
        """Also while there is no broker, by SIGTERM: segments are what their sidecars say."""
        self.leaving.send_signal(signal.SIGTERM)
        finish(self.leaving)
        segments = list((self.pipeline.run_directory("r1") / "raw").glob("*/*.csv"))
        assert segments
        for path in segments:
            sidecar = json.loads(path.with_suffix(".json").read_text())
            if "mem" in path.parent.name or "cpu" in path.parent.name:
                assert path.stat().st_size == sidecar["bytes"]

    def check_rest_arrives(self) -> None:
        """Send what is missing; the consumer that stayed stores all of it."""
        done = self.pipeline.run(*self.produce)
        assert done.returncode == 0, done.stderr
        summary = json.loads((self.pipeline.run_directory("r1") / "produce.json").read_text())
        assert min(summary["sent_before"].values()) > 0
        publish_end(self.pipeline, "r1")
        finish(self.staying)
        for topic, place in list(topics(self.pipeline).items())[2:]:
            wanted = sorted([row[0], row[1], row[place]] for row in self.rows)
            assert sorted(stored(self.pipeline, "r1", topic)) == wanted


def test_a_broker_that_dies_ends_the_producer_alone_and_the_run_goes_on_when_it_is_back(
    mortal: Broker, tmp_path: Path
) -> None:
    """With both clients at once: the producer within broker_timeout, the consumers never."""
    with ExitStack() as until:
        runs = [Run(mortal, tmp_path / client, client, until) for client in CLIENTS]
        for run in runs:
            run.send(until)
        mortal.stop(hard=True)
        died = time.monotonic()
        for run in runs:
            run.check_producer_gave_up()
        assert time.monotonic() - died < AT_MOST_SECONDS
        for run in runs:
            run.check_stopped_consumer_keeps_what_it_stored()
            assert run.staying.poll() is None
        mortal.start()
        for run in runs:
            run.check_rest_arrives()
