"""Ansible module: hold a cluster's feature levels against a release's (see DOCUMENTATION)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..module_utils.kafka.admin import BrokerError, administrate
from ..module_utils.kafka.features import behind, finalized_levels, refusal, release_levels
from ..module_utils.kafka.module import CLUSTER, begin, finish

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

try:
    from kafka.errors import KafkaError
    from kafka.protocol.admin import UpdateFeaturesRequest
except ImportError:
    # A connection says that it is missing.
    UpdateFeaturesRequest = None

DOCUMENTATION = r"""
module: kafka_features
short_description: Hold a cluster's feature levels against a release's, and raise them to these
description:
  - Fails if the release cannot run the cluster, as its metadata.version is below the finalized one.
  - >-
    With O(finish=true) the cluster's levels become the release's. The controller refuses that while
    any broker does not know them, and there is no way back after it.
  - Needs kafka-python 3, and Java for the release's own tool.
options:
  tree:
    description: Kafka's tree of the release, which says its levels by C(bin/kafka-storage.sh).
    type: path
    required: true
  finish:
    description: Raise the levels that are below the release's; otherwise they are only told.
    type: bool
    default: false
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: Finish an upgrade
  server_monitoring.cluster.kafka_features:
    bootstrap_servers: ["172.29.0.1:9094", "172.29.0.2:9094", "172.29.0.3:9094"]
    admin_properties: /etc/kafka/admin.properties
    tree: /opt/kafka-4.3.1
    finish: true
"""

RETURN = r"""
release:
  description: Feature to the level that the release has by default.
  type: dict
  returned: success
behind:
  description: Feature to the cluster's level before, where that was below the release's.
  type: dict
  returned: success
"""

INTERVAL_SECONDS = 0.2


def of_release(module: AnsibleModule) -> dict[str, int]:
    """Return feature -> level of the release, as its own tool says it.

    Raises:
        BrokerError: there is no such tool, or it does not say.

    """
    tool = Path(module.params["tree"]) / "bin" / "kafka-storage.sh"
    if not tool.is_file():
        message = f"{tool}: not found, expected Kafka's tree: run provision.yml first"
        raise BrokerError(message)
    # Apache's own scripts want a folder for logs of theirs; nothing is written there.
    command = [str(tool), "version-mapping"]
    _, out, err = module.run_command(command, environ_update={"LOG_DIR": "/tmp"})  # noqa: S108
    try:
        return release_levels(out or err)
    except ValueError as error:
        message = f"{' '.join(command)}: {error}: see whether Java runs it"
        raise BrokerError(message) from error


def finalized(admin: Any) -> dict[str, int]:
    """Return feature -> the cluster's level.

    Raises:
        BrokerError: no broker says it.

    """
    try:
        return finalized_levels(admin.describe_features())
    except KafkaError as error:
        message = f"feature levels: no answer ({type(error).__name__}): see kafka.service"
        raise BrokerError(message) from error


def update(admin: Any, levels: dict[str, int], seconds: int, *, validate_only: bool) -> None:
    """Have the controller raise levels, or say whether it would.

    Raises:
        BrokerError: it does not, as a broker runs an older release, or is away.

    """
    keys = [
        UpdateFeaturesRequest.FeatureUpdateKey(
            feature=name, max_version_level=level, allow_downgrade=False, upgrade_type=1
        )
        for name, level in levels.items()
    ]
    request = UpdateFeaturesRequest(
        timeout_ms=seconds * 1000,
        feature_updates=keys,
        validate_only=validate_only,
        min_version=1,
    )
    # The client has a method, but it hides what the controller says in its own error's text.
    manager = admin._manager  # noqa: SLF001
    try:
        answer = manager.run(manager.send, request)
    except KafkaError as error:
        message = f"feature levels: no answer ({type(error).__name__}): see kafka.service"
        raise BrokerError(message) from error
    if answer.error_code:
        said = (answer.error_message or f"error {answer.error_code}").rstrip(".")
        message = (
            f"feature levels: refused by the controller ({said}), expected every broker to be up "
            "and to run this release: run provision.yml first"
        )
        raise BrokerError(message)


def run(module: AnsibleModule, admin: Any) -> dict[str, Any]:
    """Return the module's result.

    Raises:
        BrokerError: the release cannot run the cluster, or the levels cannot be raised.

    """
    given, release = module.params, of_release(module)
    found = finalized(admin)
    if line := refusal(found, release, Path(given["tree"]).name.removeprefix("kafka-")):
        raise BrokerError(line)
    below = behind(found, release)
    result = {"changed": False, "release": release, "behind": below}
    if not (given["finish"] and below):
        return result
    after = {name: release[name] for name in below}
    update(admin, after, given["timeout"], validate_only=module.check_mode)
    if not module.check_mode:
        settle(admin, release, given["timeout"])
    return result | {"changed": True, "diff": {"before": below, "after": after}}


def settle(admin: Any, release: dict[str, int], seconds: int) -> None:
    """Wait until a broker that is asked has the new levels.

    Raises:
        BrokerError: it does not have them in time.

    """
    deadline = time.monotonic() + seconds
    while left := behind(finalized(admin), release):
        if time.monotonic() > deadline:
            message = f"feature levels: found {left} after {seconds} s, expected {release}"
            raise BrokerError(message)
        time.sleep(INTERVAL_SECONDS)


def connect(params: dict[str, Any]) -> Any:
    """Return a client."""
    return administrate(params["bootstrap_servers"], params["admin_properties"], params["timeout"])


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    "tree": {"type": "path", "required": True},
    "finish": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    finish(begin(ARGUMENTS, needed=("bootstrap_servers",)), connect, run)


if __name__ == "__main__":
    main()
