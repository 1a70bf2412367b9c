"""Names that outlive a process, and those that the app shares with Ansible's programs.

Guarantee: none of them changes, so that a newer version finds what an older one began.
"""

import hashlib

PROGRAM = "server-monitoring"
# The beginning of the one line that tells why the program failed.
ERROR_PREFIX = f"{PROGRAM}: error: "
PROBE_TOPIC = f"{PROGRAM}-probe"
# The run id of what agents send; it never ends.
LIVE_RUN = "live"
_LONGEST_USER = 31


def consumer_group(group: str) -> str:
    """Return the id of the consumer group of a metric group."""
    return f"{PROGRAM}-{group}"


def live_group(group: str) -> str:
    """Return the id of the consumer group that stores a metric group's rows of agents."""
    return f"{PROGRAM}-live-{group}"


def unit(command: str, group: str = "", run_id: str = "") -> str:
    """Return the systemd unit of a command in a run; without a run, the template of such units.

    Each part may be a pattern, such as "*".
    """
    part = f"{command}-{group}" if group else command
    return f"{PROGRAM}-{part}@{run_id}.service"


def user(command: str, group: str = "") -> str:
    """Return the user that the unit of a command runs as, which no other command shares.

    Linux takes at most 31 characters, in small letters: any other name is cut and gets a digest.
    """
    name = f"sm-{command}-{group}" if group else f"sm-{command}"
    if len(name) <= _LONGEST_USER and name == name.lower():
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name.lower()[: _LONGEST_USER - 9]}-{digest}"
