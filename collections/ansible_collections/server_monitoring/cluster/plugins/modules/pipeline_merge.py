"""Merge the sorted alert tables of several hosts into one."""

import csv
import hashlib
import heapq
from contextlib import ExitStack
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: pipeline_merge
short_description: Merge the sorted alert tables of several hosts into one
description:
  - Each part is a CSV table with the same header, sorted by its first column (server_id), bytewise.
  - A server's rows stand in one part alone, so merging by server keeps each server's order.
options:
  parts: {description: The tables to merge., type: list, elements: path, required: true}
  dest: {description: The one table to write., type: path, required: true}
extends_documentation_fragment: [files]
author: [Server Monitoring Cluster contributors]
"""
EXAMPLES = r"""
- name: Make one table
  server_monitoring.cluster.pipeline_merge:
    parts: [consumer-1.csv, consumer-3.csv]
    dest: alerts.csv
"""
RETURN = r"""
file: {description: Name of the table written., type: str, returned: success}
rows: {description: Rows of the table, without its header., type: int, returned: success}
sha256: {description: Checksum of the table., type: str, returned: success}
"""


class MergeError(Exception):
    """The parts do not fit together."""


def merge(parts: list[Path], dest: Path) -> int:
    """Write the rows of `parts` to `dest`, sorted by their first column; return their number.

    Raises:
        MergeError: there is no part, or the headers differ.

    """
    if not parts:
        message = f"{dest.name}: no table came back from any host; see the Spark job's log"
        raise MergeError(message)
    temporary = dest.with_name(dest.name + ".part")
    rows = 0
    with ExitStack() as stack:
        readers = [
            csv.reader(stack.enter_context(part.open(encoding="utf-8", newline="")))
            for part in parts
        ]
        headers = [next(reader, []) for reader in readers]
        for part, header in zip(parts, headers, strict=True):
            if header != headers[0]:
                message = f"{part}: header {header} found, expected {headers[0]}"
                raise MergeError(message)
        output = stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(headers[0])
        for row in heapq.merge(*readers, key=lambda row: row[0].encode()):
            writer.writerow(row)
            rows += 1
    temporary.replace(dest)
    return rows


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "parts": {"type": "list", "elements": "path", "required": True},
            "dest": {"type": "path", "required": True},
        },
        add_file_common_args=True,
        supports_check_mode=False,
    )
    dest = Path(module.params["dest"])
    try:
        rows = merge([Path(part) for part in module.params["parts"]], dest)
    except (MergeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.set_fs_attributes_if_different(
        module.load_file_common_arguments(module.params, path=str(dest)), changed=False
    )
    with dest.open("rb") as table:
        sha256 = hashlib.file_digest(table, "sha256").hexdigest()
    module.exit_json(changed=True, file=dest.name, rows=rows, sha256=sha256)


if __name__ == "__main__":
    main()
