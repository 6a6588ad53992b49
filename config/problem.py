"""What is wrong with a config file, in words, at its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

SHOWN = 100
"""At most this many problems are told at once; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` and `column` count from 1 (None where there is no such place); `key` is dotted, `""` for the file."""

    path: Path
    line: int | None
    column: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = str(self.path) if self.line is None else f"{self.path}:{self.line}:{self.column}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigProblems(Exception):
    """Everything that is wrong with the file, sorted by place; `str()` has one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line or 0, p.column or 0, p.key)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"… and {len(self.problems) - SHOWN} more")
        return "\n".join(lines)


def whole_file(path: Path, message: str) -> ConfigProblems:
    """The one problem of a file that can't be read at all."""
    return ConfigProblems([Problem(path, None, None, "", message)])


def at_offset(path: Path, text: str, offset: int, message: str) -> ConfigProblems:
    """The one problem that stops reading, at a character of the text."""
    before = text[:offset]
    line = before.count("\n") + 1
    return ConfigProblems([Problem(path, line, offset - before.rfind("\n"), "", message)])


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` where a known word is close, else nothing."""
    options = list(known)
    lowered = {option.lower(): option for option in options}
    close = get_close_matches(word[:100].lower(), lowered, n=1)
    return f'; did you mean "{lowered[close[0]]}"?' if close else ""


def choices(word: str, known: Iterable[str]) -> str:
    """What could have been meant: a near match, and all there is to choose from."""
    options = list(known)
    close = near(word, options)
    return f"{close} Known: {listed(options)}" if close else f"; known: {listed(options)}"


def listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"
