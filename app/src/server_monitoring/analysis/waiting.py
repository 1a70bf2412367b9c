"""Wait for the consumer on this host, so that Spark can start while rows are still sent."""

import json
import time
from collections.abc import Callable

from server_monitoring.errors import AnalysisError, one_line
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Group

LOOK_SECONDS = 0.1


def wait_for_consumer(
    run: Run,
    group: Group,
    seconds: float,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Return once the group's consumer on this host has written its summary of the run.

    That is the last thing it does: the segments are whole and end at the run's end offsets.

    Raises:
        AnalysisError: it has not after `seconds`, or it failed.

    """
    tell(f"waiting for the consumer of {group.name}")
    deadline = clock() + seconds
    while (missing := _missing(run, group)) is not None:
        if (reason := _reason(run, group)) is not None:
            raise AnalysisError(f"{run.failed(group.name)}: its consumer failed: {reason}")
        left = deadline - clock()
        if left <= 0:
            raise AnalysisError(
                f"{run.consumed(group.name)}: {missing} after {seconds:g} s of waiting for the "
                f"consumer of {group.name} on this host; see whether it still runs, then start "
                "the same command again"
            )
        sleep(min(LOOK_SECONDS, left))


def _reason(run: Run, group: Group) -> str | None:
    """Return why the group's consumer on this host failed, if it did."""
    try:
        text = run.failed(group.name).read_text(encoding="utf-8")
        return one_line(json.loads(text)["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _missing(run: Run, group: Group) -> str | None:
    """Return what is missing in the consumer's summary; None if it is there."""
    try:
        summary = json.loads(run.consumed(group.name).read_text(encoding="utf-8"))
        found = summary["run_id"], summary["group"]
    except OSError as error:
        return str(error.strerror)
    except (ValueError, KeyError, TypeError):
        return "no consumer's summary"
    if found != (run.run_id, group.name):
        return f"found run {found[0]} and group {found[1]}"
    return None
