"""The report as Markdown that reads well raw and on GitHub; what others wrote is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..krs.judgement import Status
from ..krs.model import Kind
from . import grade_words, wording
from .asks import Ask
from .dates import Dates
from .details import behind, details
from .escaping import is_address
from .escaping import markdown as text
from .first_screen import FirstScreen, Point, first_screen
from .in_short import numbers, remarks, small_trend, summary
from .looks import ASKS, LOOKS
from .numbers import count
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective


def full_report(report: ProgressReport) -> str:
    """The first screen, an overview by objective, then a section for each key result, closed where pages can fold."""
    return "\n".join(_lines(report, Dates.seen_at(report.as_of, report.timezone))) + "\n"


def _lines(report: ProgressReport, dates: Dates) -> Iterator[str]:
    cycle = report.cycle
    yield f"# Progress in {text(cycle.name)}"
    yield ""
    told = text(grade_words.summary(report, dates))
    yield f"{dates.days(cycle.start, cycle.end)}, as of {dates.as_of(report.as_of)}: {told}"
    told = wording.said(report, dates)
    if told:
        yield from ("", f"> {text(told)}")
    if not report.objectives:
        yield from ("", "No objectives in this cycle yet.")
    yield from first_lines(first_screen(report, dates))
    for objective in report.objectives:
        yield from _objective(objective, dates)
    sections = [line for o in report.objectives for kr in o.key_results for line in _key_result(kr, o.kind, dates)]
    if sections:
        yield from ("", "## Key results, one by one", *sections)
    yield from _list("Blind sources", [f"{s.name}: {dates.in_text(s.words)}" for s in report.blind_sources])
    yield from _list("Notices", [dates.in_text(notice) for notice in report.notices])


def first_lines(screen: FirstScreen) -> Iterator[str]:
    """An empty line and a list, or nothing."""
    lines = [f"- ✔ **good** · {_point(screen.good)}"] if screen.good else []
    lines += [_ask(ask) + _more(screen.more_asks if ask is screen.asks[-1] else 0) for ask in screen.asks]
    lines += [f"- **moved** · {text(screen.quiet)}"] if screen.quiet else []
    lines += _points("moved", screen.moved, screen.more_moved)
    lines += _points("takes", screen.takes, screen.more_takes)
    if lines:
        yield from ("", *lines)


def _point(point: Point) -> str:
    return f"{text(point.title)}: {text(point.words)}"


def _points(label: str, points: Sequence[Point], more: int) -> Iterator[str]:
    for point in points:
        yield f"- **{label}** · {_point(point)}{_more(more if point is points[-1] else 0)}"


def _ask(ask: Ask) -> str:
    link = ask.link if is_address(ask.link) else f"`{ask.link}`"
    to_do = " · ".join(text(part) for part in (ask.owner, link) if part)
    return f"- {ASKS[ask.kind].symbol} **{ask.kind}** · {text(ask.about)}: {text(ask.words)} · {to_do}"


def _more(number: int) -> str:
    return f" · and {count(number)} more" if number else ""


def _objective(objective: ReportedObjective, dates: Dates) -> Iterator[str]:
    who = wording.people(objective.owner, *objective.teams)
    about = [_status(objective.judgement.status), wording.about(objective), objective.kind]
    about += [text(who), text(wording.serves(objective))]
    yield from ("", f"## {text(objective.title)}", "")
    yield " · ".join(part for part in about if part)
    if objective.key_results:
        yield ""
    for kr in objective.key_results:
        yield from _in_overview(kr, objective.kind, dates)


def _in_overview(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> Iterator[str]:
    """An item of a list, its further lines indented; two blanks at a line's end keep the next one below on a page."""
    yield f"- {_status(kr.judgement.status)} · {text(kr.title)} ({text(kr.id)})  "
    yield "  " + " ".join(part for part in (small_trend(kr), _joined(numbers(kr, kind, dates))) if part)
    yield from (f"  - {text(words)}" for words in remarks(kr, dates))
    yield from (f"  - Initiative: {text(initiative)}" for initiative in kr.initiatives)


def _key_result(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> Iterator[str]:
    yield from ("", f"### {text(kr.title)}", "")
    yield f"{_status(kr.judgement.status)}: {_joined(summary(kr, kind, dates))}"
    yield from ("", "<details>", "<summary>What stands behind it</summary>", "")
    for label, words, alarming in (*details(kr, dates), *behind(kr, dates)):
        item = f"- {label}: {text(words)}" if label else f"  - {text(words)}"
        yield f"- **{label}: {text(words)}**" if alarming else item
    if kr.owner:
        yield f"- Owner: {text(kr.owner)}"
    yield from (f"- Id: {text(kr.id)}", "", "</details>")


def _joined(parts: Sequence[str]) -> str:
    return " · ".join(text(part) for part in parts)


def _list(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield from ("", f"## {title}", "")
        yield from (f"- {text(s)}" for s in sentences)


def _status(status: Status) -> str:
    look = LOOKS[status]
    return f"{look.symbol} **{look.words}**"
