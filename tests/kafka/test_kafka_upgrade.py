"""From one release of Kafka to the next, back while that is possible, and the end of the way back.

The older release is the one before the role's own, in a tree that the same tool makes.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kafka.kafka_broker import PATIENCE, QUICK_JAVA, Broker, free_port
from tests.kafka.kafka_cluster import KafkaCluster, kafka_cluster
from tests.kafka.kafka_home import home, releases, version
from tests.kafka.kafka_module import run_module
from tests.kafka.spread_calls import records
from tests.kafka.steady_producer import steady_producer
from tests.support.playbooks import Result, play

OLDER = releases()[releases().index(version()) - 1]
HOSTS = {"kafka-1": 1, "kafka-2": 2, "kafka-3": 3}
METADATA = "metadata.version"


@pytest.fixture(scope="module")
def trees() -> dict[str, Path]:
    """Return the trees of both releases."""
    return {release: home(release) for release in (OLDER, version())}


def features(bootstrap: list[str], tree: Path, **arguments: Any) -> dict[str, Any]:
    """Run the module for the release of a tree, and return its result."""
    given = {"bootstrap_servers": bootstrap, "tree": str(tree), "timeout": 60}
    return run_module("kafka_features", given | arguments)


@pytest.fixture(scope="module")
def broker(trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Return a broker that the older release has formatted and runs."""
    folder = tmp_path_factory.mktemp("upgrade")
    broker = Broker(trees[OLDER], folder, free_port(), java=QUICK_JAVA)
    try:
        broker.format()
        broker.start()
        yield broker
    finally:
        broker.stop(hard=True)


def test_levels_are_raised_once_the_newer_release_runs_and_never_lowered(
    broker: Broker, trees: dict[str, Path]
) -> None:
    """Not before, as the controller says; once; and the older release is refused from then on."""
    servers, old, new = [broker.address], trees[OLDER], trees[version()]
    refused = features(servers, new, finish=True)
    assert refused["failed"]
    assert "refused by the controller (" in refused["msg"]
    assert f"feature {METADATA}" in refused["msg"]
    assert "\n" not in refused["msg"]
    broker.stop()
    broker.home = new
    broker.start()
    told = features(servers, new)
    assert (told["changed"], list(told["behind"])) == (False, [METADATA])
    assert told["behind"][METADATA] < told["release"][METADATA]
    would = features(servers, new, finish=True, _ansible_check_mode=True)
    did = features(servers, new, finish=True)
    assert would["changed"]
    assert would["diff"] == did["diff"]
    assert did["diff"]["after"] == {METADATA: told["release"][METADATA]}
    again = features(servers, new, finish=True)
    assert (again["changed"], again["behind"]) == (False, {})
    back = features(servers, old)
    assert back["failed"]
    assert back["msg"].startswith(f"kafka_version: found {old.name}, which holds {METADATA} ")
    assert "\n" not in back["msg"]


def test_a_tree_that_is_not_there_is_one_line(tmp_path: Path, broker: Broker) -> None:
    """It says who makes it."""
    failed = features([broker.address], tmp_path / "kafka-9.9.9")
    assert failed["failed"]
    assert "kafka-9.9.9/bin/kafka-storage.sh: not found, expected Kafka's tree" in failed["msg"]


@pytest.fixture
def cluster(
    trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaCluster]:
    """Return three brokers of the older release, formatted by its own tool."""
    with kafka_cluster(trees[OLDER], tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def stands(cluster: KafkaCluster, **arguments: Any) -> str:
    """Wait until the cluster stands, and return the active controller."""
    given = {"bootstrap_servers": cluster.bootstrap, "brokers": HOSTS, "timeout": PATIENCE}
    found = run_module("kafka_health", given | {"controllers": list(HOSTS)} | arguments)
    assert found["problems"] == [], found
    active: str = found["active_controller"]
    return active


def roll(cluster: KafkaCluster, hosts: list[str], tree: Path) -> None:
    """Start brokers again from another tree, one at a time, as the role kafka does."""
    for host in hosts:
        stands(cluster, without=host)
        number = HOSTS[host]
        cluster.stop(number)
        cluster.members[number].home = tree
        cluster.start(number)
        stands(cluster, answered_by=cluster.address(number))


def finish(cluster: KafkaCluster, tree: Path, folder: Path) -> Result:
    """Run the playbook that finishes an upgrade."""
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_become": os.geteuid() != 0,
        "zerotier_ip": "127.0.0.1",
        "kafka_access_enabled": False,
    }
    inventory = {"all": {"vars": common, "children": {"kafka": {"hosts": dict.fromkeys(HOSTS)}}}}
    hosts = folder / "hosts.json"
    hosts.write_text(json.dumps(inventory))
    # Of the role's own: where the trees, the brokers and their client's Python are.
    own = {
        "_kafka_tree": str(tree),
        "_kafka_python": sys.executable,
        "_kafka_cluster_admin_servers": cluster.bootstrap,
    }
    result = play("playbooks/kafka_finish_upgrade.yml", inventory=hosts, extra=own)
    assert result.status == 0, result.tail()
    return result


@pytest.mark.long
def test_a_cluster_goes_up_back_and_up_again_while_records_flow(
    cluster: KafkaCluster, trees: dict[str, Path], tmp_path: Path
) -> None:
    """Nothing lost, nothing twice, no error; finished when all brokers are there, and once."""
    old, new = trees[OLDER], trees[version()]
    cluster.create_topic("rows", partitions=4, copies=3)
    with steady_producer(cluster.bootstrap, "rows") as sent:
        for tree in (new, old):
            last = stands(cluster)
            roll(cluster, [*(HOSTS.keys() - {last}), last], tree)
            assert list(features(cluster.bootstrap, new)["behind"]) == [METADATA]
            assert features(cluster.bootstrap, old)["behind"] == {}
        roll(cluster, ["kafka-1", "kafka-2"], new)
        refused = features(cluster.bootstrap, new, finish=True)
        assert "Broker 3 only supports versions" in refused["msg"]
        assert not features(cluster.bootstrap, old).get("failed")
        roll(cluster, ["kafka-3"], new)
        first = finish(cluster, new, tmp_path)
        assert first.changed() == {"kafka-1": 1}
        assert first.says("there is no way back to an older release")
        assert finish(cluster, new, tmp_path).changed() == {"kafka-1": 0}
        # Also afterwards, with what the newer release may write down by now.
        more = len(sent.acknowledged) + 100
        deadline = time.monotonic() + PATIENCE
        while len(sent.acknowledged) < more and time.monotonic() < deadline:
            time.sleep(0.05)
    stands(cluster)
    assert sent.refused == []
    assert records(cluster, "rows") == Counter(sent.acknowledged)
    assert "expected a release that holds the cluster's" in features(cluster.bootstrap, old)["msg"]
