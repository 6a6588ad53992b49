"""What the smaller commands print on a terminal: a series, an explanation, sources, a collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..metrics.ranges import TimeRange
from ..metrics.reading import FactNote, Health, Reading
from ..metrics.samples import SAMPLE
from . import fact_words, wording
from .dates import Dates
from .escaping import clean
from .numbers import amount, count, many, readable_period
from .queries import told_apart
from .upcoming import LATE
from .values import CollectionResult, Explanation, MetricSeries, SourceState, StreamRun

MOST_PROBLEMS = 5

_FAILED = frozenset({"refused", "unauthorized", "failed"})
_NOUNS = frozenset({SAMPLE, "attempt", "latest attempt", "earlier attempt", "rollback", "redeploy", "duplicate"})


def metric(series: MetricSeries) -> RenderableType:
    """One line per day, oldest first."""
    table = _table("day", "value", "of", "")
    table.columns[1].justify = "right"
    known = [abs(r.value) for r in series.readings if r.value is not None]
    per = series.per or readable_period(max(known, default=None))
    dates = Dates(series.timezone, max((r.day for r in series.readings), default=date.min))
    for reading in series.readings:
        table.add_row(
            dates.day(reading.day),
            clean(amount(reading.value, reading.unit, per=per)),
            clean(wording.rests_on(reading, series.counted)),
            Text(clean("; ".join(_remarks(reading, dates))), style="dim"),
        )
    return Group(_title(series.metric, dates.in_text(series.definition)), "", table)


def explanation(explained: Explanation) -> RenderableType:
    """The reading, the counts that give it, then every fact with whether and why it counted."""
    reading = explained.reading
    dates = Dates.seen_at(reading.at, explained.timezone)
    said = [
        amount(reading.value, reading.unit, per=explained.per),
        wording.rests_on(reading, explained.counted),
        wording.certainty(reading),
    ]
    window = explained.window
    about = _rows(
        *([("window", f"{dates.edges(window)} ({explained.timezone})")] if window.start < window.end else []),
        ("reading", "; ".join([", ".join(s for s in said if s), *_remarks(reading, dates)])),
        ("counted", _tally([f for f in explained.facts if f.counted])),
        ("left out", _tally([f for f in explained.facts if not f.counted])),
    )
    definition = dates.in_text(explained.definition)
    return Group(_title(explained.name, definition), "", about, "", _facts(explained.facts, dates))


def sources(states: Sequence[SourceState], dates: Dates, now: datetime) -> RenderableType:
    if not states:
        return Text("Nothing is collected yet: run `keyresults collect`.")
    apart = told_apart(states)
    return Group(*_between_blank_lines(_source(s, apart(s), dates, now) for s in states))


def collection(result: CollectionResult, dates: Dates) -> RenderableType:
    """One line per stream: what it brought, and the error where there was one; one for all that fail for one reason."""
    if not result.runs:
        return Text("Nothing to collect: no metric asks a source for anything.")
    table = Table.grid(padding=(0, 2))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    for name, run in _told_once(result.runs):
        symbol, colour = _outcome(run)
        said = Text(clean(name)).append("".join(f" · {words}" for words in _brought(run)), style="dim")
        if trouble := _trouble(run, dates):
            said.append(f"\n{clean(trouble)}", style=colour)
        if run.soon_lost:
            said.append(f"\n! {clean(wording.soon_lost(run.soon_lost, dates))}", style="yellow")
        for problem in _some(run.problems):
            said.append(f"\n! {clean(problem)}", style="yellow")
        table.add_row(Text(symbol, style=colour), said)
    return table


def _told_once(runs: Sequence[StreamRun]) -> Iterator[tuple[str, StreamRun]]:
    """Each by its name; those to which a source refuses its credential in the same words are one."""
    alike: dict[tuple[str, str | None], list[StreamRun]] = {}
    for run in runs:
        if _is_refused_whole(run):
            alike.setdefault((run.source, run.error), []).append(run)
    apart = told_apart(runs)
    for run in runs:
        same = alike.get((run.source, run.error), []) if _is_refused_whole(run) else []
        if len(same) < 2:
            yield wording.stream(run.source, run.kind, run.subject, run.metrics, apart(run)), run
        elif run is same[0]:
            whole = all(one.stream for one in same)
            yield f"{run.source} · {many(len(same), 'streams')}" if whole else run.source, run


def _is_refused_whole(run: StreamRun) -> bool:
    return run.outcome == "unauthorized" and not (run.added or run.changed or run.removed)


def _some(problems: Sequence[str]) -> Iterator[str]:
    """The first few, and how many more there are."""
    yield from problems[:MOST_PROBLEMS]
    if len(problems) > MOST_PROBLEMS:
        yield f"and {len(problems) - MOST_PROBLEMS} more"


def _brought(run: StreamRun) -> Iterator[str]:
    counts = ((run.added, "new"), (run.changed, "changed"), (run.removed, "removed"))
    said = [f"{count(number)} {what}" for number, what in counts if number]
    if said or run.outcome == "ok":
        yield ", ".join(said) or "nothing new"
    if run.requests:
        yield many(run.requests, "requests")


def _facts(facts: Sequence[FactNote], dates: Dates) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for fact in facts:
        mark = Text("✓", style="green") if fact.counted else Text("·", style="dim")
        what = Text.assemble((clean(fact.role), "bold"), f": {clean(fact_words.why(fact, dates))} ")
        what.append(f"[{clean(fact_words.which(fact))}]", style="dim")
        table.add_row(mark, fact_words.when(fact, dates), what)
    return table


def _tally(facts: Sequence[FactNote]) -> str:
    roles = Counter(fact.role for fact in facts).most_common()
    said = [clean(many(number, f"{role}s") if role in _NOUNS else f"{count(number)} {role}") for role, number in roles]
    if len(said) < 2:
        return said[0] if said else "none"
    return f"{count(len(facts))} ({', '.join(said)})"


def _source(state: SourceState, query: str, dates: Dates, now: datetime) -> RenderableType:
    fine = state.health is Health.OK
    name = wording.stream(state.source, state.kind, state.subject, query=query)
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("● ok" if fine else "? blind", style="green" if fine else "magenta"), Text(clean(name), "bold"))
    for label, words in _about(state, dates, now):
        table.add_row(Text(label, style="dim"), Text(clean(words)))
    return table


def _about(state: SourceState, dates: Dates, now: datetime) -> Iterator[tuple[str, str]]:
    yield "for", ", ".join(state.metrics) or "no metric any more"
    yield "type", state.type
    if state.health is not Health.OK:
        yield "health", wording.HEALTH_WORDS[state.health]
    if state.kind != "shipments":  # these are found out of facts, whatever their time
        yield "covered", ", ".join(_span(r, dates) for r in state.covered) or "nothing yet"
    yield "newest fact", dates.instant(state.newest_fact) if state.newest_fact else "none"
    if state.last_run:
        spent = f", {many(state.requests, 'requests')}" if state.requests else ""
        yield "last run", f"{dates.instant(state.last_run)}{spent}"
    if state.last_error:
        yield "last error", dates.in_text(state.last_error)
    if state.next_run:
        late = state.next_run < now - LATE
        yield "was due" if late else "next run", dates.instant(state.next_run)
    if state.soon_lost:
        yield "soon lost", wording.soon_lost(state.soon_lost, dates)
    for problem in _some(state.problems):
        yield "problem", problem


def _span(covered: TimeRange, dates: Dates) -> str:
    start, end = dates.instant(covered.start), dates.instant(covered.end)
    return start if start == end else f"{start} to {end}"


def _outcome(run: StreamRun) -> tuple[str, str]:
    if run.outcome in _FAILED:
        return "✖", "red"
    return ("✔", "green") if run.outcome == "ok" else ("…", "yellow")


def _trouble(run: StreamRun, dates: Dates) -> str:
    said = [dates.in_text(run.error) if run.error else "" if run.outcome == "ok" else run.outcome]
    if run.retry_at is not None:
        said.append(f"asked again from {dates.instant(run.retry_at)}")
    return "; ".join(s for s in said if s)


def _remarks(reading: Reading, dates: Dates) -> Iterator[str]:
    if reading.health is not Health.OK and not reading.notes:
        yield wording.HEALTH_WORDS[reading.health]
    yield from (dates.in_text(note) for note in reading.notes)


def _rows(*rows: tuple[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for label, words in rows:
        table.add_row(Text(label, style="dim"), Text(clean(words)))
    return table


def _title(name: str, definition: str) -> RenderableType:
    return Group(Text(clean(name), style="bold"), Text(clean(definition)))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _between_blank_lines(parts: Iterator[RenderableType]) -> Iterator[RenderableType]:
    for n, part in enumerate(parts):
        if n:
            yield ""
        yield part
