"""What follows from the inventory when brokers are on their way out of the group kafka."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT

HOSTS: dict[str, dict[str, Any]] = {
    f"kafka-{n}": {"zerotier_ip": f"172.29.0.{n}"} for n in range(1, 5)
}
HOSTS["kafka-3"]["kafka_node_id"] = 7
TOLD = {
    "ids": "_kafka_cluster_ids",
    "leaving": "_kafka_cluster_leaving_ids",
    "copies": "kafka_replication_factor",
    "controllers": "kafka_controller_hosts",
    "retiring": "_kafka_retiring",
    "quorum": "_kafka_controllers",
    "renumbered": "_kafka_renumbered",
    "joins": "_kafka_joins",
    "name": "_kafka_controller_name",
}


def played(folder: Path, leaving: object) -> dict[str, Any]:
    """Check who leaves of four brokers, the last of which is no controller; return what is told."""
    role = {"name": "kafka", "tasks_from": "leave/names.yml"}
    tasks: list[dict[str, Any]] = [
        {
            "ansible.builtin.set_fact": {
                "_kafka_was_controller": "{{ inventory_hostname != 'kafka-4' }}"
            }
        },
        {"ansible.builtin.import_role": role},
        {
            "ansible.builtin.debug": {"msg": {k: f"{{{{ {v} }}}}" for k, v in TOLD.items()}},
            "run_once": True,
        },
    ]
    site = [{"hosts": "kafka", "gather_facts": False, "any_errors_fatal": True, "tasks": tasks}]
    (folder / "site.yml").write_text(yaml.safe_dump(site), encoding="utf-8")
    inventory = {"all": {"children": {"kafka": {"hosts": HOSTS}}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    command = ["ansible-playbook", "-i", "hosts.yml", "site.yml"]
    done = subprocess.run(
        [*command, "--extra-vars", json.dumps({"kafka_leaving": leaving})],
        cwd=folder,
        env=os.environ
        | {
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    tasks_done = json.loads(done.stdout)["plays"][0]["tasks"]
    found: dict[str, Any] = next(iter(tasks_done[-1]["hosts"].values()))
    return found


def test_the_first_of_four_brokers_leaves_and_the_fourth_becomes_a_controller(
    tmp_path: Path,
) -> None:
    """Nobody's number changes, and the inventory must keep it so."""
    told = played(tmp_path, "kafka-1")["msg"]
    assert told == {
        "ids": {"kafka-2": 2, "kafka-3": 7, "kafka-4": 4},
        "leaving": [1],
        "copies": 3,
        "controllers": ["kafka-2", "kafka-3", "kafka-4"],
        "retiring": ["kafka-1"],
        "quorum": [f"node-{n}.kafka.internal:9093" for n in (2, 7, 4)],
        "renumbered": ["kafka-2", "kafka-4"],
        "joins": False,
        "name": "node-1.kafka.internal",
    }


def test_where_no_controller_stays_the_new_one_is_found_by_the_old_ones(tmp_path: Path) -> None:
    """Until it votes."""
    told = played(tmp_path, ["kafka-3", "kafka-1", "kafka-2"])["msg"]
    assert (told["copies"], told["controllers"]) == (1, ["kafka-4"])
    assert told["retiring"] == ["kafka-1", "kafka-2", "kafka-3"]
    assert told["quorum"] == [f"node-{n}.kafka.internal:9093" for n in (4, 1, 2, 7)]


@pytest.mark.parametrize(
    ("leaving", "said"),
    [
        (
            "kafka-9",
            "found kafka-9, expected hosts of the group kafka (kafka-1, kafka-2, kafka-3, ",
        ),
        ("", "found nothing, expected hosts of the group kafka"),
        (list(HOSTS), "found all brokers, expected that at least one stays"),
    ],
)
def test_whoever_cannot_leave_is_named(tmp_path: Path, leaving: object, said: str) -> None:
    """In one line."""
    assert played(tmp_path, leaving)["msg"].startswith(f"inventory: kafka_leaving: {said}")
