"""Attacks on a provisioned cluster: each is refused with the right error, and is in a log.

A run goes on beside them, on data that looks like an attack too. What the network refuses (the
underlay, ports that a node has no business with) is in tests/infra, refusals of certificates by
client and broker in tests/kafka, on a broker of this machine.
"""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.pipeline import odd_data
from tests.pipeline.accounts import BROKER
from tests.pipeline.attacks import attempts, broker_log, connections, lying, now, user_of
from tests.pipeline.background import in_background
from tests.pipeline.runs import CPU_MEM, NET_DISK, RUNS, Name, Run, manifest, read_table
from tests.pipeline.secrets_search import files_below, files_on, lines_on, secrets
from tests.support.playbooks import on
from tests.support.project import PROJECT
from tests.support.reference_tables import Row

LIMITS = yaml.safe_load((PROJECT / "roles/kafka/defaults/main.yml").read_text(encoding="utf-8"))
PER_ADDRESS, REQUEST_BYTES = (
    LIMITS[name] for name in ("kafka_max_connections_per_ip", "kafka_max_request_bytes")
)
NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
APP = "/opt/server-monitoring/bin/server-monitoring"
CONFIG = "/etc/server-monitoring/config.yml"
SAMPLES = "/root/processes"
SAMPLE = (
    f"rm -f {SAMPLES}.end; for i in $(seq 900); do ps axeww; [ -e {SAMPLES}.end ] && break; "
    f"sleep 0.2; done > {SAMPLES}"
)


def test_plain_text_is_not_understood() -> None:
    """A client without TLS gets one line and no answer; the broker logs where it came from."""
    since = now()
    said = on("consumer-1", f"{APP} probe --bootstrap-servers {BROKER} 2>&1; echo status $?")
    assert said.splitlines()[-1] != "status 0"
    assert "Traceback" not in said
    log = broker_log(since)
    assert "Failed authentication with /172.29.0.3" in log, log[-2000:]
    assert "SSL handshake failed" in log


def test_wrong_password_is_refused() -> None:
    """The line names user and broker; the broker logs the failed login."""
    since = now()
    user = user_of("producer-1", "producer")
    wrong = json.dumps({"username": user, "password": "not this one"})
    said = on(
        "producer-1",
        f"file=$(mktemp); printf '%s' '{wrong}' > $file; chmod 600 $file; "
        f"{APP} probe --config {CONFIG} --credentials $file 2>&1; echo status $?; rm $file",
    )
    assert said.splitlines()[-1] != "status 0"
    assert user in said
    assert "refuse" in said
    assert "not this one" not in said
    assert "due to invalid credentials with SASL mechanism SCRAM-SHA-512" in broker_log(since)


def test_account_does_what_it_needs_and_nothing_else() -> None:
    """Another group's topics, another group, topics, users: denied, and logged as denied."""
    since = now()
    came = attempts(
        "consumer-1",
        "consumer_cpu_mem",
        [
            ("read", "topic-cpu"),
            ("read", "topic-net"),
            ("write", "topic-cpu"),
            ("write", "topic-net"),
            ("commit", "server-monitoring-net_disk"),
            ("delete", "topic-cpu"),
            ("create", "topic-own"),
            ("user", "intruder"),
        ],
    )
    assert came.pop("read topic-cpu") == "ok"
    topic = ("read topic-net", "write topic-cpu", "write topic-net", "delete topic-cpu")
    for deed in topic:
        assert came.pop(deed).startswith("TopicAuthorizationFailedError"), deed
    assert came.pop("commit server-monitoring-net_disk").startswith("GroupAuthorizationFailed")
    assert "AuthorizationFailed" in came.pop("create topic-own")
    assert came.pop("user intruder").endswith("needs ALTER permission.")
    assert came == {}
    log, user = broker_log(since), user_of("consumer-1", "consumer_cpu_mem")
    for operation, resource in (
        ("DELETE", "Topic:LITERAL:topic-cpu"),
        ("WRITE", "Topic:LITERAL:topic-net"),
        ("DESCRIBE", "Group:LITERAL:server-monitoring-net_disk"),
    ):
        line = f"Principal = User:{user} is Denied operation = {operation}"
        denied = [entry for entry in log.splitlines() if line in entry and resource in entry]
        assert denied, (operation, resource)


def test_a_record_of_100_mb_is_not_taken_into_memory() -> None:
    """The connection ends before, and the broker says what came."""
    since = now()
    came = attempts("producer-1", "producer", [("large", "topic-cpu"), ("write", "topic-cpu")])
    assert came["large topic-cpu"] != "ok"
    assert came["write topic-cpu"] == "ok"
    assert f"larger than {REQUEST_BYTES}" in broker_log(since)


BELONGS = {
    "kafka-1": {
        "/etc/server-monitoring/credentials/operator.json",
        "/etc/server-monitoring/pki/key.pem",
        "/etc/kafka/broker.pem",
    },
    "producer-1": {"/etc/server-monitoring/credentials/producer.json"},
    "consumer-1": {"/etc/server-monitoring/credentials/consumer_cpu_mem.json"},
    "consumer-2": {"/etc/server-monitoring/credentials/consumer_net_disk.json"},
}


@dataclass(frozen=True)
class AttackedRun:
    """A run that ended well: its results, what it was to find, and what the broker logged."""

    folder: Path
    rows: int
    tables: tuple[list[Row], list[Row]]
    log: str


