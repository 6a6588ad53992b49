"""The report as Markdown that reads well raw and on GitHub; what others wrote is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..krs.judgement import Status
from ..krs.model import Kind
from . import wording
from .dates import Dates
from .details import details
from .escaping import markdown as text
from .looks import LOOKS, tally
from .numbers import percent
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective


def full_report(report: ProgressReport) -> str:
    """An overview table of each objective, then a list of details for each key result."""
    return "\n".join(_lines(report, Dates.seen_at(report.as_of, report.timezone))) + "\n"


def _lines(report: ProgressReport, dates: Dates) -> Iterator[str]:
    cycle = report.cycle
    yield f"# Progress in {text(cycle.name)}"
    yield ""
    yield f"{dates.days(cycle.start, cycle.end)}, as of {dates.as_of(report.as_of)}: {tally(report)}"
    if not report.objectives:
        yield from ("", "No objectives in this cycle yet.")
    for objective in report.objectives:
        yield from _objective(objective, dates)
    yield from _list("Blind sources", [f"{s.name}: {dates.in_text(s.words)}" for s in report.blind_sources])
    yield from _list("Notices", [dates.in_text(notice) for notice in report.notices])


def _objective(objective: ReportedObjective, dates: Dates) -> Iterator[str]:
    who = wording.people(objective.owner, *objective.teams)
    about = [_status(objective.judgement.status), wording.about(objective), objective.kind, text(who)]
    yield from ("", f"## {text(objective.title)}", "")
    yield " · ".join(part for part in about if part)
    if not objective.key_results:
        return
    yield from ("", "| Key result | Status | Start → now → target | Progress |", "|---|---|---|---:|")
    for kr in objective.key_results:
        way = wording.way(kr, dates)
        if wording.is_spent(kr, dates):
            way = f"{way}: {wording.pace(kr, objective.kind, dates)}"
        cells = (text(kr.title), _status(kr.judgement.status), text(way))
        yield f"| {' | '.join(cells)} | {percent(kr.judgement.progress)} |"
    for kr in objective.key_results:
        yield from _key_result(kr, objective.kind, dates)


def _key_result(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> Iterator[str]:
    summary = (wording.way(kr, dates), wording.pace(kr, kind, dates), wording.newest_day(kr, dates))
    yield from ("", f"### {text(kr.title)}", "")
    yield f"{_status(kr.judgement.status)}: {' · '.join(text(part) for part in summary if part)}"
    yield ""
    for label, words, alarming in details(kr, dates):
        yield f"- **{label}: {text(words)}**" if alarming else f"- {label}: {text(words)}"
    if kr.owner:
        yield f"- Owner: {text(kr.owner)}"
    yield f"- Id: {text(kr.id)}"


def _list(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield from ("", f"## {title}", "")
        yield from (f"- {text(s)}" for s in sentences)


def _status(status: Status) -> str:
    look = LOOKS[status]
    return f"{look.symbol} **{look.words}**"
