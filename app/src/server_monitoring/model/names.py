"""Names that outlive a process, and those that the app shares with Ansible's programs.

Guarantee: none of them changes, so that a newer version finds what an older one began.
"""

PROGRAM = "server-monitoring"
# The beginning of the one line that tells why the program failed.
ERROR_PREFIX = f"{PROGRAM}: error: "
PROBE_TOPIC = f"{PROGRAM}-probe"


def consumer_group(group: str) -> str:
    """Return the id of the consumer group of a metric group."""
    return f"{PROGRAM}-{group}"


def unit(command: str, group: str = "", run_id: str = "") -> str:
    """Return the systemd unit of a command in a run; without a run, the template of such units.

    Each part may be a pattern, such as "*".
    """
    part = f"{command}-{group}" if group else command
    return f"{PROGRAM}-{part}@{run_id}.service"
