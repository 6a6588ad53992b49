"""The file itself: bytes, digest, text and the table TOML makes of it. No pydantic here: `peek` uses it too."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .hostile import MAX_BYTES, Outline, read_text
from .problem import ConfigProblems, Problem, at_offset, whole_file

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Document:
    """`digest` is the SHA-256 of the file's bytes; `text` has `\\n` line ends and no byte order mark."""

    path: Path
    digest: str
    text: str
    table: dict[str, Any]


def read(path: Path) -> Document:
    """
    Raises:
        ConfigProblems: where the file can't be read, is hostile, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise whole_file(path, f"the file can't be read: {error.strerror or error}") from None
    text = read_text(path, content)
    return Document(path, hashlib.sha256(content).hexdigest(), text, _parse(path, text, Outline.of(path, text)))


def _parse(path: Path, text: str, seen: Outline) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _in_words(path, text, str(error), seen) from None
    except (ValueError, RecursionError):
        # Python refuses to read integers of thousands of digits, and says so without a place.
        raise whole_file(path, "a number or table in it is larger than any config needs") from None


def _in_words(path: Path, text: str, message: str, seen: Outline) -> ConfigProblems:
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
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    if rest.startswith("}"):
        words = "an inline table takes no comma before its }"
    return ConfigProblems([Problem(path, line, column, "", f"this is no TOML: {words[:1].lower()}{words[1:]}")])


def _end(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")
