"""Tables of a config as text: with comments above, and commented out where they are only offered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from textwrap import wrap

WIDTH = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One TOML table. `entries` are keys and values as TOML text; one that is not `active` is commented out."""

    header: str
    entries: Mapping[str, str] = field(default_factory=dict)
    above: str = ""
    active: bool = True
    indent: str = ""

    def lines(self) -> list[str]:
        said = [f"{self.indent}{line}" for line in comment(self.above)]
        table = [self.header, *(f"{key} = {value}" for key, value in self.entries.items())]
        off = "" if self.active else "# "
        return [*said, *(f"{self.indent}{off}{line}" for line in table)]


def comment(words: str) -> list[str]:
    return [f"# {line}" for line in wrap(words, WIDTH - 2, break_long_words=False, break_on_hyphens=False)]


def document(tables: Iterable[Table | str]) -> str:
    """The tables, an empty line between two; text among them is a comment of its own."""
    blocks = ("\n".join(comment(one) if isinstance(one, str) else one.lines()) for one in tables)
    return "\n\n".join(blocks) + "\n"


def quoted(text: str) -> str:
    """As a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(texts: Iterable[str]) -> str:
    return "[" + ", ".join(quoted(text) for text in texts) + "]"
