"""What the smaller commands print on a terminal: a series, an explanation, sources, a collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..metrics.ranges import TimeRange
from ..metrics.reading import FactNote, Health, Reading
from . import wording
from .details import evidence
from .escaping import clean
from .numbers import amount, count
from .values import CollectionResult, Explanation, MetricSeries, SourceState, StreamRun

_FAILED = frozenset({"refused", "unauthorized", "failed"})


def metric(series: MetricSeries) -> RenderableType:
    """One line per day, oldest first."""
    table = _table("day", "value", "n", "")
    table.columns[1].justify = table.columns[2].justify = "right"
    for reading in series.readings:
        table.add_row(
            str(reading.day),
            clean(amount(reading.value, reading.unit)),
            count(reading.n) if reading.n else "",
            Text(clean("; ".join(_remarks(reading))), style="dim"),
        )
    return Group(_title(series.metric, series.definition), "", table)


def explanation(explained: Explanation) -> RenderableType:
    """The reading, the counts that give it, then every fact with whether and why it counted."""
    reading, zone = explained.reading, explained.timezone
    said = [amount(reading.value, reading.unit), *evidence(reading), *_remarks(reading)]
    about = Table.grid(padding=(0, 2))
    about.add_row(
        Text("window", style="dim"), Text(f"{wording.window(explained.window, zone, near=date.min)} ({zone})")
    )
    about.add_row(Text("reading", style="dim"), Text(clean(", ".join(said))))
    about.add_row(Text("counted", style="dim"), Text(_tally([f for f in explained.facts if f.counted])))
    about.add_row(Text("left out", style="dim"), Text(_tally([f for f in explained.facts if not f.counted])))
    return Group(_title(explained.name, explained.definition), "", about, "", _facts(explained.facts, zone))


def sources(states: Sequence[SourceState], timezone: str) -> RenderableType:
    if not states:
        return Text("No stream is collected yet: run `keyresults collect`.")
    return Group(*_between_blank_lines(_source(s, timezone) for s in states))


def collection(result: CollectionResult, timezone: str) -> RenderableType:
    """One line per stream, with the error where there was one."""
    table = _table("", "new", "changed", "removed", "requests", "stream")
    for run in result.runs:
        symbol, colour = _outcome(run)
        counts = (count(run.added), count(run.changed), count(run.removed), count(run.requests))
        stream = Text(clean(run.stream or run.source))
        if trouble := _trouble(run, timezone):
            stream.append(f" {clean(trouble)}", style=colour)
        table.add_row(Text(symbol, style=colour), *counts, stream)
    return table


def _facts(facts: Sequence[FactNote], timezone: str) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(width=16)
    table.add_column(overflow="fold")
    for fact in facts:
        mark = Text("✓", style="green") if fact.counted else Text("·", style="dim")
        what = Text.assemble((clean(fact.role), "bold"), f" {clean(fact.why)} ")
        what.append(f"[{clean(fact.subject)} {clean(fact.key)}]", style="dim")
        table.add_row(mark, wording.instant(fact.at, timezone), what)
    return table


def _tally(facts: Sequence[FactNote]) -> str:
    roles = Counter(clean(f.role) for f in facts)
    said = ", ".join(f"{count(number)} {role}" for role, number in roles.most_common())
    return f"{count(len(facts))} ({said})" if facts else "none"


def _source(state: SourceState, timezone: str) -> RenderableType:
    fine = state.health is Health.OK
    table = Table.grid(padding=(0, 2))
    table.add_row(
        Text("● ok" if fine else "? blind", style="green" if fine else "magenta"), Text(clean(state.stream), "bold")
    )
    for label, words in _about(state, timezone):
        table.add_row(Text(label, style="dim"), Text(clean(words)))
    return table


def _about(state: SourceState, timezone: str) -> Iterator[tuple[str, str]]:
    yield "source", f"{state.source} ({state.type})"
    if state.health is not Health.OK:
        yield "health", wording.HEALTH_WORDS[state.health]
    yield "covered", ", ".join(_span(r, timezone) for r in state.covered) or "nothing yet"
    yield "newest fact", wording.instant(state.newest_fact, timezone) if state.newest_fact else "none"
    yield "last run", f"{wording.instant(state.last_run, timezone)}, {count(state.requests)} requests"
    if state.last_error:
        yield "last error", state.last_error
    if state.next_run:
        yield "next run", wording.instant(state.next_run, timezone)


def _span(covered: TimeRange, timezone: str) -> str:
    return f"{wording.instant(covered.start, timezone)} to {wording.instant(covered.end, timezone)}"


def _outcome(run: StreamRun) -> tuple[str, str]:
    if run.outcome in _FAILED:
        return "✖", "red"
    return ("✔", "green") if run.outcome == "ok" else ("…", "yellow")


def _trouble(run: StreamRun, timezone: str) -> str:
    said = [run.error or ("" if run.outcome == "ok" else run.outcome)]
    if run.retry_at is not None:
        said.append(f"asked again from {wording.instant(run.retry_at, timezone)}")
    return "; ".join(s for s in said if s)


def _remarks(reading: Reading) -> Iterator[str]:
    if reading.health is not Health.OK:
        yield wording.HEALTH_WORDS[reading.health]
    yield from reading.notes


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