@pytest.fixture(scope="module")
def attacked_run(
    run_pipeline: Run, run_name: Name, tmp_path_factory: pytest.TempPathFactory
) -> AttackedRun:
    """Run on odd data while one address holds as many connections as it may, and lies by some.

    Processes are listed all the time.
    """
    files = tmp_path_factory.mktemp("attack")
    good, mixed = files / "good.csv", files / "mixed.csv"
    rows = odd_data.write(good, mixed)
    link = files / "größe [1].csv"
    link.symlink_to(mixed)
    defaults = PROJECT / "roles" / "pipeline" / "defaults" / "main.yml"
    groups = yaml.safe_load(defaults.read_text(encoding="utf-8"))["pipeline_groups"]
    groups["cpu_mem"]["labels"]["both"] = odd_data.LABEL
    since = now()
    lied = in_background("kafka-1", lying("operator", 16, REQUEST_BYTES, 40))
    held = in_background("kafka-1", f"sleep 10; {connections(5_000, 25)}")
    with listed(NODES):
        result, folder = run_pipeline(
            run_name("attacked"),
            pipeline_dataset=str(link),
            pipeline_on_bad_row="skip",
            pipeline_start=odd_data.START,
            pipeline_thresholds=odd_data.THRESHOLDS,
            pipeline_groups=groups,
        )
    kept = int(held().split()[-1])
    assert lied().split()[-1] == "16"
    assert result.status == 0, result.tail()
    assert result.says(f"Set aside: {len(odd_data.BAD)} bad rows, listed in producer-1:{RUNS}/")
    assert 0 < kept <= PER_ADDRESS
    assert [name for name, value in secrets().items() if value in result.output] == []
    return AttackedRun(folder, rows, odd_data.expected(good), broker_log(since))


@contextmanager
def listed(nodes: Iterable[str]) -> Iterator[None]:
    """List the processes of nodes all the time, each node's into its file `SAMPLES`."""
    finish = [in_background(node, SAMPLE) for node in nodes]
    try:
        yield
    finally:
        for node in nodes:
            on(node, f"touch {SAMPLES}.end")
        for done in finish:
            done()


def test_a_run_goes_on_beside_idle_and_slow_connections(attacked_run: AttackedRun) -> None:
    """5,000 of one address: few are held, the others closed and logged; the broker stays small."""
    assert f"already has the configured maximum of {PER_ADDRESS} connections" in attacked_run.log
    memory = int(on("kafka-1", "ps -o rss= -p $(systemctl show kafka --property=MainPID --value)"))
    assert memory < 2 * 1024 * 1024


def test_odd_data_with_other_thresholds_has_exact_tables(attacked_run: AttackedRun) -> None:
    """Ids to be quoted or run, duplicates, disorder, and thresholds by -e come out right."""
    cpu_mem, net_disk = attacked_run.tables
    assert len(cpu_mem) > 100
    assert read_table(attacked_run.folder / CPU_MEM)[1] == cpu_mem
    assert read_table(attacked_run.folder / NET_DISK)[1] == net_disk
    assert {row[5] for row in net_disk} >= {"", "Possible DDoS"}


def test_bad_rows_can_be_skipped(attacked_run: AttackedRun) -> None:
    """With pipeline_on_bad_row=skip they are counted, stored aside, and the others go on."""
    facts, rows = manifest(attacked_run.folder), attacked_run.rows
    assert facts["dataset"]["bad_rows"] == len(odd_data.BAD)
    assert facts["topics"]["topic-cpu"]["rows_out"] == rows
    aside = on("producer-1", f"cat {RUNS}/{attacked_run.folder.name}/bad-rows.csv")
    # Behind the header and the good rows.
    assert str(rows + 2) in aside
    assert str(rows + 3) in aside
    assert str(rows + 4) in aside


def test_settings_of_a_run_leave_the_cluster_alone(attacked_run: AttackedRun) -> None:
    """What -e changed stands beside the runs' data, not in the cluster's own configuration."""
    assert "56.0" in on("consumer-1", "cat /etc/server-monitoring/config.yml")
    assert "50.5" in on("consumer-1", f"cat {RUNS}/{attacked_run.folder.name}/config.yml")


def test_hostile_ids_and_labels_are_text_and_nothing_else(attacked_run: AttackedRun) -> None:
    """Paths, shell, Jinja, SQL, HTML and formulas come out in the tables as they went in."""
    _, table = read_table(attacked_run.folder / CPU_MEM)
    wanted = {f"'{name}" if name[0] in "=+-@" else name for name in odd_data.HOSTILE}
    assert wanted <= {row[0] for row in table}
    assert {row[5] for row in table if row[0] in wanted} == {odd_data.LABEL}
    page = (attacked_run.folder / "report.html").read_text(encoding="utf-8")
    assert "<script>attack" not in page
    assert not Path(odd_data.OWNED).exists()
    for node in NODES:
        assert on(node, f"ls {odd_data.OWNED} 2>&- || true") == "", node


def test_no_secret_is_in_a_process_list_a_log_or_another_file(attacked_run: AttackedRun) -> None:
    """Arguments and environments during the run, journals, every file of every node, results."""
    values = secrets().values()
    with ThreadPoolExecutor(len(NODES)) as pool:
        found = dict(zip(NODES, pool.map(lambda node: files_on(node, values), NODES), strict=True))
    # What is looked for can be found, where it is.
    assert {node: set(files) for node, files in found.items()} == BELONGS
    for node in NODES:
        assert "/opt/" in on(node, f"cat {SAMPLES}"), node
        assert lines_on(node, f"cat {SAMPLES}", values) == 0, node
        assert lines_on(node, "journalctl --no-pager --output=export", values) == 0, node
        on(node, f"rm {SAMPLES} {SAMPLES}.end")
    results = attacked_run.folder.parent
    control = [results, PROJECT / "inventory", PROJECT / ".lab", Path.home() / ".ansible"]
    assert files_below(control, values) == []
    assert files_below([PROJECT / "inventory"], ["$ANSIBLE_VAULT;"]) != []
    assert (PROJECT / ".vault-password").stat().st_mode & 0o077 == 0
