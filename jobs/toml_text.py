"""Values as TOML text, on one line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ..reports.escaping import screen_safe_json
from .init_tables import quoted


def inline(value: object) -> str:
    """A value that TOML was read from. Characters that could steer a terminal are written as escapes.

    Raises:
        TypeError: for what no TOML holds.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return screen_safe_json(quoted(value))
        case int() | float():
            return repr(value)
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(inline(one) for one in value)}]"
        case Mapping():
            pairs = ", ".join(f"{key(name)} = {inline(one)}" for name, one in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
    raise TypeError(f"{type(value).__name__} is none of TOML's types")


def key(name: str) -> str:
    """The name of a key or table, quoted where it has to be."""
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else inline(name)
