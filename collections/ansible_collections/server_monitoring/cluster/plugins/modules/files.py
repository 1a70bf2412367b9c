"""Ansible module: make several files and folders of a host true (see DOCUMENTATION)."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.files import keep
from ..module_utils.ways import FileError

Json = dict[str, Any]

DOCUMENTATION = r"""
module: files
short_description: Make several files and folders of a host true
description:
  - All of a role in one run, in the order given, instead of two runs for each.
  - A file is replaced whole, with its owner and mode, or left alone; a reader sees the old one or
    the new. A link in its place is replaced, never followed.
  - A link in the place of a folder is taken for the folder if root, or who runs this, made it.
  - What is neither file nor folder, or a folder in the place of a file, ends it.
  - As root it goes no way that another user can turn elsewhere; each folder on it is root's.
options:
  files:
    description: The files and folders.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where it is.
        type: path
        required: true
      state:
        description: What it is. A folder is not made C(absent).
        type: str
        choices: [file, directory, link, absent]
        default: file
      content:
        description: What is in the file. Without it, and without O(parts), the file must be there.
        type: str
      parts:
        description: Files of the host that make up the content, one after the other, by lines.
        type: list
        elements: path
      target:
        description: What the link shows to. It need not be there.
        type: str
      owner:
        description: Name of the owner, or his number.
        type: str
      group:
        description: Name of the group, or its number.
        type: str
      mode:
        description: Its rights, in octal digits. Of links and of what is absent there are none.
        type: str
      validate:
        description: A command that refuses a bad file; C(%s) stands for a file with the content.
        type: str
      purge:
        description: Files of a folder that match it, and are no entries of their own, are removed.
        type: str
      secret:
        description: Whether the content is shown nowhere.
        type: bool
        default: false
"""

EXAMPLES = r"""
- name: Lay down folder and configuration
  server_monitoring.cluster.files:
    files:
      - {path: /etc/kafka, state: directory, owner: root, group: root, mode: "0755"}
      - path: /etc/kafka/server.properties
        content: "{{ lookup('ansible.builtin.template', 'server.properties.j2') }}"
        owner: root
        group: kafka
        mode: "0640"
"""

RETURN = r"""
paths: {description: What was changed or removed., type: list, elements: str, returned: success}
"""

ARGUMENTS: Json = {
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "path", "required": True},
            "state": {
                "type": "str",
                "choices": ["file", "directory", "link", "absent"],
                "default": "file",
            },
            # No contents in the node's journal; those that are no secret are compared in the open.
            "content": {"type": "str", "no_log": True},
            "parts": {"type": "list", "elements": "path"},
            "target": {"type": "str"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "str"},
            "validate": {"type": "str"},
            "purge": {"type": "str"},
            "secret": {"type": "bool", "default": False, "no_log": False},
        },
        "mutually_exclusive": [["content", "parts"]],
        "required_if": [
            ["state", "file", ["mode"]],
            ["state", "directory", ["mode"]],
            ["state", "link", ["target"]],
        ],
    }
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    entries = module.params["files"]
    module.no_log_values -= {entry["content"] for entry in entries if not entry["secret"]}
    module.no_log_values |= {e["content"] for e in entries if e["secret"] and e["content"]}
    try:
        result = keep(module)
    except FileError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
