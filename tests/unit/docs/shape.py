"""The one shape of the pages of roles: a paragraph and four headings, on at most 30 lines."""

import re
from collections.abc import Iterator

from tests.unit.docs.markdown import Document

HEADINGS = ["Needs", "Settings", "Promises", "Files"]
LINES = 30
# So that a line is one: a table's row may be longer than a sentence.
CHARACTERS = 140


def too_large(document: Document, lines: int) -> Iterator[str]:
    """Yield what is above the measure of a page."""
    found = document.text.splitlines()
    if len(found) > lines:
        yield f"{len(found)} lines, expected at most {lines}"
    for number, line in enumerate(found, 1):
        if len(line) > CHARACTERS:
            yield f"line {number}: {len(line)} characters, expected at most {CHARACTERS}"


def faults_of(document: Document) -> list[str]:
    """Return what is not as the page of a role should be."""
    faults = list(too_large(document, LINES))
    head, *parts = re.split(r"^## +(.*)$", document.text, flags=re.MULTILINE)
    title, _, paragraph = head.partition("\n")
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    name = document.path.parent.relative_to(document.path.parents[1])
    if title.strip("# ") not in {str(name), f"pipeline/tasks/{name}"} or not title.startswith("# "):
        faults.append(f"title: found {title}, expected # {name}")
    if not paragraph.strip():
        faults.append(f"nothing before {HEADINGS[0]}, expected a paragraph")
    if list(sections) != HEADINGS:
        faults.append(f"headings: found {', '.join(sections)}, expected {', '.join(HEADINGS)}")
    faults += [f"{heading}: empty" for heading, text in sections.items() if not text.strip()]
    if "defaults/main.yml" not in sections.get("Settings", ""):
        faults.append("Settings: no word of defaults/main.yml")
    return faults
