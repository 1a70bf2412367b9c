"""Checks of the nodes with testinfra: any inventory with the topics as they come will do.

    pytest tests/infra [--ansible-inventory inventory/<name>]

The hosts of a test come from its inventory groups, so a host in several groups is checked for each.
What is slow is checked on one of them, and with `-m "long or not long"` on all.
"""

from typing import Any

import pytest
from testinfra.host import Host

from tests.infra.nodes import connect, inventory, members


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each host of the groups in its module's GROUPS."""
    if "node" in metafunc.fixturenames:
        path = metafunc.config.getoption("ansible_inventory")
        nodes: list[Any] = members(path, metafunc.module.GROUPS)
        if getattr(metafunc.module, "IS_SLOW", False):
            nodes[:-1] = [pytest.param(node, marks=pytest.mark.long) for node in nodes[:-1]]
        metafunc.parametrize("node", nodes, scope="module")


@pytest.fixture(scope="module")
def host(node: str, pytestconfig: pytest.Config) -> Host:
    """Return testinfra's handle on the node."""
    return connect(pytestconfig.getoption("ansible_inventory"), node)


@pytest.fixture(scope="module")
def variables(node: str, pytestconfig: pytest.Config) -> dict[str, Any]:
    """Return the node's own inventory variables."""
    return dict(inventory(pytestconfig.getoption("ansible_inventory"))["_meta"]["hostvars"][node])


@pytest.fixture(scope="module")
def admin(pytestconfig: pytest.Config) -> str:
    """Return how Kafka's own tools reach the first broker, on its node and as it."""
    path = pytestconfig.getoption("ansible_inventory")
    first = inventory(path)["kafka"]["hosts"][0]
    address = inventory(path)["_meta"]["hostvars"][first]["zerotier_ip"]
    return f"--bootstrap-server {address}:9094 --command-config /etc/kafka/admin.properties"
