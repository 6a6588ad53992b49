"""Reading all fact files of a source once: facts, what was wrong with rows, and what to remember of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from sys import intern
from zoneinfo import ZoneInfo

from ..metrics.facts import Fact, Sample
from .contract import ConfigError, Context
from .file_cells import Cells
from .file_facts import FIELDS, NEEDED, FactMaker, NotYet
from .file_options import FileOptions
from .file_patterns import SourceFile, UnreadableFile
from .file_rows import Row, Rows
from .near import near

Readers = Sequence[tuple[str, str, Callable[[Cells, object], object]]]
"""Field, column, and how its cells are read."""

PROBLEMS = 50
"""How many rows that can't be read are named."""


class Reading:
    """One pass over the files. Its findings are complete once `facts` is exhausted.

    `times` are the facts' keys and whole seconds; `first` and `last` bound their instants.
    `complete` is False where a file could not be read to its end; `settled` where a row must be
    read again later though its file stays as it is.
    """

    def __init__(self, options: FileOptions, context: Context) -> None:
        self.times: dict[str, int] = {}
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.complete = True
        self.settled = True
        self._options = options
        self._source = context.source
        self._calendar = context.calendar
        self._now = context.clock()
        self._cells = Cells(options.time, ZoneInfo(options.zone) if options.zone else context.calendar.zone)
        self._problems: list[str] = []
        self._places: dict[str, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        more = len(self._problems) - PROBLEMS
        return (*self._problems[:PROBLEMS], *([f"and {more} more rows like these"] if more > 0 else []))

    def facts(self, files: tuple[SourceFile, ...]) -> Iterator[Fact]:
        """
        Raises:
            ConfigError: where a file lacks a column.
        """
        for file in files:
            try:
                file.check_size()
                yield from self._facts_of(file)
            except UnreadableFile as error:
                self._problems.append(str(error))
                self.complete = False

    def _facts_of(self, file: SourceFile) -> Iterator[Fact]:
        rows = Rows(file, self._options.format)
        if rows.header == []:
            return
        columns = self._columns(file, rows.header)
        maker = FactMaker(self._options.facts, self._source, self._calendar, self._now)
        readers = [(field, column, FIELDS[self._options.facts][field]) for field, column in columns.items()]
        for row in rows:
            fact = self._fact(file, row, readers, maker)
            if fact is not None:
                yield fact

    def _fact(self, file: SourceFile, row: Row, readers: Readers, maker: FactMaker) -> Fact | None:
        try:
            if row.cells is None:
                raise ValueError(row.broken)
            fact = maker.make(self._values(row.cells, readers))
        except NotYet as error:
            self.settled = False
            self._problem(file, row, str(error))
            return None
        except ValueError as error:
            self._problem(file, row, str(error))
            return None
        self._note(file, row, fact)
        return fact

    def _values(self, cells: Mapping[str, object], readers: Readers) -> dict[str, object]:
        values: dict[str, object] = {}
        for field, column, read in readers:
            cell = cells.get(column)
            if isinstance(cell, str):
                cell = intern(cell.strip())
            if cell is None or cell == "":
                continue
            words = self._options.values.get(field)
            if words:
                cell = words.get(str(cell), cell)
            try:
                values[field] = read(self._cells, cell)
            except ValueError as error:
                raise ValueError(f"{column}: {error}") from None
        if self._options.facts == "deployments" and not self._has_status(cells):
            values["status"] = "success"
        return values

    def _has_status(self, cells: Mapping[str, object]) -> bool:
        """Without a status column rows are what was deployed; with one, an empty status is a deployment under way."""
        return "status" in self._options.columns or "status" in cells

    def _note(self, file: SourceFile, row: Row, fact: Fact) -> None:
        place = f"{file.name}:{row.line}"
        before = self._places.setdefault(fact.key, place)
        if before is not place:
            self._problems.append(f"{place}: {before} has the same key {fact.key!r}; the later row counts")
        self.times[fact.key] = int(fact.at.timestamp())
        end = fact.until if isinstance(fact, Sample) and fact.until else fact.at
        self.first = fact.at if self.first is None or fact.at < self.first else self.first
        self.last = end if self.last is None or end > self.last else self.last
        if isinstance(fact, Sample) and not fact.final:
            self.settled = False

    def _problem(self, file: SourceFile, row: Row, words: str) -> None:
        self._problems.append(f"{file.name}:{row.line}: {words}")

    def _columns(self, file: SourceFile, header: list[str] | None) -> dict[str, str]:
        """The column of each field this file states."""
        fields = FIELDS[self._options.facts]
        wanted = {field: self._options.columns.get(field, field) for field in fields}
        if header is None:
            return wanted
        for field, column in self._options.columns.items():
            if column not in header:
                raise ConfigError(f"{file.name} has no column {column!r} ({field}); {near(column, header)}")
        columns = {field: column for field, column in wanted.items() if column in header}
        twice = [column for column in columns.values() if header.count(column) > 1]
        if twice:
            raise ConfigError(f"{file.name} has more than one column {twice[0]!r}: rename one")
        for group in NEEDED[self._options.facts]:
            if not set(group) & set(columns):
                words = f"no column says {' or '.join(group)}; {file.name} has {', '.join(header)}"
                raise ConfigError(f'{words}: name it, columns = {{ {group[0]} = "…" }}')
        return columns
