"""One metric, computed over its facts as they were known at one time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .basis import Basis
from .calendar import Calendar
from .definition import MetricDefinition
from .ledger import Ledger
from .ledgers import LEDGERS
from .measures import MEASURES, Measure
from .quantiles import MANY, TAIL
from .ranges import TimeRanges
from .reading import FactNote, Health, Reading
from .simulation import NotEnough, Simulated, simulate
from .span import Span, Spans, age_in_words
from .table import FactTables, from_microseconds, microseconds
from .tracks import measured_services
from .traits import is_carried
from .value import SHAPES, Counted, Value, least_frequent
from .window import Window, WindowLength

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Trouble:
    """What ails a metric's source: it only decides the health of a reading once the data is too old."""

    health: Health
    words: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is stored for one metric: facts, the time they are complete for, whose they are, and what is wrong.

    `coverage` is the intersection over all the metric's streams. `missing` says in words why there
    is no stream at all.
    """

    tables: FactTables
    coverage: TimeRanges
    subjects: tuple[str, ...] = ()
    trouble: Trouble | None = None
    missing: str | None = None
    notes: tuple[str, ...] = field(default=())


class Measurement:
    """A metric's readings and their explanation, by what is known at `as_of`."""

    def __init__(self, definition: MetricDefinition, evidence: Evidence, calendar: Calendar, as_of: datetime) -> None:
        self.definition = definition
        self.as_of = as_of
        self._evidence = evidence
        self.calendar = calendar
        self._spans = Spans(evidence.coverage.clip(_BEGINNING, as_of), definition.exclude, calendar)
        self._simulated: dict[tuple[tuple[datetime, ...], datetime, int], Simulated | NotEnough] = {}

    def readings(self, instants: Iterable[datetime], start: datetime) -> list[Reading]:
        """One reading for each instant, none of them after `as_of`. `start` is where a cycle window begins.

        What is to be said of the metric's facts as a whole stands in the notes of the last one only.
        """
        found = [self._reading(at, start) for at in instants]
        if found:
            fine = self.refusal is None and self.measure is not None
            of_all = self._ledger.notes(self._counted_in(found[-1])) if fine else ()
            found[-1] = replace(found[-1], notes=(*found[-1].notes, *of_all, *self._evidence.notes))
        return found

    def _counted_in(self, reading: Reading) -> pd.DataFrame:
        rows = self._ledger.rows
        at = rows["at"].to_numpy().astype("int64")
        inside = (at >= microseconds(reading.window.start)) & (at < microseconds(reading.at))
        return rows[self._in_force & inside]

    def simulated(self, instants: Sequence[datetime], start: datetime, *, seed: int) -> Simulated | NotEnough:
        """What its values may be after `as_of`. `start` as in `readings`; one seed gives the same each time."""
        if self.refusal is not None:
            return NotEnough(self.refusal)
        asked = (tuple(instants), start, seed)
        if asked not in self._simulated:
            self._simulated = {asked: self._simulate(instants, start, seed)}  # only the last: it may hold much
        return self._simulated[asked]

    def _simulate(self, instants: Sequence[datetime], start: datetime, seed: int) -> Simulated | NotEnough:
        return simulate(
            self.definition,
            self.counted,
            self.usable,
            self.calendar,
            now=self.as_of,
            instants=instants,
            start=start,
            seed=seed,
        )

    def facts(self, window: Window, newest: int | None = None) -> list[FactNote]:
        """Every fact that belongs into the window (of many only the newest), oldest first: counted or not, and why."""
        if self.refusal and self.measure is None:
            return []
        rows = self._ledger.rows
        at = rows["at"].to_numpy().astype("int64")
        low, high = map(int, at.searchsorted([microseconds(window.start), microseconds(window.end)]))
        return self.noted(range(low if newest is None else max(low, high - newest), high))

    def fact(self, row: int) -> Mapping[str, Any]:
        """What is stored of the fact in this row of the ledger, and what was made of it, by name of column."""
        return self._ledger.row(row)

    def noted(self, rows: Iterable[int]) -> list[FactNote]:
        """The facts in these rows of the ledger."""
        return [self._note(row) for row in rows]

    def evidence(self, reading: Reading, newest: int | None = None) -> list[FactNote]:
        """Every fact the reading looked at, or so many of the newest. One carried forward rests on the newest sample
        alone."""
        if self._is_carried:
            return self._newest_evidence(reading, newest)
        notes = self.facts(Window(reading.window.start, reading.at), newest)
        return self._of_the_worst(notes, reading.window) if self.definition.across == "worst" else notes

    def basis(self, at: datetime, start: datetime) -> Basis | None:
        """What the reading at an instant is computed from; None where there can be none. `start` as in `readings`."""
        if self.refusal is not None or self.measure is None:
            return None
        return self._basis(self.measure, self._spans.of(self.definition.window.ending(at, self.calendar, start)))

    def basis_ahead(self, window: Window) -> Basis | None:
        """What a reading of this window, part of which is yet to come, would be computed from."""
        if self.refusal is not None or self.measure is None:
            return None
        return self._basis(self.measure, self._spans.until(window)).narrowed()

    def _basis(self, measure: Measure, span: Span) -> Basis:
        formula = SHAPES[measure.shape]
        return Basis(
            definition=self.definition, formula=formula, counted=self.counted, span=span, calendar=self.calendar
        )

    @cached_property
    def measure(self) -> Measure | None:
        return MEASURES.get(self.definition.measure)

    @cached_property
    def _is_carried(self) -> bool:
        return is_carried(self.definition)

    @cached_property
    def _ledger(self) -> Ledger:
        """Made once for the metric over all its windows: what a fact is taken for depends on none."""
        tables = self._evidence.tables
        anywhere = replace(self.definition, window=_ANY_WINDOW, exclude=())
        make = LEDGERS[self.definition.measure]
        return tables.once(("ledger", repr(anywhere), self.as_of), lambda: make(anywhere, tables, self.as_of))

    @cached_property
    def counted(self) -> Counted:
        """All its facts that count, in time that is collected and not excluded."""
        return Counted.of(self._ledger.rows, self._in_force, self.subjects)

    @cached_property
    def _in_force(self) -> np.ndarray[Any, Any]:
        """Which rows count, and lie in time that is collected and not excluded."""
        import numpy as np

        rows = self._ledger.rows
        at = rows["at"].to_numpy().astype("int64")
        inside = np.zeros(len(rows), dtype=bool)
        for r in self._spans.usable:
            inside |= (at >= microseconds(r.start)) & (at < microseconds(r.end))
        return rows["counted"].to_numpy(dtype=bool) & inside

    @property
    def usable(self) -> TimeRanges:
        """The time that is collected completely and not excluded."""
        return self._spans.usable

    def rests_on(self, tables: FactTables) -> bool:
        return self._evidence.tables is tables

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Whose facts are measured: repositories, and the services that they are split into."""
        repositories = self._evidence.subjects
        if self.measure is None or self._evidence.missing or not self.definition.split:
            return repositories
        rows = self._ledger.rows
        return measured_services(self.definition, repositories, rows) if "service" in rows else repositories

    @cached_property
    def refusal(self) -> str | None:
        """Why there can be no reading, whatever the window."""
        if self.measure is None:
            return f"{self.definition.measure} is unknown"
        if self._evidence.missing:
            return self._evidence.missing
        across = self.measure.shape == "rate" and len(self.subjects) > 1
        if across and self.definition.across not in ("sum", "worst"):
            return f'it covers {len(self.subjects)} services: say across = "sum" or "worst"'
        return self._ledger.refusal

    def _reading(self, at: datetime, start: datetime) -> Reading:
        window = self.definition.window.ending(at, self.calendar, start)
        span = self._spans.of(window)
        if self.refusal is not None or self.measure is None:
            return self._assemble(at, window, span, Value(value=None, reason=self.refusal or ""), span.age)
        value = SHAPES[self.measure.shape](self.definition, self.counted, span, self.calendar)
        age = span.age if value.data_end is None else at - min(value.data_end, at)
        if span.age is None or (not span.counted and value.data_end is None):
            value = Value(value=None, reason="nothing was collected for this time")
        return self._assemble(at, window, span, value, age)

    def _assemble(self, at: datetime, window: Window, span: Span, value: Value, age: timedelta | None) -> Reading:
        number = value.value if value.value is not None and math.isfinite(value.value) else None
        states = self._states(value if number is value.value else replace(value, value=number), span, age, window)
        end = span.window.end if value.data_end is None else min(value.data_end, at)
        notes = (*(words for _, words in states), *value.notes, *self._window_notes(window, span.age))
        return Reading(
            at=at,
            day=self.calendar.day_closed_by(at),
            value=number,
            unit=self.definition.unit.text,
            interval=value.interval,
            n=float(value.n),
            numerator=None if value.numerator is None else float(value.numerator),
            denominator=None if value.denominator is None else float(value.denominator),
            health=states[0][0] if states else Health.OK,
            covered=span.covered,
            window=Window(min(window.start, end), end),
            notes=tuple(note for note in notes if note),
        )

    def _states(self, value: Value, span: Span, age: timedelta | None, window: Window) -> list[tuple[Health, str]]:
        """Everything that keeps the reading from being ok, worst first, each in words."""
        states: list[tuple[Health, str]] = []
        too_old = age is None or age > self.definition.max_age
        trouble = self._evidence.trouble
        if trouble is not None and too_old:
            states.append((trouble.health, trouble.words))
        if value.value is None:
            states.append((Health.NO_DATA, value.reason))
        elif too_old:
            what = "the last value" if self._is_carried else "the newest data"
            words = f"{what} is {age_in_words(age)} old; it may be {age_in_words(self.definition.max_age)}"
            states.append((Health.STALE, words))
        few = self._few(window)
        if value.value is not None and value.n < few:
            states.append((Health.TOO_FEW, f"{value.n:g} where {few:g} are needed"))
        if span.counted and span.covered < self.definition.min_covered and not self._is_carried:
            states.append((Health.PARTIAL, f"only {span.covered:.0%} of the window was collected"))
        return states

    def _few(self, window: Window) -> float:
        """How many facts (values, days, requests) a reading needs."""
        if self.definition.min_samples is not None:
            return self.definition.min_samples
        if self.measure is None:
            return 0
        if self.measure.shape == "samples":
            return 1 if self._is_carried else self.calendar.days_between(window.start, window.end) / 2
        if self.measure.shape in ("quantile", "histogram") and self.definition.quantile >= TAIL:
            return MANY
        return self.measure.few

    def _window_notes(self, window: Window, age: timedelta | None) -> list[str]:
        if self.measure is None or self.refusal is not None:
            return []
        notes = [*self._left_out(window), *self._exclusions(window)]
        trouble = self._evidence.trouble
        # Days that were collected before the trouble began have nothing to do with it.
        if trouble is not None and age is not None and timedelta(0) < age <= self.definition.max_age:
            notes.append(trouble.words)
        return notes

    def _left_out(self, window: Window) -> list[str]:
        edges = [microseconds(window.start), microseconds(window.end)]
        notes = []
        for words, at in self._left_out_at.items():
            low, high = at.searchsorted(edges)
            if high > low:
                notes.append(f"{high - low} left out: {words}")
        return notes

    @cached_property
    def _left_out_at(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """When the facts lie that are left out and worth a note, by the note's words."""
        rows = self._ledger.rows
        at, role = rows["at"].to_numpy().astype("int64"), rows["role"].to_numpy(dtype=object)
        return {words: at[role == name] for name, words in self._ledger.left_out.items()}

    def _exclusions(self, window: Window) -> list[str]:
        """Each exclusion that cuts this window, with its reason."""
        if not self.definition.exclude:
            return []
        first, last = self.calendar.day_of(window.start), self.calendar.day_closed_by(window.end)
        return [
            f"{e.start} to {e.end} left out: {e.reason}"
            for e in self.definition.exclude
            if e.start <= last and e.end >= first
        ]

    def _note(self, row: int) -> FactNote:
        one = self._ledger.row(row)
        at = from_microseconds(one["at"].value // 1000)
        counted, why = bool(self._in_force[row]), self._ledger.why(row)
        if one["counted"] and not counted:
            excluded = at in self._spans.excluded
            why += "; left out: " + ("its day is excluded" if excluded else "outside the time collected completely")
        return FactNote(
            key=one["key"],
            at=at,
            subject=one.get("service", one["subject"]),
            counted=counted,
            role=one["role"],
            why=why,
            url=one.get("url"),
        )

    def _of_the_worst(self, notes: list[FactNote], window: Window) -> list[FactNote]:
        """Of several services only the least frequent one's facts count."""
        if self.refusal is not None:
            return notes
        _, worst = least_frequent(self.counted, self.counted.between(window.start, window.end))
        return [
            replace(note, counted=False, why=f"{note.why}; left out: {worst} is the least frequent service")
            if note.counted and note.subject != worst
            else note
            for note in notes
        ]

    def _newest_evidence(self, reading: Reading, newest: int | None) -> list[FactNote]:
        """The newest sample counts; those before it inside the window were replaced by it."""
        notes = self.facts(Window(min(reading.window.start, reading.window.end), reading.at), newest)
        counted = next((note for note in reversed(notes) if note.counted), None)
        return [
            note
            if note is counted or not note.counted
            else replace(note, counted=False, why=f"{note.why}; replaced by a newer one")
            for note in notes
        ]


_BEGINNING = from_microseconds(0)
_ANY_WINDOW = WindowLength(None)
