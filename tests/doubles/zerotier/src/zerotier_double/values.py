"""Values of hand-written JSON, taken as loosely as zerotier-one takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .store import Json

_PORTS = 0xFFFF


def as_object(value: Any) -> Json:
    """Return an object; anything else counts as an empty one."""
    return value if isinstance(value, dict) else {}


def as_truth(value: Any, *, default: bool) -> bool:
    """Return a truth: also a number above 0, or a text that begins with t, T or 1."""
    if isinstance(value, str):
        return value[:1] in {"t", "T", "1"}
    return value > 0 if isinstance(value, bool | int | float) else default


def as_port(value: Any, default: int) -> int:
    """Return a port's number, also from a text of digits; another text counts as 0."""
    if isinstance(value, str):
        return int(value) & _PORTS if value.isdecimal() else 0
    return int(value) & _PORTS if isinstance(value, bool | int | float) else default


def as_text(value: Any, default: str) -> str:
    """Return a text; anything else counts as the default."""
    return value if isinstance(value, str) else default
