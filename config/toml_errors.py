"""What the TOML parser says, in words for the author of a config, at the place of the mistake."""

from __future__ import annotations

import re
from pathlib import Path

from .findings import dotted
from .hostile import Outline
from .places import Place, Places
from .problem import ConfigProblems, Problem, at_offset

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TAKEN = re.compile(r"^(Cannot (overwrite|declare|mutate|redefine)|Duplicate)\b")
_NO_HEADER = re.compile(r"^Expected '\]\]?' at the end")
_NO_KEY = re.compile(r"^Expected '=' after a key")
_PLAIN = "letters, digits, - and _"


def toml_problem(path: Path, text: str, message: str, seen: Outline) -> ConfigProblems:
    """The one problem of a text that is no TOML; `message` is the parser's own."""
    place = _PLACE.search(message)
    words = message[: place.start()] if place else message
    line, column = (int(place[1]), int(place[2])) if place and place[1] else _end(text)
    if seen.broken_inline is not None and text.count("\n", 0, seen.broken_inline) < line:
        return at_offset(
            path,
            text,
            seen.broken_inline,
            "an inline table can't span lines in TOML: write { … } on one line, or give it a [table] of its own",
        )
    if _TAKEN.match(words):
        return ConfigProblems([_taken(path, text, (line, column))])
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    said = _in_words(words, rest)
    return ConfigProblems([Problem(path, line, column, "", f"this is no TOML: {said}")])


def _in_words(words: str, rest: str) -> str:
    if rest.startswith("}"):
        return "an inline table takes no comma before its }"
    if _NO_HEADER.match(words):
        return f'the ] of a table is missing here; names in it have {_PLAIN} only, others stand in quotes: "a b"'
    if _NO_KEY.match(words):
        return f'a key is followed by =; one that has more than {_PLAIN} stands in quotes: "a b" = …'
    return f"{words[:1].lower()}{words[1:]}"


def _taken(path: Path, text: str, stopped: Place) -> Problem:
    """A key or table that is there already: the parser stops behind it, and names it in no way people know."""
    places = Places(text)
    key, (line, column) = next(((k, p) for k, p in places.repeated if p <= stopped), ((), stopped))
    if not key:
        return Problem(path, line, column, "", "this is no TOML: what this line names is there already in another form")
    first = places.of(key)[0]
    return Problem(path, line, column, dotted(key, {}), f"is written twice: line {first} has it already")


def _end(text: str) -> Place:
    return text.count("\n") + 1, len(text) - text.rfind("\n")
