"""What the Kafka modules do around their work: arguments in, one line of failure out."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ansible.module_utils.basic import AnsibleModule

from .admin import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

CLUSTER: Json = {
    "bootstrap_servers": {"type": "list", "elements": "str"},
    "admin_properties": {"type": "path"},
    "declarations_only": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 20},
}


class Connection(Protocol):
    """A connection to a cluster."""

    def close(self) -> None:
        """End it."""


AnyConnection = TypeVar("AnyConnection", bound=Connection)


def begin(arguments: Json, needed: tuple[str, ...]) -> AnsibleModule:
    """Return the module; `needed` are the arguments that only a check of declarations spares."""
    return AnsibleModule(
        argument_spec=arguments,
        required_if=[("declarations_only", False, needed)],
        supports_check_mode=True,
    )


def refuse(module: AnsibleModule, variable: str, problems: list[str]) -> None:
    """End the module with one line that names the inventory's variable, if there are problems."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        module.fail_json(msg=f"{variable}: {problems[0]}{more}", problems=problems)


def finish(
    module: AnsibleModule,
    connect: Callable[[Json], AnyConnection],
    work: Callable[[AnsibleModule, AnyConnection], Json],
) -> None:
    """Connect, do the module's work and end it, unless the declarations were all to check.

    `work` returns the module's result; a BrokerError of either becomes the failure's line.
    """
    if module.params["declarations_only"]:
        module.exit_json(changed=False)
    try:
        with closing(connect(module.params)) as cluster:
            result = work(module, cluster)
    except BrokerError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)
