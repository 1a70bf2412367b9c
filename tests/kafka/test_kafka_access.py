"""The table of `access`: with all of it each command works, without any part of it none does."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import KafkaAdminClient
from server_monitoring.broker.limits import PROBE_CONFIGS

from tests.kafka.access import PROBE, PROBE_TOPIC, PROBE_TOPICS, PRODUCER, Access, consumer
from tests.kafka.kafka_broker import Pipeline, create_topics, make_pipeline
from tests.kafka.kafka_runs import topics, write_dataset
from tests.kafka.secure_broker import SecureBroker

AT_ONCE = 4
TABLES = {"probe": PROBE + PROBE_TOPICS, "produce": PRODUCER, "consume": consumer("cpu_mem")}


@dataclass(frozen=True)
class Case:
    """A command whose user lacks one operation, or none.

    Attributes:
        lacks: such as `Read on topic`, as the refusal says it.

    """

    command: str
    access: tuple[Access, ...]
    lacks: str

    @property
    def user(self) -> str:
        """Return a user of this case alone."""
        lacks = self.lacks.lower() or "nothing"
        return f"{self.command}-without-{lacks}".replace(" ", "-")


def cases() -> list[Case]:
    """Return for each command the case with all, and one for each operation that is left out.

    What is left out may still be seen, by Describe, or nothing else would be found missing.
    """
    found = []
    for command, table in TABLES.items():
        found.append(Case(command, table, ""))
        for place, line in enumerate(table):
            for operation in line.operations:
                left = tuple({*line.operations, "DESCRIBE"} - {operation})
                lines = (*table[:place], line._replace(operations=left), *table[place + 1 :])
                kept = tuple(entry for entry in lines if entry.operations)
                lacks = f"{operation.capitalize()} on {line.kind.lower()}"
                found.append(Case(command, kept, lacks))
    return found


def filled(table: tuple[Access, ...], pipeline: Pipeline) -> list[Access]:
    """Return the table with the pipeline's own topics."""
    everything = list(topics(pipeline))
    names = {"{all_topics}": everything, "{topics}": everything[:2]}
    return [line._replace(name=n) for line in table for n in names.get(line.name, [line.name])]


def run(pipeline: Pipeline, case: Case, dataset: Path) -> subprocess.CompletedProcess[str]:
    """Run a case's command to its end; a producer twice: the second one looks for what is there."""
    assert pipeline.broker.credentials is not None
    more = ["--credentials", str(pipeline.broker.credentials / f"{case.user}.json")]
    directory = pipeline.run_directory(case.user)
    own = ["--run-id", case.user, *more]
    if case.command == "probe":
        return pipeline.run("probe", *more)
    if case.command == "consume":
        directory.mkdir(parents=True)
        ends = {topic: dict.fromkeys("012", 0) for topic in topics(pipeline)}
        (directory / "end_offsets.json").write_text(json.dumps(ends))
        return pipeline.run("consume", *own, "--group", "cpu_mem")
    argv = ["produce", *own, "--dataset", str(dataset)]
    done = pipeline.run(*argv)
    if done.returncode == 0:
        (directory / "produce.json").unlink()
        done = pipeline.run(*argv)
    return done


def test_each_command_needs_what_the_table_says_and_no_more(
    secure_broker: SecureBroker, tmp_path: Path, client: str
) -> None:
    """Once provisioning has made the probe's topic."""
    pipeline = make_pipeline(secure_broker, tmp_path, 3, client)
    write_dataset(tmp_path / "m.csv", 100)
    tried = cases()
    for case in tried:
        secure_broker.add_user(case.user)
        secure_broker.allow(case.user, filled(case.access, pipeline))
    admin = KafkaAdminClient(bootstrap_servers=secure_broker.address)
    if PROBE_TOPIC in admin.list_topics():
        admin.delete_topics([PROBE_TOPIC])
    admin.close()
    whole = next(case for case in tried if case.command == "probe" and not case.lacks)
    missing = run(pipeline, whole, tmp_path / "m.csv")
    assert missing.returncode == 5
    assert "is not authorized: Create on topic " in missing.stderr
    create_topics(secure_broker.address, {PROBE_TOPIC: 1}, **PROBE_CONFIGS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        each = pool.map(lambda case: run(pipeline, case, tmp_path / "m.csv"), tried)
        ended = dict(zip(tried, each, strict=True))
    for case, done in ended.items():
        assert done.returncode == (5 if case.lacks else 0), (case.user, done.stderr)
        if case.lacks:
            assert f"user '{case.user}' is not authorized: {case.lacks} " in done.stderr
    for case in tried:
        secure_broker.forbid(case.user)
