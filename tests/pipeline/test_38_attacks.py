"""Attacks on a provisioned cluster: each is refused with the right error, and is in a log.

What the network refuses (the underlay, ports that a node has no business with) is in tests/infra.
Refusals of certificates by client and broker are in tests/kafka, on a broker of this machine.
"""

import csv
import json
from pathlib import Path

import pytest
import yaml

from tests.pipeline.attacks import BROKER, as_account, broker_log, connections, now, user_of
from tests.pipeline.background import in_background
from tests.pipeline.runs import CPU_MEM, Name, Run, read_table
from tests.pipeline.secrets_search import files_below, files_on, lines_on, secrets
from tests.support.playbooks import on
from tests.support.project import PROJECT

NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
APP = "/opt/server-monitoring/bin/server-monitoring"
CONFIG = "/etc/server-monitoring/config.yml"
SAMPLES = "/root/processes"
SAMPLE = f"for i in $(seq 150); do ps axeww; sleep 0.2; done > {SAMPLES}"


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
    came = as_account(
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
    came = as_account("producer-1", "producer", [("large", "topic-cpu"), ("write", "topic-cpu")])
    assert came["large topic-cpu"] != "ok"
    assert came["write topic-cpu"] == "ok"
    assert "larger than 16777216" in broker_log(since)


OWNED = "/tmp/server-monitoring-owned"  # noqa: S108 - nobody writes there unless something is run
HOSTILE = [
    "../../../../tmp/server-monitoring-owned",
    f"$(touch {OWNED})",
    f"`touch {OWNED}`",
    f"; touch {OWNED} #",
    f"| touch {OWNED}",
    f"{{{{ lookup('pipe', 'touch {OWNED}') }}}}",
    "{% for x in y %}",
    "'; DROP TABLE alerts; --",
    "<script>attack()</script>",
    "%n%i$HOME",
    "=1+1",
]
LABEL = f"CPU $(touch {OWNED}) `touch {OWNED}` 'quoted' \"twice\" %n; }}}} #"
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


def write_hostile(path: Path) -> None:
    """Write a data set whose server ids are what somebody would like to be run."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ts", "server_id", "cpu_pct", "mem_pct", "net_in", "disk_io"])
        for second in range(0, 60, 10):
            rows.writerows([f"00:00:{second:02}", name, 99, 99, 99, 99] for name in HOSTILE)


@pytest.fixture(scope="module")
def attacked_run(
    run_pipeline: Run, run_name: Name, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """Run on hostile data while one address holds as many connections as it may.

    Return the results' folder, and what the broker logged. Processes were listed all the time.
    """
    dataset = tmp_path_factory.mktemp("attack") / "hostile.csv"
    write_hostile(dataset)
    defaults = PROJECT / "roles" / "pipeline" / "defaults" / "main.yml"
    groups = yaml.safe_load(defaults.read_text(encoding="utf-8"))["pipeline_groups"]
    groups["cpu_mem"]["labels"]["both"] = LABEL
    since = now()
    finish = [in_background("kafka-1", connections(5_000, 45))]
    finish += [in_background(node, SAMPLE) for node in NODES]
    result, folder = run_pipeline(
        run_name("attacked"), pipeline_dataset=str(dataset), pipeline_groups=groups
    )
    kept, *_ = [printed().split()[-1] for printed in finish[:1]]
    for done in finish[1:]:
        done()
    assert result.status == 0, result.tail()
    assert 0 < int(kept) <= 500
    assert [name for name, value in secrets().items() if value in result.output] == []
    return folder, broker_log(since)


def test_a_run_goes_on_beside_idle_and_slow_connections(attacked_run: tuple[Path, str]) -> None:
    """5,000 of one address: 500 are held, the others closed and logged; the broker stays small."""
    _, log = attacked_run
    assert "already has the configured maximum of 500 connections" in log
    memory = int(on("kafka-1", "ps -o rss= -p $(systemctl show kafka --property=MainPID --value)"))
    assert memory < 2 * 1024 * 1024


def test_hostile_ids_and_labels_are_text_and_nothing_else(attacked_run: tuple[Path, str]) -> None:
    """Paths, shell, Jinja, SQL, HTML and formulas come out in the tables as they went in."""
    folder, _ = attacked_run
    header, table = read_table(folder / CPU_MEM)
    wanted = {f"'{name}" if name[0] in "=+-@" else name for name in HOSTILE}
    found = [dict(zip(header, row, strict=True)) for row in table]
    assert {row["server_id"] for row in found} == wanted
    assert {row["alert"] for row in found} == {LABEL}
    assert "<script>attack" not in (folder / "report.html").read_text(encoding="utf-8")
    assert not Path(OWNED).exists()
    for node in NODES:
        assert on(node, f"ls {OWNED} 2>&- || true") == "", node


def test_no_secret_is_in_a_process_list_a_log_or_another_file(
    attacked_run: tuple[Path, str],
) -> None:
    """Arguments and environments during the run, journals, every file of every node, results."""
    folder, _ = attacked_run
    known = secrets()
    values = known.values()
    for node in NODES:
        # What is looked for can be found, where it is.
        assert set(files_on(node, values)) == BELONGS[node], node
        assert "/opt/" in on(node, f"cat {SAMPLES}"), node
        assert lines_on(node, f"cat {SAMPLES}", values) == 0, node
        assert lines_on(node, "journalctl --no-pager --output=export", values) == 0, node
        on(node, f"rm {SAMPLES}")
    control = [folder.parent, PROJECT / "inventory", PROJECT / ".lab", Path.home() / ".ansible"]
    assert files_below(control, values) == []
    assert files_below([PROJECT / "inventory"], ["$ANSIBLE_VAULT;"]) != []
    assert (PROJECT / ".vault-password").stat().st_mode & 0o077 == 0
