"""The report as Markdown that reads well raw and on GitHub; what others wrote is escaped."""

from __future__ import annotations

from collections.abc import Iterator

from ..krs.judgement import Status
from . import wording
from .details import details, guardrails
from .escaping import markdown as text
from .numbers import percent
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective


def full_report(report: ProgressReport) -> str:
    """An overview table of each objective, then a table of details for each key result."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: ProgressReport) -> Iterator[str]:
    cycle = report.cycle
    yield f"# Progress in {text(cycle.name)}"
    yield ""
    as_of = f"As of {wording.instant(report.as_of, report.timezone)} {report.timezone}"
    yield f"{as_of}; the cycle runs {wording.days(cycle.start, cycle.end, near=cycle.end)} {cycle.end.year}."
    if not report.objectives:
        yield from ("", "No objectives in this cycle.")
    for objective in report.objectives:
        yield from _objective(objective, report.timezone)
    yield from _list("Blind sources", [f"{s.name}: {s.words}" for s in report.blind_sources])
    yield from _list("Notices", report.notices)


def _objective(objective: ReportedObjective, timezone: str) -> Iterator[str]:
    judged = objective.judgement
    who = wording.people(objective.owner, *objective.teams)
    about = [_status(judged.status), percent(judged.progress), wording.measured(objective), objective.kind, text(who)]
    yield from ("", f"## {text(objective.title)}", "")
    yield " · ".join(part for part in about if part)
    if not objective.key_results:
        return
    yield from ("", "| Key result | Status | Start → now → target | Progress |", "|---|---|---|---|")
    for kr in objective.key_results:
        cells = (f"{text(kr.title)} ({text(kr.id)})", _status(kr.judgement.status), text(wording.way(kr)))
        yield f"| {' | '.join(cells)} | {percent(kr.judgement.progress)} |"
    for kr in objective.key_results:
        yield from _key_result(kr, timezone)


def _key_result(kr: ReportedKeyResult, timezone: str) -> Iterator[str]:
    yield from ("", f"### {text(kr.title)}", "")
    yield f"{_status(kr.judgement.status)}: {text(kr.judgement.why)}"
    for words in guardrails(kr):
        yield from ("", f"**Guardrail** {text(words)}")
    yield from ("", "| | |", "|---|---|")
    yield f"| Id | {text(kr.id)} |"
    if kr.owner:
        yield f"| Owner | {text(kr.owner)} |"
    for label, words in details(kr, timezone):
        yield f"| {label} | {text(words)} |"


def _list(title: str, sentences: tuple[str, ...] | list[str]) -> Iterator[str]:
    if sentences:
        yield from ("", f"## {title}", "")
        yield from (f"- {text(s)}" for s in sentences)


def _status(status: Status) -> str:
    look = wording.LOOKS[status]
    return f"{look.symbol} **{look.words}**"
