"""The file itself: bytes, digest, text and the table TOML makes of it. No pydantic here: `peek` uses it too."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .hostile import MAX_BYTES, Outline, read_text
from .problem import whole_file


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
        # Late: only a broken file needs the place of each key.
        from .toml_errors import toml_problem

        raise toml_problem(path, text, str(error), seen) from None
    except (ValueError, RecursionError):
        # Python refuses to read integers of thousands of digits, and says so without a place.
        raise whole_file(path, "a number or table in it is larger than any config needs") from None
