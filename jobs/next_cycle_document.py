"""The next cycle's draft as TOML, with comments that say where each part of it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ..krs.judgement import Status
from ..reports import grade_words, wording
from ..reports.dates import Dates
from ..reports.escaping import clean
from ..reports.looks import LOOKS
from ..reports.numbers import amount, graded, written_period
from ..reports.values import Learned
from .init_tables import Table, document
from .next_cycle_parts import LeftOut, Next, NextKeyResult, NextObjective
from .toml_text import inline, key


def written(found: Next, today: date) -> str:
    """The text of the draft. Each key result in it is a draft, measured and not judged."""
    return document(_blocks(found, today))


def _blocks(found: Next, today: date) -> Iterator[Table | str]:
    last, cycle = found.last, found.cycle
    dates = Dates(last.timezone, last.cycle.end)
    state = grade_words.closed(last, dates) or "not closed yet"
    yield clean(
        f"Drafted by `keyresults new-cycle` on {today} from {last.cycle.name} ({state}). Each key result is a draft, "
        "measured and not judged: change it to what you want, then take its line draft = true away."
    )
    if not found.names_itself:
        entries = {"start": cycle.start.isoformat(), "end": cycle.end.isoformat()}
        yield Table(header=f"[cycles.{key(cycle.name)}]", entries=entries)
    yield from _learned([one for one in found.lessons if one.key_result is None])
    for objective in found.objectives:
        yield from _objective(objective, found.lessons, dates)


def _objective(one: NextObjective, lessons: Sequence[Learned], dates: Dates) -> Iterator[Table | str]:
    told = one.told
    grade = f"Graded {grade_words.of_objective(told.grade)}."
    if one.key_results:
        entries = {name: inline(value) for name, value in one.table.items()}
        yield Table(header="[[objectives]]", entries=entries, above=clean(grade))
    else:
        yield clean(f"Nothing is carried over of the objective {told.title!r} ({told.id}). {grade}")
    for kr in one.key_results:
        yield _key_result(kr, lessons, dates)
    for left in one.left_out:
        yield _left_out(left, lessons, dates)


def _key_result(one: NextKeyResult, lessons: Sequence[Learned], dates: Dates) -> Table:
    said = [*_became(one, dates), *_measured(one, dates), *_wanted(one), *_lessons_of(one.told.id, lessons)]
    return Table(
        header="[[objectives.key_results]]",
        entries={name: inline(value) for name, value in one.table.items()},
        above=clean(" ".join(f"{words.rstrip('.')}." for words in said)),
        indent="  ",
    )


def _became(one: NextKeyResult, dates: Dates) -> Iterator[str]:
    told = one.told
    look = LOOKS[told.judgement.status].words
    grade = f", graded {graded(told.grade.value)}" if told.grade and told.grade.value is not None else ""
    yield f"{look[0].upper()}{look[1:]}{grade}: {wording.way(told)}"
    if told.grade and told.grade.by_hand:
        yield f"Graded by hand: {told.grade.by_hand}"
    yield from (f"Held back: {words}" for words in wording.guardrails(told, holding=False))


def _measured(one: NextKeyResult, dates: Dates) -> Iterator[str]:
    if one.measured is None:
        return
    if one.measured.value is None or not one.measured.usable(accept_partial=True):
        yield f"Nothing can be measured to start from: {'; '.join(one.measured.notes) or one.measured.health.value}"
        return
    period = written_period(one.told.target.text)
    said = [amount(one.measured.value, one.told.unit, per=period), wording.rests_on(one.measured, one.counted)]
    yield f"Measured {dates.window(one.measured.window)}: {', '.join(s for s in said if s)}"


def _wanted(one: NextKeyResult) -> Iterator[str]:
    status = one.told.judgement.status
    if one.held and "keep" in one.table["target"]:
        limit = inline({"metric": one.metric, **one.table["target"]["keep"]})
        yield f"Reached, so it is to be held; it may as well guard another key result: guardrails = [{limit}]"
    elif one.held:
        yield "Reached, and counted anew from the start: ask for more, or drop it"
    elif status is Status.LANDED:
        yield "What is left of it is carried over: go on, hold what was reached, or drop it"
    elif status is Status.NOT_MEASURED:
        yield "See to its data first, or it will not be measured again"
    elif status is Status.DRAFT:
        yield "It was a draft already"
    else:
        yield "Carried over: go on, change it, or drop it"
    if one.held or any(c.isdigit() for c in one.told.title):
        yield "Its title is still the last cycle's"


def _left_out(left: LeftOut, lessons: Sequence[Learned], dates: Dates) -> str:
    said = [f"Not carried over, {left.told.title!r} ({left.told.id})", left.why, *_lessons_of(left.told.id, lessons)]
    return clean(" ".join(f"{dates.in_text(words).rstrip('.')}." for words in said))


def _lessons_of(key_result: str, lessons: Sequence[Learned]) -> Iterator[str]:
    yield from (f"Learned: {one.text}" for one in lessons if one.key_result == key_result)


def _learned(lessons: Sequence[Learned]) -> Iterator[str]:
    yield from (clean(f"Learned: {one.text}") for one in lessons)
