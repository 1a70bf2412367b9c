"""Figures as a page: ratios and bars first, then all of them, then the machine."""

from collections.abc import Mapping, Sequence

from tests.bench.measurement import Measurement

MET, NOT_MET = "met", "**not met**"
_THOUSAND = 1000
_SECTION = "\n## "


class BenchError(Exception):
    """Figures that contradict each other, or options that cannot be."""


def ratio(figure: Measurement, by_name: Mapping[str, Measurement]) -> float | None:
    """Return a figure's ratio to its base, or None where it has none.

    Raises:
        BenchError: the base was not measured.

    """
    if figure.base is None:
        return None
    base = by_name.get(figure.base)
    if base is None:
        message = f"{figure.name}: its base {figure.base!r} was not measured"
        raise BenchError(message)
    return figure.value / base.value if base.value else 0.0


def meets(figure: Measurement, by_name: Mapping[str, Measurement]) -> bool | None:
    """Return whether a figure meets its bar, or None where it has none."""
    if figure.bar is None:
        return None
    share = ratio(figure, by_name)
    compared = figure.value if share is None else share
    return compared <= figure.bar if figure.at_most else compared >= figure.bar


def number(value: float) -> str:
    """Return a figure as text: three significant digits, whole from a hundred on."""
    if abs(value) >= _THOUSAND / 10:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _bars(figures: Sequence[Measurement], by_name: Mapping[str, Measurement]) -> str:
    rows = []
    for figure in figures:
        verdict, share = meets(figure, by_name), ratio(figure, by_name)
        if verdict is None or figure.bar is None:
            continue
        shown = f"{number(figure.value)} {figure.unit}" if share is None else number(share)
        unit = f" {figure.unit}" if share is None else ""
        bar = f"{'at most' if figure.at_most else 'at least'} {number(figure.bar)}{unit}"
        of = figure.base or ""
        rows.append([figure.name, shown, of, bar, MET if verdict else NOT_MET])
    return _table(["what", "found", "of", "bar", ""], rows) if rows else "None was measured.\n"


def _all(figures: Sequence[Measurement], by_name: Mapping[str, Measurement]) -> str:
    rows = []
    for figure in figures:
        share = ratio(figure, by_name)
        of = f"{number(share)} of {figure.base}" if share is not None else ""
        rows.append([figure.name, number(figure.value), figure.unit, of])
    return _table(["what", "found", "unit", "ratio"], rows)


def _with_rows(old: str, new: str) -> str:
    """Return a section with the rows of another: in place by their names, else one after another.

    Those without a place follow the last one that has one, or stand at the table's end.
    """
    lines = old.split("\n")
    tables = [place for place, line in enumerate(lines) if line.startswith("| ")]
    if not tables:
        return new
    at = tables[-1]
    for row in [line for line in new.split("\n") if line.startswith("| ")][2:]:
        name = row.split(" | ")[0]
        places = [place for place, line in enumerate(lines) if line.split(" | ")[0] == name]
        at = places[0] if places else at + 1
        lines[at : at + len(places)] = [row]
    return "\n".join(lines)


def updated(old: str, new: str, dates: Mapping[str, str]) -> str:
    """Return a page with another's figures in it, which were measured on these dates, by part."""
    start, *sections = old.split(_SECTION)
    bars, figures, _ = new.split(_SECTION)[1:]
    rows = [[f"date of {part}", date] for part, date in dates.items()]
    more = (bars, figures, _table(["machine", ""], rows))
    return _SECTION.join([start, *map(_with_rows, sections, more)])


def page(figures: Sequence[Measurement], machine: Mapping[str, str], plot: str) -> str:
    """Return the page in Markdown; `plot` is the name of the picture beside it.

    Raises:
        BenchError: a base was not measured, or a name stands twice.

    """
    by_name = {figure.name: figure for figure in figures}
    if len(by_name) < len(figures):
        names = [figure.name for figure in figures]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"{twice}: measured twice; each figure needs a name of its own"
        raise BenchError(message)
    facts = _table(["machine", ""], [list(fact) for fact in machine.items()])
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`; every ratio is between figures of the same run.\n\n"
        f"## Bars\n\n{_bars(figures, by_name)}\n![Ratios to their bars]({plot})\n\n"
        f"## All figures\n\n{_all(figures, by_name)}\n## The machine\n\n{facts}"
    )
