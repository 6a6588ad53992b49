"""The report on a terminal: made for 80 columns, told without colour too.

Everything others wrote goes through `clean` into `Text` objects, which read no markup.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..krs.judgement import Status
from . import wording
from .details import details, guardrails
from .escaping import clean
from .numbers import percent
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective

_LABEL = 14  # fits "✖ not measured"


def status(report: ProgressReport) -> RenderableType:
    """Objective by objective, two or three lines for each key result."""
    return _page(report, in_full=False)


def full_report(report: ProgressReport) -> RenderableType:
    """As `status`, with all that stands behind each key result."""
    return _page(report, in_full=True)


def _page(report: ProgressReport, *, in_full: bool) -> RenderableType:
    parts: list[RenderableType] = [_heading(report)]
    for objective in report.objectives:
        parts += ["", _objective(objective)]
        for kr in objective.key_results:
            parts += ["", _key_result(kr)] if in_full else [_key_result(kr)]
            if in_full:
                parts.append(_details(kr, report.timezone))
    if not report.objectives:
        parts += ["", Text("No objectives in this cycle.")]
    return Group(*parts, *_footnotes(report))


def _heading(report: ProgressReport) -> Text:
    cycle = report.cycle
    span = wording.days(cycle.start, cycle.end, near=cycle.end)
    as_of = f"as of {wording.instant(report.as_of, report.timezone)} {report.timezone}"
    return Text.assemble((clean(cycle.name), "bold"), f"  {span} {cycle.end.year}  ", (as_of, "dim"))


def _objective(objective: ReportedObjective) -> RenderableType:
    judged = objective.judgement
    about = f"{percent(judged.progress)}, {wording.measured(objective)}"
    who = wording.people(objective.owner, *objective.teams)
    tail = " · ".join(p for p in (about, objective.kind, clean(who)) if p)
    return _rows(
        (_label(judged.status), Text(clean(objective.title), style="bold")),
        (Text(""), Text.assemble(wording.bar(judged.progress), " ", tail)),
    )


def _key_result(kr: ReportedKeyResult) -> RenderableType:
    judged = kr.judgement
    numbers = [wording.way(kr), wording.pace(kr), wording.sample_size(kr)]
    lines = [
        Text.assemble((clean(kr.id), "bold"), " ", clean(kr.title)),
        Text(" · ".join(clean(n) for n in numbers if n)),
        Text(clean(judged.why), style="dim"),
        *(Text(clean(words), style="dim") for words in _remarks(kr)),
    ]
    rows = [(Text("") if n else _label(judged.status), line) for n, line in enumerate(lines) if line.plain]
    return Padding(_rows(*rows), (0, 0, 0, 2))


def _remarks(kr: ReportedKeyResult) -> Iterator[str]:
    if blind := wording.blindness(kr):
        yield f"Data: {blind}"
    for flag in wording.flags(kr):
        yield f"! {flag.code}: {flag.words}"
    for words in guardrails(kr):
        yield f"! guardrail {words}"


def _details(kr: ReportedKeyResult, timezone: str) -> RenderableType:
    rows = [(Text(label, style="dim"), Text(clean(words))) for label, words in details(kr, timezone)]
    return Padding(_rows(*rows), (0, 0, 0, 2))


def _footnotes(report: ProgressReport) -> Iterator[RenderableType]:
    if report.blind_sources:
        yield from ("", Text("Blind sources", style="bold"))
        for source in report.blind_sources:
            yield Text(f"  ? {clean(source.name)}: {clean(source.words)}")
    if report.notices:
        yield from ("", Text("Notices", style="bold"))
        for notice in report.notices:
            yield Text(f"  ! {clean(notice)}")


def _label(status: Status) -> Text:
    look = wording.LOOKS[status]
    return Text(f"{look.symbol} {look.words}", style=look.colour)


def _rows(*rows: tuple[Text, Text]) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=_LABEL, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for label, words in rows:
        table.add_row(label, words)
    return table
