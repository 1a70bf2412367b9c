"""How much room a run needs on a host, and whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..plugin_utils.filters import PublicFunctions

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIB = 1 << 20
# A data set of these forms is about as many times as large when it is read.
_COMPRESSED, _GROWTH = (".gz", ".zst", ".parquet"), 10


def plain_size(dataset: str, size: int) -> int:
    """Return about how many bytes of text a data set of `size` bytes has, by its name."""
    return size * (_GROWTH if dataset.lower().endswith(_COMPRESSED) else 1)


def space_problem(
    said: Mapping[str, Mapping[str, Any]],
    dataset: str,
    size: int,
    wanted: Mapping[str, Any],
    host: str,
) -> str:
    """Return in one line which disk of a host lacks room for a run; empty if none does.

    Args:
        said: what df said of each place (broker, data): the free MiB and the folder in its last
            line. A place that it does not know is for others to find.
        dataset: the data set's name.
        size: its bytes, as the file has them.
        wanted: min_free (MiB), factor, and is_producer, is_consumer of the host.
        host: what to call it.

    """
    plain = plain_size(dataset, size)
    needs = {
        "broker": float(wanted["factor"]) * plain,
        "data": wanted["is_producer"] * size
        + wanted["is_consumer"] * float(wanted["factor"]) * plain,
    }
    for place, need in needs.items():
        words = said.get(place, {}).get("out", "").split("\n")[-1].split(maxsplit=1)
        if said.get(place, {}).get("rc") != 0 or not words or not words[0].isdigit():
            continue
        free, least = int(words[0]), int(wanted["min_free"]) + round(need / _MIB)
        if free < least:
            return (
                f"{host}: {free} MiB free in {words[1]}, expected at least {least} MiB: "
                f"pipeline_min_free ({wanted['min_free']}) and what this data set of "
                f"{round(size / _MIB)} MiB needs there; free some space, or lower "
                f"pipeline_min_free or pipeline_space_factor ({wanted['factor']})"
            )
    return ""


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "pipeline_"
