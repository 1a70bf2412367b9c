"""A producer that is started again, refused, or the second of its run."""

import json
import time
from pathlib import Path

from kafka import TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)

from tests.kafka.kafka_broker import PATIENCE, Pipeline, create_topics
from tests.kafka.kafka_runs import (
    BY_ONE_CLIENT,
    HEADER,
    by_turns,
    end_offsets,
    producer,
    topics,
    write_dataset,
)
from tests.support.app_settings import write_settings


@BY_ONE_CLIENT
def test_a_run_that_was_sent_is_not_sent_again(pipeline: Pipeline, tmp_path: Path) -> None:
    """Nothing is left to do, and the summary stays as it is."""
    write_dataset(tmp_path / "m.csv", 10)
    argv = ["produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv")]
    assert pipeline.run(*argv).returncode == 0
    summary = pipeline.run_directory("r1") / "produce.json"
    before = (end_offsets(pipeline), summary.read_bytes())
    again = pipeline.run(*argv)
    assert (again.returncode, again.stderr) == (
        0,
        "ready: run r1 was sent before, whole; nothing to do\n",
    )
    assert (end_offsets(pipeline), summary.read_bytes()) == before


def test_a_producer_that_lost_its_summary_finds_everything_there(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """As if it was killed between the last acknowledgement and the summary."""
    write_dataset(tmp_path / "m.csv", 3_000)
    argv = ["produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv")]
    assert pipeline.run(*argv).returncode == 0
    summary = pipeline.run_directory("r1") / "produce.json"
    first = json.loads(summary.read_text())
    summary.unlink()
    again = pipeline.run(*argv)
    assert again.returncode == 0, again.stderr
    second = json.loads(summary.read_text())
    for key in ("rows", "end_offsets", "dataset"):
        assert second[key] == first[key]
    assert set(first["sent_before"].values()) == {0}
    assert second["sent_before"] == first["rows"]
    assert set(second["messages_per_second"].values()) == {0.0}
    assert again.stderr.endswith("sent 3000 of 3000 rows (12000 messages, 0/s)\n")


@BY_ONE_CLIENT
def test_a_killed_producer_does_not_read_the_data_set_from_its_beginning_to_check_it(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """It takes the first start's word: here a wrong one, which only the end of the file tells."""
    path = tmp_path / "m.csv"
    write_dataset(path, 3_000)
    argv = ["produce", "--run-id", "r1", "--dataset", str(path)]
    assert pipeline.run(*argv).returncode == 0
    (pipeline.run_directory("r1") / "produce.json").unlink()
    checked = pipeline.run_directory("r1") / "produce.checked"
    checked.write_text(checked.read_text().replace('"rows": 3000', '"rows": 2999'))
    done = pipeline.run(*argv)
    assert done.returncode == 4
    assert "found 3000 good and 0 bad rows, expected 2999 and 0" in done.stderr


@BY_ONE_CLIENT
def test_a_data_set_that_changed_between_two_starts_is_refused(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Row numbers would mean other rows; what is in the topics stays as it is."""
    path = tmp_path / "m.csv"
    write_dataset(path, 30_000)
    with producer(pipeline, "r1", path) as process:
        time.sleep(0.5)
        process.kill()
    ends = end_offsets(pipeline)
    with path.open("a") as file:
        file.write("20:52:00,late,1,2,3,4\n")
    done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(path))
    assert done.returncode == 4
    assert f"{path}: found sha256 " in done.stderr
    assert "the data set changed; restore it, or start a new run" in done.stderr
    assert done.stderr.count("\n") == 1
    assert end_offsets(pipeline) == ends


@BY_ONE_CLIENT
def test_a_second_producer_of_the_same_run_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    """The first one goes on to its end."""
    write_dataset(tmp_path / "m.csv", 20_000)
    with producer(pipeline, "r1", tmp_path / "m.csv") as process:
        done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        assert done.returncode == 6
        assert "another process sends run r1; wait for its end or stop it first" in done.stderr
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
    assert sum(end_offsets(pipeline).values()) == 4 * 20_000


def test_a_refused_record_stops_the_producer_and_names_its_line(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Here a topic that takes no record as large as line 3's."""
    metric = pipeline.values["groups"]["net_disk"]["metrics"][0]
    metric["topic"] += "-small"
    create_topics(pipeline.broker.address, {metric["topic"]: 3}, **{"max.message.bytes": "400"})
    write_settings(pipeline.config, pipeline.values)
    path = tmp_path / "m.csv"
    path.write_text(f"{HEADER}\n20:52:00,a,1,2,3,4\n20:52:00,{'b' * 255},1,2,3,4\n")
    for _ in range(2):  # starting again does not help, and is not tried by systemd
        done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(path))
        assert done.returncode == 5
        error = done.stderr.splitlines()[-1]
        assert f"topic {metric['topic']}: the record of line 3 was not accepted" in error
        assert not (pipeline.run_directory("r1") / "produce.json").exists()


@by_turns("place", 0, 3)
def test_a_topic_that_may_not_be_written_is_named_with_the_first_line(
    pipeline: Pipeline, tmp_path: Path, place: int
) -> None:
    """The broker's own word, not a time-out."""
    topic = list(topics(pipeline))[place]
    admin = KafkaAdminClient(bootstrap_servers=pipeline.broker.address)
    resource = ResourcePattern(ResourceType.TOPIC, topic)
    for operation, permission in (
        (ACLOperation.ALL, ACLPermissionType.ALLOW),
        (ACLOperation.WRITE, ACLPermissionType.DENY),
    ):
        admin.create_acls([ACL("User:ANONYMOUS", "*", operation, permission, resource)])
    admin.close()
    write_dataset(tmp_path / "m.csv", 10)
    done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
    assert done.returncode == 5
    error = done.stderr.splitlines()[-1]
    assert f"user 'ANONYMOUS' is not authorized: Write on topic {topic}" in error
    assert f"sending line 2 to topic {topic}" in error


def test_a_gap_that_a_refused_record_left_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    """Rows behind it are there: sent now it would count as sent twice."""
    topic = next(iter(topics(pipeline)))
    path = tmp_path / "m.csv"
    path.write_text(f"{HEADER}\n" + "".join(f"20:52:{i:02d},a,{i},2,3,4\n" for i in range(10, 20)))
    with producer(pipeline, "r1", path) as process:
        process.communicate(timeout=PATIENCE)
    directory = pipeline.run_directory("r1")
    (directory / "produce.json").unlink()
    # A slow machine notes how far it is: what is deleted before that is no gap.
    (directory / "produce.progress").unlink(missing_ok=True)
    ends = end_offsets(pipeline)
    partition = next(tp.partition for tp, end in ends.items() if tp.topic == topic and end)
    admin = KafkaAdminClient(bootstrap_servers=pipeline.broker.address)
    admin.delete_records({TopicPartition(topic, partition): 4})
    admin.close()
    done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(path))
    assert done.returncode == 5
    assert f"topic {topic}: partition {partition} ends with line 11, but 4 rows" in done.stderr
    assert end_offsets(pipeline) == ends
