"""What all declarations have in common, be they of users or of topics: maps, with known keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


def maps(
    kind: str, entries: Sequence[object], problems: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each entry that is a map, with what messages call one that has no name.

    Args:
        kind: what is declared, in one word.
        entries: the declarations as they stand in the inventory.
        problems: gets a line for each entry that is no map, in its turn.

    """
    for number, entry in enumerate(entries, 1):
        place = f"{kind} {number}"
        if isinstance(entry, dict):
            yield place, entry
        else:
            problems.append(f"{place}: found {entry!r}, expected a map with a name")


def unknown_keys(label: str, entry: Mapping[str, Any], keys: Collection[str]) -> list[str]:
    """Return a line for each key of an entry that is none of `keys`."""
    return [
        f"{label}: found the key {key!r}, expected only {', '.join(sorted(keys))}"
        for key in sorted(set(entry) - set(keys), key=str)
    ]
