"""Kafka's own tools, for what its Python client cannot ask of a cluster.

They come of the module's options `bootstrap_servers`, `admin_properties` and `tools`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .admin import BrokerError

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

TOOLS: dict[str, Any] = {"tools": {"type": "path", "default": "/opt/kafka/bin"}}


def remove_voter(module: AnsibleModule, node: int, directory: str) -> None:
    """Let a controller vote no more. Raises BrokerError if that is refused."""
    who = ["--controller-id", str(node), "--controller-directory-id", directory]
    _run(module, ["kafka-metadata-quorum.sh", *_cluster(module), "remove-controller", *who])


def unregister(module: AnsibleModule, node: int) -> None:
    """Let a cluster forget a broker. Raises BrokerError if that is refused."""
    _run(module, ["kafka-cluster.sh", "unregister", *_cluster(module), "--id", str(node)])


def _cluster(module: AnsibleModule) -> list[str]:
    properties = module.params["admin_properties"]
    servers = ["--bootstrap-server", ",".join(module.params["bootstrap_servers"])]
    return servers + (["--command-config", properties] if properties else [])


def _run(module: AnsibleModule, command: list[str]) -> None:
    tool = str(Path(module.params["tools"]) / command[0])
    # Its scripts want a folder for logs; nothing is written there.
    environment = {"LOG_DIR": "/tmp"}  # noqa: S108
    status, out, err = module.run_command([tool, *command[1:]], environ_update=environment)
    if status:
        lines = [line.strip() for line in (out + err).splitlines() if line.strip()]
        said = [line for line in lines if "Exception" in line or "rror" in line] or lines
        message = f"{command[0]}: {(said or [f'status {status}'])[0]}"
        raise BrokerError(message)
