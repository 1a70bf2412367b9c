"""A Markdown document as the checks see it: its links, its headings, and its code."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_FENCE = re.compile(r"^( {0,3})(```+)[ ]*(\w*)[^\n]*\n(.*?)^\1\2[ ]*$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4,}\S.*$", re.MULTILINE)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)((?:.(?!\n[ ]*\n))*?.)(?<!`)\1(?!`)", re.DOTALL)
_TARGET = re.compile(
    r"\]\(\s*<?([^)\s>]+)|^ {0,3}\[[^\]]+\]:\s*(\S+)|(?:src|href)=\"([^\"]+)\"", re.MULTILINE
)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#* *$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
# Blocks of this language show what a program says, or draw.
OUTPUT = "text"


@dataclass(frozen=True)
class Document:
    """A document, which need not be on the disk."""

    path: Path
    text: str

    @cached_property
    def _without_blocks(self) -> str:
        return _FENCE.sub("\n", self.text)

    @cached_property
    def prose(self) -> str:
        """The text without any code."""
        return _SPAN.sub("", self._without_blocks)

    @cached_property
    def links(self) -> list[str]:
        """The targets of links and images."""
        return [next(filter(None, found)) for found in _TARGET.findall(self.prose)]

    @cached_property
    def anchors(self) -> set[str]:
        """The names by which its headings are linked to, as GitHub makes them."""
        seen: Counter[str] = Counter()
        names = set()
        for heading in _HEADING.findall(self._without_blocks):
            words = re.sub(r"[^\w\- ]", "", heading.lower()).strip()
            slug = words.replace(" ", "-")
            names.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        return names

    @cached_property
    def code(self) -> list[str]:
        """Code spans, and lines of code blocks that are not output; continued lines are one."""
        blocks = [body for _, _, language, body in _FENCE.findall(self.text) if language != OUTPUT]
        blocks += _INDENTED.findall(self._without_blocks)
        lines = [
            line.strip()
            for block in blocks
            for line in block.replace("\\\n", " ").splitlines()
            if line.strip()
        ]
        spans = [" ".join(text.split()) for _, text in _SPAN.findall(self._without_blocks)]
        return lines + spans

    def commands(self, program: str) -> Iterator[list[str]]:
        """Yield the arguments of each call of `program` in the code."""
        for line in self.code:
            for name, *arguments in _calls(line):
                if name.rpartition("/")[2] == program:
                    yield arguments


def words_of(line: str) -> list[str]:
    """Return the words of a line of code as a shell sees them, as far as it is one."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def _calls(line: str) -> Iterator[list[str]]:
    """Yield the commands of a line, each without what it sets in its environment."""
    call: list[str] = []
    for word in [*words_of(line), ";"]:
        if word in {"&&", "||", "|", ";"}:
            if call:
                yield call
            call = []
        elif call or not (_ASSIGNMENT.fullmatch(word) or word in {"$", "sudo"}):
            call.append(word.removesuffix(";"))
