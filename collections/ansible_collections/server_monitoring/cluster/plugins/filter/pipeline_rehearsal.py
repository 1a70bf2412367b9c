"""Why a rehearsal of the Spark jobs failed, out of all that Java and Python say."""

import re
from collections.abc import Mapping
from typing import Any

from server_monitoring.model.names import ERROR_PREFIX

from ..plugin_utils.filters import PublicFunctions

# What tells most comes first: the app's own error, what Java threw, what it refused to start with.
_TELLING = (
    re.compile(f"^{ERROR_PREFIX}(.*)"),
    re.compile(r"(\S*OutOfMemoryError.*)"),
    re.compile(r"^(?:Exception in thread \S+ |Caused by: )(.*)"),
    re.compile(r"^(?:Error: |Error occurred during initialization of VM *|Unrecognized )(.+)"),
)


def rehearsal_problem(done: Mapping[str, Any]) -> str:
    """Return the reason on one line, from the result of a command."""
    lines = [
        line.rstrip()
        for stream in ("stdout", "stderr")
        for line in str(done.get(stream, "")).splitlines()
        if line.strip() and not re.match(r"\s+(?:at |\.\.\. )", line)
    ]
    for pattern in _TELLING:
        for line in lines:
            if found := pattern.search(line):
                return " ".join(found[1].split())
    if done.get("rc") == 0:
        return "Java ended without an archive of its classes"
    last = " ".join(lines[-1].split()) if lines else str(done.get("msg", "")) or "it said nothing"
    return f"status {done.get('rc', 'unknown')}: {last}"


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "pipeline_"
