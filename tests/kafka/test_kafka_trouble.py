"""What is said and done when a broker, a topic or an offset is not there, and by the probe."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from server_monitoring.broker.limits import CLIENTS

from tests.kafka.kafka_broker import PATIENCE, Broker, Pipeline, create_topics, free_port
from tests.kafka.kafka_runs import (
    by_turns,
    consumer,
    finish,
    publish_end,
    stored,
    topics,
    write_dataset,
)
from tests.support.app_settings import settings, write_settings


@by_turns("command", "produce", "consume")
def test_a_missing_topic_is_named_and_not_waited_for(
    broker: Broker, pipeline: Pipeline, tmp_path: Path, command: str
) -> None:
    """With the broker that was asked; the topic is not created by asking.

    To wait for it as for a broker that is away would take longer than a command may here.
    """
    pipeline.values["broker_timeout"] = 2 * PATIENCE
    write_dataset(tmp_path / "m.csv", 10)
    pipeline.values["groups"]["cpu_mem"]["metrics"][1]["topic"] = "topic-absent"
    write_settings(pipeline.config, pipeline.values)
    own = {"produce": ["--dataset", str(tmp_path / "m.csv")], "consume": ["--group", "cpu_mem"]}
    done = pipeline.run(command, "--run-id", "r1", *own[command])
    assert done.returncode == 5
    assert done.stderr == (
        f"server-monitoring: error: topic topic-absent: not found on broker {broker.address}; "
        "create it by provisioning (kafka_topics)\n"
    )
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    assert "topic-absent" not in admin.list_topics()
    admin.close()


def test_a_broker_that_is_down_is_named_and_not_waited_for(tmp_path: Path) -> None:
    """Nothing listens there; no traceback, no hanging. All commands wait at the same time."""
    write_dataset(tmp_path / "m.csv", 10)
    nobody = Broker(Path(), tmp_path, free_port())
    commands = [
        ["produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv")],
        ["consume", "--run-id", "r1", "--group", "cpu_mem"],
        ["probe"],
    ]
    tried = []
    for client in CLIENTS:
        data = tmp_path / client
        values = settings(data, (nobody.address,)) | {"kafka_client": client, "broker_timeout": 15}
        down = Pipeline(nobody, write_settings(tmp_path / f"{client}.yml", values), values, data)
        tried += [(down, command) for command in commands]
    with ThreadPoolExecutor(len(tried)) as pool:
        ended = list(pool.map(lambda each: each[0].run(*each[1]), tried))
    for done in ended:
        assert done.returncode == 8
        *waited, last = done.stderr.splitlines()
        assert last.startswith(f"server-monitoring: error: broker {nobody.address}: no answer")
        assert all(line.startswith("waiting for the broker, at most ") for line in waited)


def test_probe_names_a_missing_topic(pipeline: Pipeline) -> None:
    """A broker without the run's topics is not fit for a run."""
    pipeline.values["groups"]["net_disk"]["metrics"][1]["topic"] = "topic-absent"
    write_settings(pipeline.config, pipeline.values)
    done = pipeline.run("probe")
    assert done.returncode == 5
    assert f"topic topic-absent: not found on broker {pipeline.broker.address}" in done.stderr
    assert done.stderr.count("\n") == 1


@by_turns("command", ["consume", "--run-id", "r1", "--group", "cpu_mem"], ["probe"])
def test_topics_with_different_partitions_are_refused(
    pipeline: Pipeline, command: list[str]
) -> None:
    """A server's two metrics would not meet on one host."""
    metrics = pipeline.values["groups"]["cpu_mem"]["metrics"]
    metrics[1]["topic"] += "-x"
    create_topics(pipeline.broker.address, {metrics[1]["topic"]: 2})
    write_settings(pipeline.config, pipeline.values)
    done = pipeline.run(*command)
    assert done.returncode == 5
    assert f"{metrics[0]['topic']} has 3, {metrics[1]['topic']} has 2 partitions" in done.stderr


def test_offsets_that_the_broker_no_longer_has_are_an_error_not_a_gap(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Records deleted before they were read: the run cannot be completed."""
    write_dataset(tmp_path / "m.csv", 100)
    with consumer(pipeline, "r1", "cpu_mem") as process:
        process.send_signal(signal.SIGTERM)
        finish(process)
    pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
    ends = publish_end(pipeline, "r1")
    topic = next(iter(topics(pipeline)))
    partition = max(ends[topic], key=lambda p: ends[topic][p])
    admin = KafkaAdminClient(bootstrap_servers=pipeline.broker.address)
    admin.delete_records({TopicPartition(topic, int(partition)): ends[topic][partition]})
    admin.close()
    done = pipeline.run("consume", "--run-id", "r1", "--group", "cpu_mem")
    assert done.returncode == 5
    assert "no longer on the broker" in done.stderr
    assert len(stored(pipeline, "r1", topic)) == 0


def test_probe_answers_twice_and_makes_its_topic_once(pipeline: Pipeline) -> None:
    """One line with topic, offset and time."""
    first = pipeline.run("probe")
    second = pipeline.run("probe", "--bootstrap-servers", pipeline.broker.address)
    for done in (first, second):
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"broker {pipeline.broker.address} answers: topic server-mon")
        assert done.stdout.count("\n") == 1
    offsets = [int(d.stdout.split("offset ")[1].split(",")[0]) for d in (first, second)]
    assert offsets[1] == offsets[0] + 1
