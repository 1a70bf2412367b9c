"""Strict reading of a YAML file: every value is read by its type, every key must be known."""

import re
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from server_monitoring.errors import ConfigError, one_line
from server_monitoring.model.values import canonical_double


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice: plain YAML would silently take the last."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - the signature is PyYAML's
    ) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                message = f"line {line}: the key {key!r} is given twice; remove one"
                raise ConfigError(message)
            seen.add(key)
        return super().construct_mapping(node, deep)


class Node:
    """A value in the file, with its path such as `groups.cpu_mem.aggregate`.

    Every method raises ConfigError with the file, the path, what was found and what is expected.
    """

    def __init__(self, file: Path, path: str, value: object) -> None:
        """Wrap `value`, found at `path` of `file`."""
        self.file = file
        self.path = path
        self.value = value

    def fail(self, expected: str, found: object = None) -> ConfigError:
        """Return the error for this value."""
        shown = one_line(repr(self.value if found is None else found), 80)
        where = f"{self.path}: " if self.path else ""
        return ConfigError(f"{self.file}: {where}found {shown}, expected {expected}")

    def children(self, what: str = "a mapping of names to values") -> dict[str, "Node"]:
        """Return the entries of a mapping with text keys."""
        if not isinstance(self.value, dict):
            raise self.fail(what)
        found = {}
        for key, value in self.value.items():
            path = f"{self.path}.{key}" if self.path else str(key)
            if not isinstance(key, str):
                raise Node(self.file, path, key).fail("a name as key (quote it)")
            found[key] = Node(self.file, path, value)
        return found

    def fields(self, names: Iterable[str], optional: Iterable[str] = ()) -> dict[str, "Node"]:
        """Return the entries of a mapping: all of the keys `names`, perhaps some of `optional`."""
        wanted = list(names)
        known = [*wanted, *optional]
        found = self.children("a mapping with the keys " + ", ".join(wanted))
        for name in found:
            if name not in known:
                raise found[name].fail("no such key (known: " + ", ".join(known) + ")", found=name)
        for name in wanted:
            if name not in found:
                path = f"{self.path}.{name}" if self.path else name
                raise ConfigError(f"{self.file}: {path}: missing; add it")
        return found

    def items(self, what: str) -> list["Node"]:
        """Return the entries of a list."""
        if not isinstance(self.value, list):
            raise self.fail(what)
        return [Node(self.file, f"{self.path}[{i}]", v) for i, v in enumerate(self.value)]

    def text(self, expected: str, accept: re.Pattern[str] | Callable[[str], bool]) -> str:
        """Return a text that `accept` matches as a whole."""
        test = accept.fullmatch if isinstance(accept, re.Pattern) else accept
        if not isinstance(self.value, str) or not test(self.value):
            raise self.fail(expected)
        return self.value

    def choice(self, *choices: str) -> str:
        """Return one of the texts `choices`."""
        return self.text(" or ".join(choices), lambda text: text in choices)

    def truth(self) -> bool:
        """Return true or false, which may be spelled as text."""
        known = {True: True, False: False, "true": True, "false": False}
        if type(self.value) not in (bool, str) or self.value not in known:
            raise self.fail("true or false")
        return known[self.value]

    def integer(self, lowest: int, highest: int) -> int:
        """Return a whole number between `lowest` and `highest`."""
        if type(self.value) is not int or not lowest <= self.value <= highest:
            raise self.fail(f"a whole number from {lowest} to {highest}")
        return self.value

    def decimal(self) -> Decimal:
        """Return a finite number as the decimal that the file has."""
        if type(self.value) not in (int, float):
            raise self.fail("a number")
        try:
            return Decimal(canonical_double(float(str(self.value))))
        except (ValueError, OverflowError) as error:
            raise self.fail(str(error)) from error


def load_yaml(file: Path) -> Node:
    """Read a YAML file.

    Raises:
        ConfigError: the file is missing, cannot be read, or is not YAML.

    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{file}: {error.strerror}; provision this host, or name a file with --config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 ({error.reason}); save it as UTF-8") from error
    try:
        # A subclass of SafeLoader: no tag can construct anything but plain values.
        value = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"{file}: not valid YAML: {one_line(error)}") from error
    return Node(file, "", value)
