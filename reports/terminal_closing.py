"""Grades on a terminal: what closing a cycle would freeze, or has frozen."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from . import grade_words, wording
from .dates import Dates
from .escaping import clean
from .looks import LOOKS
from .numbers import graded
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective
from .values import ClosingPreview

_GRADE_WIDTH = 4
_INDENT = (0, 0, 0, 2)


def closing(found: ClosingPreview) -> RenderableType:
    """Each objective and key result with its grade, then what is in the way and how to go on."""
    report = found.report
    dates = grade_words.dates_of(report)
    parts: list[RenderableType] = [_heading(report, dates)]
    for objective in report.objectives:
        parts += ["", _objective(objective)]
        parts += [_key_result(kr, dates) for kr in objective.key_results]
    return Group(*parts, *_what_next(found, dates))


def _heading(report: ProgressReport, dates: Dates) -> Text:
    span = dates.days(report.cycle.start, report.cycle.end)
    said = grade_words.closed(report, dates) or "not closed: these grades would be frozen"
    return Text.assemble(
        (clean(report.cycle.name), "bold"), f", {span}, as of {dates.as_of(report.as_of)}\n", clean(said)
    )


def _objective(objective: ReportedObjective) -> RenderableType:
    grade = objective.grade
    value = graded(grade.value if grade else None)
    about = f"{grade_words.of_objective(grade)} · {objective.kind}"
    return _rows((Text(value, style="bold"), Text(clean(objective.title), style="bold")), (Text(""), Text(about)))


def _key_result(kr: ReportedKeyResult, dates: Dates) -> RenderableType:
    look = LOOKS[kr.judgement.status]
    title = Text.assemble(clean(kr.title), (f" ({clean(kr.id)})", "dim"))
    lines = [title, Text.assemble((f"{look.symbol} {look.words}", look.colour), f" · {clean(wording.way(kr))}")]
    lines += [Text(clean(words)) for words in _more(kr, dates) if words]
    value = Text(graded(kr.grade.value if kr.grade else None))
    return Padding(_rows(*((Text("") if n else value, line) for n, line in enumerate(lines))), _INDENT)


def _more(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    yield grade_words.of_key_result(kr)
    yield from (f"! guardrail {words}" for words in wording.guardrails(kr, holding=False))
    yield from (f"! {flag.code}: {dates.in_text(flag.words)}" for flag in wording.flags(kr))
    yield from (f"! {words}" for words in wording.revisions(kr, dates, flagged_only=True))


def _what_next(found: ClosingPreview, dates: Dates) -> Iterator[RenderableType]:
    if len(found.history) > (found.report.closed is not None):
        yield from ("", Text("On record", style="bold"))
        yield from (Padding(Text(clean(grade_words.step(one, dates))), _INDENT) for one in found.history)
    name = clean(found.report.cycle.name)
    if found.hindrances:
        yield from ("", Text("In the way", style="bold"))
        yield from (
            Padding(_rows((Text("!"), Text(clean(dates.in_text(words))))), _INDENT) for words in found.hindrances
        )
    elif found.report.closed is None:
        yield from ("", Text("Nothing is written yet: the same with --yes closes it."))
    else:
        yield from (
            "",
            Text(f"`keyresults retrospective {name}` looks back; `keyresults close {name} --reopen` opens it again."),
        )


def _rows(*rows: tuple[Text, Text]) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=_GRADE_WIDTH, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for label, words in rows:
        table.add_row(label, words)
    return table
