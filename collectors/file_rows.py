"""Rows of CSV and JSON Lines, each with the line it begins in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .file_patterns import SourceFile, UnreadableFile

RowFormat = Literal["csv", "jsonl"]
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` by column; None where `broken` says what is wrong with the row."""

    line: int
    cells: Mapping[str, object] | None
    broken: str = ""


class Rows:
    """The rows of one file; `header` is None for JSON Lines, which has none."""

    def __init__(self, file: SourceFile, form: RowFormat | None) -> None:
        self._file = file
        start = _start(file)
        guessed: RowFormat = "jsonl" if start.lstrip().startswith(("{", "[")) else "csv"
        self._form = form or guessed
        self.header = self._header(start) if self._form == "csv" else None

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from self._csv() if self._form == "csv" else self._jsonl()
        except UnicodeDecodeError:
            raise _undecodable(self._file) from None

    def _header(self, start: str) -> list[str]:
        first = next((line for line in start.splitlines() if line.strip()), "")
        self._delimiter = max(DELIMITERS, key=lambda d: len(next(csv.reader([first], delimiter=d), [])))
        with self._file.path.open(newline="", encoding="utf-8-sig", errors="replace") as text:
            record = next((r for r in csv.reader(text, delimiter=self._delimiter) if any(r)), [])
        return [name.strip() for name in record]

    def _csv(self) -> Iterator[Row]:
        header = self.header or []
        with self._file.path.open(newline="", encoding="utf-8-sig") as text:
            reader, before, begun = csv.reader(text, delimiter=self._delimiter), 0, False
            try:
                for record in reader:
                    line, before = before + 1, reader.line_num
                    if not any(record):
                        continue
                    if begun:
                        yield _row(line, header, record)
                    begun = True
            except csv.Error as error:
                raise UnreadableFile(self._file.name, reader.line_num, f"the CSV breaks here ({error})") from None

    def _jsonl(self) -> Iterator[Row]:
        with self._file.path.open(encoding="utf-8-sig") as text:
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield _object(number, line)


def _row(line: int, header: list[str], record: list[str]) -> Row:
    extra = len(record) - len(header)
    if extra < 0 or (extra > 0 and any(record[len(header) :])):
        return Row(line, None, f"it has {len(record)} fields, the header {len(header)}")
    return Row(line, dict(zip(header, record, strict=False)))


def _object(line: int, text: str) -> Row:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        value = None
    if isinstance(value, dict):
        return Row(line, value)
    return Row(line, None, "it is no JSON object: JSON Lines has one object on each line")


def _start(file: SourceFile) -> str:
    with file.path.open("rb") as stream:
        start = stream.read(65536)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile(file.name, 1, "it is UTF-16: save it as UTF-8")
    return start.decode("utf-8-sig", errors="replace")


def _undecodable(file: SourceFile) -> UnreadableFile:
    """Where the first byte is that is not UTF-8."""
    with file.path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                words = f"byte 0x{line[error.start]:02X} at column {error.start + 1} is not UTF-8: save it as UTF-8"
                return UnreadableFile(file.name, number, words)
    return UnreadableFile(file.name, None, "it is not UTF-8: save it as UTF-8")
