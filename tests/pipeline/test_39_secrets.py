"""After full runs no secret is anywhere but where it belongs: searched, not claimed."""

from pathlib import Path

from background import in_background
from runs import RESULTS, Name, Run
from secrets_search import files_below, files_on, lines_on, secrets

from playbooks import PROJECT, on, play

NODES = ("kafka-1", "producer-1", "consumer-1", "consumer-2")
OWN = "/etc/server-monitoring"
# Root's alone, or the broker's: tests/infra holds owners and modes.
BELONGS = {
    "kafka-1": {
        f"{OWN}/credentials/operator.json",
        f"{OWN}/pki/key.pem",
        "/etc/kafka/broker.pem",
    },
    "producer-1": {f"{OWN}/credentials/producer.json"},
    "consumer-1": {f"{OWN}/credentials/consumer_cpu_mem.json"},
    "consumer-2": {f"{OWN}/credentials/consumer_net_disk.json"},
}
SAMPLES = "/root/processes"
SAMPLE = f"for i in $(seq 200); do ps axeww; sleep 0.2; done > {SAMPLES}"


def test_no_secret_is_in_a_process_list_a_log_or_another_file(
    run_pipeline: Run, run_name: Name
) -> None:
    """Arguments and environments during a run, journals, and every file of every node."""
    finish = [in_background(node, SAMPLE) for node in NODES]
    result, _ = run_pipeline(run_name("secrets"))
    assert result.status == 0, result.tail()
    for done in finish:
        done()
    values = secrets().values()
    for node in NODES:
        # What is looked for can be found, where it is.
        assert set(files_on(node, values)) == BELONGS[node], node
        assert "server-monitoring" in on(node, f"cat {SAMPLES}") or node == "kafka-1"
        assert lines_on(node, f"cat {SAMPLES}", values) == 0, node
        assert lines_on(node, "journalctl --no-pager --output=export", values) == 0, node
        on(node, f"rm {SAMPLES}")
    assert [name for name, value in secrets().items() if value in result.output] == []


def test_no_secret_is_in_a_provision_run_s_output_or_on_the_control_machine() -> None:
    """Not with everything shown; nor in results, nor in Ansible's own files."""
    result = play("provision.yml", "--tags=secrets,pki,kafka,kafka_access", "--diff", "-vvv")
    assert result.status == 0, result.tail()
    known = secrets()
    assert [name for name, value in known.items() if value in result.output] == []
    folders = [RESULTS, PROJECT / "inventory", PROJECT / ".lab", Path.home() / ".ansible"]
    assert files_below(folders, known.values()) == []
    assert files_below([PROJECT / "inventory"], ["$ANSIBLE_VAULT;"]) != []
    assert (PROJECT / ".vault-password").stat().st_mode & 0o077 == 0
