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
from ..krs.model import Kind
from . import grade_words, wording
from .dates import Dates
from .details import behind, details
from .escaping import clean
from .first_screen import first_screen
from .in_short import numbers, remarks, small_trend, summary
from .looks import LOOKS, bar
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective
from .terminal_first import CutLine, FirstLines

_INDENT = (0, 0, 0, 2)
_MOST_OF_CLOSING = 400
_LEAST = 11  # fits "✖ off track" and "Initiative"


def status(report: ProgressReport) -> RenderableType:
    """Objective by objective, a few lines for each key result."""
    dates = Dates.seen_at(report.as_of, report.timezone)
    width = _label_width(report)
    parts: list[RenderableType] = [*_said(report, dates), _heading(report, report.cycle.name, dates)]
    for objective in report.objectives:
        parts += ["", _objective(objective, width)]
        parts += [_in_short(kr, objective.kind, dates, width) for kr in objective.key_results]
    return Group(*parts, *_footnotes(report, dates))


def full_report(report: ProgressReport) -> RenderableType:
    """The first screen, an overview by objective, then all that stands behind each key result."""
    dates = Dates.seen_at(report.as_of, report.timezone)
    width = _label_width(report)
    first = FirstLines(first_screen(report, dates))
    parts: list[RenderableType] = [*_said(report, dates), *_cut_heading(report, dates), first]
    for objective in report.objectives:
        parts += ["", _objective(objective, width)]
        parts += [_in_overview(kr, objective.kind, dates, width) for kr in objective.key_results]
    if any(objective.key_results for objective in report.objectives):
        parts += ["", Text("Key results, one by one", style="bold")]
    for objective in report.objectives:
        for kr in objective.key_results:
            parts += ["", _in_full(kr, objective.kind, dates, width)]
    return Group(*parts, *_footnotes(report, dates))


def _said(report: ProgressReport, dates: Dates) -> Iterator[RenderableType]:
    words = wording.said(report, dates)
    if words:
        yield from (Text(words, style="yellow"), "")


def _heading(report: ProgressReport, title: str, dates: Dates) -> Text:
    return Text.assemble((clean(title), "bold"), _time_of(report, dates), f"\n{_told(report, dates)}")


def _cut_heading(report: ProgressReport, dates: Dates) -> Iterator[RenderableType]:
    yield CutLine(Text(clean(f"Progress in {report.cycle.name}"), style="bold"), _time_of(report, dates))
    told = Text(_told(report, dates))
    if report.closed is None:
        yield CutLine(Text(""), told)
    else:  # nothing follows that it would take the room from
        told.truncate(_MOST_OF_CLOSING, overflow="ellipsis")
        yield told


def _time_of(report: ProgressReport, dates: Dates) -> Text:
    span = dates.days(report.cycle.start, report.cycle.end)
    return Text.assemble(f", {span}, ", (f"as of {dates.as_of(report.as_of)}", "dim"))


def _told(report: ProgressReport, dates: Dates) -> str:
    nothing = "No objectives in this cycle yet: write them as [[objectives]] into the config."
    return clean(grade_words.summary(report, dates)) or nothing


def _objective(objective: ReportedObjective, width: int) -> RenderableType:
    judged = objective.judgement
    who = wording.people(objective.owner, *objective.teams)
    said = (wording.about(objective), objective.kind, clean(who), clean(wording.serves(objective)))
    tail = " · ".join(p for p in said if p)
    return _rows(
        width,
        (_label(judged.status), Text(clean(objective.title), style="bold")),
        (Text(""), Text(f"{bar(judged.progress)} {tail}")),
    )


def _in_short(kr: ReportedKeyResult, kind: Kind, dates: Dates, width: int) -> RenderableType:
    lines = [_title(kr), Text(_joined(numbers(kr, kind, dates)))]
    lines += [Text(clean(words), style="dim") for words in remarks(kr, dates)]
    return _labelled(kr, lines, width)


def _in_overview(kr: ReportedKeyResult, kind: Kind, dates: Dates, width: int) -> RenderableType:
    shown = (small_trend(kr), _joined(numbers(kr, kind, dates)))
    lines = [_title(kr), Text(" ".join(part for part in shown if part))]
    lines += [Text(clean(words), style="dim") for words in remarks(kr, dates)]
    lines += [Text(f"→ {clean(initiative)}") for initiative in kr.initiatives]
    return _labelled(kr, lines, width)


def _in_full(kr: ReportedKeyResult, kind: Kind, dates: Dates, width: int) -> RenderableType:
    rows = [
        (Text(label, style="dim"), Text(clean(words), style="yellow" if alarming else ""))
        for label, words, alarming in (*details(kr, dates), *behind(kr, dates))
    ]
    heading = _labelled(kr, [_title(kr), Text(_joined(summary(kr, kind, dates)))], width)
    return Group(heading, Padding(_rows(width, *rows), _INDENT))


def _title(kr: ReportedKeyResult) -> Text:
    return Text.assemble((clean(kr.title), "bold"), (f" ({clean(kr.id)})", "dim"))


def _labelled(kr: ReportedKeyResult, lines: list[Text], width: int) -> RenderableType:
    rows = [(Text("") if n else _label(kr.judgement.status), line) for n, line in enumerate(lines) if line.plain]
    return Padding(_rows(width, *rows), _INDENT)


def _footnotes(report: ProgressReport, dates: Dates) -> Iterator[RenderableType]:
    yield from _footnote("Blind sources", "?", [f"{s.name}: {dates.in_text(s.words)}" for s in report.blind_sources])
    yield from _footnote("Notices", "!", [dates.in_text(notice) for notice in report.notices])


def _footnote(title: str, sign: str, sentences: list[str]) -> Iterator[RenderableType]:
    if sentences:
        yield from ("", Text(title, style="bold"))
        yield Padding(_rows(1, *((Text(sign), Text(clean(s))) for s in sentences)), _INDENT)


def _label(status: Status) -> Text:
    look = LOOKS[status]
    return Text(f"{look.symbol} {look.words}", style=look.colour)


def _joined(parts: list[str]) -> str:
    return " · ".join(clean(part) for part in parts)


def _label_width(report: ProgressReport) -> int:
    """That of the widest status on the page, so that the words beside have all the room there is."""
    shown = [o.judgement.status for o in report.objectives]
    shown += [kr.judgement.status for o in report.objectives for kr in o.key_results]
    return max([_LEAST, *(len(_label(status)) for status in shown)])


def _rows(width: int, *rows: tuple[Text, Text]) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=width, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for label, words in rows:
        table.add_row(label, words)
    return table
