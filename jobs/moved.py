"""By which services or changes a key result moved: the facts that came into its window or left it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ..metrics.facts import name_within
from ..metrics.measurement import Measurement
from ..metrics.movers import Movement, Mover
from ..metrics.reading import FactNote
from ..metrics.traits import counted_in_words, is_carried, parts_in_words
from ..reports import moving
from .bindings import Bindings
from .evidence import Evaluation

FACTS = 50
"""How many facts a report shows behind a number; the rest are in the evidence beside it."""


@dataclass(frozen=True)
class Cause:
    """`why` in words, the weightiest first; `facts` those behind it."""

    why: tuple[str, ...] = ()
    facts: tuple[FactNote, ...] = ()


@dataclass
class Causes:
    """What moved the metrics of one evaluation."""

    evaluation: Evaluation

    def of(self, metric: str, start: datetime, before: datetime, after: datetime) -> Cause:
        """From the reading at one instant to that at a later one. `start` is where a cycle window begins."""
        measurement = self.evaluation.measurement(metric)
        then, now = measurement.basis(before, start), measurement.basis(after, start)
        if then is None or now is None:
            return Cause()
        movement = Movement(before=then, after=now)
        measure = measurement.measure
        if is_carried(measurement.definition):
            return self._carried(measurement, movement)
        if measure is not None and measure.shape in ("samples", "histogram"):
            return _by_days(measurement, movement)
        return self._by_groups(measurement, movement)

    def _by_groups(self, measurement: Measurement, movement: Movement) -> Cause:
        groups = movement.groups()
        if not groups:
            return Cause()
        named = [movement.together(groups[0])] if moving.is_even(groups) else moving.weighty(groups)
        valued = movement.after.counted.values is not None
        singles = movement.singles(named[0]) if valued or named[0].n <= 2 else []
        titles = [title for one in singles[:2] if (title := self._title(measurement, one.rows[0]))]
        said = [_group(measurement, movement, one, valued=valued) for one in named]
        if valued and titles and not named[0].whose:
            said = []  # that there were changes says less than which
        rows = [row for one in (*singles[:2], *groups) for row in reversed(one.rows)]
        facts = measurement.noted(list(dict.fromkeys(rows))[:FACTS])
        return Cause(why=(*said, *titles)[: moving.MOST], facts=tuple(facts))

    def _carried(self, measurement: Measurement, movement: Movement) -> Cause:
        """From one sample to another: what they were counted from, and the change that did most of it."""
        notes = measurement.noted(dict.fromkeys(movement.newest))
        if len(notes) < 2:
            return Cause()
        before, after = notes
        counts = "denominator" in movement.after.counted.ledger
        said = [f"{after.why}, after {before.why}"] if counts else []
        step = movement.longest_step
        if step is None:
            return Cause(tuple(said), (after, before))
        title = self._title(measurement, step)
        facts = dict.fromkeys((after, *measurement.noted([step]), before))
        return Cause((*said, *([title] if title else [])), tuple(facts))

    def _title(self, measurement: Measurement, row: int) -> str:
        """Of a change or an incident its own; of all else that of the change whose commit it is."""
        one = measurement.fact(row)
        if one.get("title"):
            return moving.titled(name_within(str(one["subject"]), str(one["key"])), str(one["title"]))
        return self._titles.get(str(one.get("commit") or ""), "")

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        """Those of the changes by commit, whose names no two repositories share."""
        streams = [s.stream.id for s in Bindings(self.evaluation.config, self.evaluation.store).of_kind("changes")]
        columns = self.evaluation.store.facts(
            "changes", streams, until=self.evaluation.as_of, columns=("subject", "commit", "key", "title")
        )
        return {
            commit: moving.titled(name_within(subject, key), title)
            for subject, commit, key, title in zip(*columns.values(), strict=True)
            if title and commit
        }


def _group(measurement: Measurement, movement: Movement, one: Mover, *, valued: bool) -> str:
    definition = measurement.definition
    hits, misses = parts_in_words(definition)
    plural = {"hits": hits, "misses": misses}.get(one.part) or counted_in_words(definition)
    alone = movement.alone(one) if valued else None
    return moving.group(one, plural, definition.unit.text, alone)


def _by_days(measurement: Measurement, movement: Movement) -> Cause:
    """How the days that came differ from those that left, and the one day that did most.

    Where windows have nothing in common the numbers say the former already.
    """
    if not movement.change:
        return Cause()
    unit = measurement.definition.unit.text
    said: list[str] = []
    if movement.is_overlapping:
        plural = "days" if measurement.measure and measurement.measure.shape == "histogram" else "samples"
        ends = ((movement.came, True), (movement.left, False))
        came, left = ((len(facts), movement.value_alone(facts, came=is_new)) for facts, is_new in ends)
        said += moving.days(came, left, plural, unit)
    day = movement.strongest_day() if measurement.definition.window.days != 1 else None
    if day is not None:
        on = measurement.noted(day.rows)[0].at
        said.append(moving.day(measurement.calendar.day_of(on), movement.alone(day), unit, came=day.came))
    return Cause(tuple(said), _facts(measurement, movement, day))


def _facts(measurement: Measurement, movement: Movement, first: Mover | None = None) -> tuple[FactNote, ...]:
    rows = dict.fromkeys([*(first.rows if first else ()), *_newest_first(movement)])
    return tuple(measurement.noted(list(rows)[:FACTS]))


def _newest_first(movement: Movement) -> Iterator[int]:
    for facts in (movement.came, movement.left):
        yield from (int(place) for place in movement.after.counted.places[facts][::-1])
