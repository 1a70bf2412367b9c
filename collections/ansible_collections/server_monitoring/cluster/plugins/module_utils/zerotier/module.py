"""What every ZeroTier module does around its work: arguments in, one line of failure out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from .api import ADDRESS, DEFAULT_HOME, NETWORK_ID, ZerotierError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONTROLLER", "HOME", "NODE", "AnsibleModule", "run"]
Json = dict[str, Any]

HOME: Json = {"home": {"type": "path", "default": DEFAULT_HOME}}
NODE: Json = {"node": {"type": "str", "required": True}}
# Who keeps the network, for the modules that talk to it; see zerotier_controller.connect.
CONTROLLER: Json = {
    "controller": {
        "type": "dict",
        "apply_defaults": True,
        "options": {
            **HOME,
            "backend": {
                "type": "str",
                "choices": ["controller", "central"],
                "default": "controller",
            },
            "token": {"type": "str", "no_log": True, "default": ""},
            "url": {"type": "str", "default": ""},
            "ca_file": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 60},
        },
    }
}
_IDS = {"network_id": NETWORK_ID, "address": ADDRESS}


def run(arguments: Json, work: Callable[[AnsibleModule], Json]) -> None:
    """Run a module: refuse ids that the API would take for something else, then do its work.

    `work` returns the module's result; the ZerotierError that it raises becomes the failure's line.
    """
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    try:
        _check_ids(arguments, module.params)
        result = work(module)
    except ZerotierError as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(**result)


def _check_ids(arguments: Json, params: Json) -> None:
    for name, pattern in _IDS.items():
        spec = arguments.get(name, {})
        given = name in params and (params[name] or spec.get("required"))
        if given and not pattern.fullmatch(params[name]):
            message = f"{name}: found {params[name]!r}, expected {pattern.pattern}"
            raise ZerotierError(message)
