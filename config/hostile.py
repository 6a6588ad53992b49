"""Refuses files no parser should see: tomllib takes seconds for a long dotted key and falls over deep nesting."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from .problem import at_offset, whole_file

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_PARTS = 16
MAX_WORD = 1024
MAX_VALUES = 30_000
MAX_LINES = 100_000

# Of a group in round brackets no `*+`: Python 3.11.2, which Debian 12 has, gives up where such a group may end early.
_TOKEN = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']++|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]++|\\[^\n])*"'
    r"|'[^'\n]*+'"
    r"|\#[^\n]*+"
    r"|\n\s*+"
    r"|[\[\]{}=,.\"']"
    rf"|[^\s\"'\#\[\]{{}}=,.]{{{MAX_WORD + 1},}}+",
    re.DOTALL,
)


def read_text(path: Path, content: bytes) -> str:
    """The file's text with `\\n` line ends and without a byte order mark.

    Raises:
        ConfigProblems: where it is too large or no UTF-8 text.
    """
    if len(content) > MAX_BYTES:
        raise whole_file(path, f"the file has over {MAX_BYTES:,} bytes: that is no config file")
    nul = content.find(b"\0")
    if nul >= 0:
        raise whole_file(path, f"the file is binary: a NUL byte at offset {nul}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise whole_file(
            path, f"the file is no UTF-8 text: byte 0x{content[error.start]:02x} at offset {error.start}"
        ) from None
    if text.count("\n") > MAX_LINES:
        raise whole_file(path, f"the file has over {MAX_LINES:,} lines: that is no config file")
    return text.replace("\r\n", "\n")


@dataclass
class Outline:
    """A walk over the tokens that builds nothing. `broken_inline` is where an inline table meets the end of a line."""

    path: Path
    text: str
    broken_inline: int | None = None
    _open: list[tuple[str, int]] = field(default_factory=list)
    _parts: int = 0
    _values: int = 0

    @classmethod
    def of(cls, path: Path, text: str) -> Outline:
        """
        Raises:
            ConfigProblems: where nesting, a dotted key, a word or the number of values passes its limit.
        """
        outline = cls(path, text)
        for match in _TOKEN.finditer(text):
            if match[0] in ('"', "'"):
                raise at_offset(path, text, match.start(), "this is no TOML: the text that begins here never ends")
            if match[0][0] not in "\"'#":
                outline._pass(match[0].rstrip() or "\n", match.start())
        return outline

    def _pass(self, mark: str, at: int) -> None:
        if len(mark) > 1:
            self._refuse(at, f"a word of over {MAX_WORD:,} characters")
        if mark == ".":
            self._parts += 1
            if self._parts >= MAX_PARTS:
                self._refuse(at, f"a key of over {MAX_PARTS} dotted parts")
            return
        self._parts = 0
        if mark in "=,[{":
            self._values += 1
            if self._values > MAX_VALUES:
                self._refuse(at, f"over {MAX_VALUES:,} values")
        self._follow_brackets(mark, at)

    def _follow_brackets(self, mark: str, at: int) -> None:
        if mark in "[{":
            self._open.append((mark, at))
            if len(self._open) > MAX_DEPTH:
                self._refuse(at, f"nesting over {MAX_DEPTH} deep")
        elif mark in "]}" and self._open:
            self._open.pop()
        elif mark == "\n" and self.broken_inline is None and self._open and self._open[-1][0] == "{":
            self.broken_inline = self._open[-1][1]

    def _refuse(self, at: int, what: str) -> NoReturn:
        raise at_offset(self.path, self.text, at, f"{what}: that is no config file")
