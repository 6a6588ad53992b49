"""Looking back at a cycle, as Markdown: what became of each key result, and room for what was learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import grade_words, wording
from .dates import Dates
from .escaping import markdown as text
from .fact_words import fact
from .looks import LOOKS
from .numbers import count, graded
from .progress_report import Move, ProgressReport, ReportedKeyResult, ReportedObjective
from .values import Learned

QUESTIONS = ("What helped?", "What was in the way?", "What will we do differently?")
_MOST_FACTS = 10


def retrospective(report: ProgressReport, lessons: Sequence[Learned]) -> str:
    """Objective by objective; `lessons` stand with the key result they are of, those of the whole cycle at the end."""
    return "\n".join(_lines(report, lessons, grade_words.dates_of(report))) + "\n"


def _lines(report: ProgressReport, lessons: Sequence[Learned], dates: Dates) -> Iterator[str]:
    cycle = report.cycle
    state = grade_words.closed(report, dates) or f"not closed; as it stands at {dates.as_of(report.as_of)}"
    yield from (f"# Looking back at {text(cycle.name)}", "", f"{dates.days(cycle.start, cycle.end)}, {text(state)}.")
    for objective in report.objectives:
        yield from _objective(objective, lessons, dates)
    of_all = [one for one in lessons if one.key_result is None]
    yield from ("", "## The whole cycle", "", *_room(of_all))


def _objective(objective: ReportedObjective, lessons: Sequence[Learned], dates: Dates) -> Iterator[str]:
    who = wording.people(objective.owner, *objective.teams)
    about = [f"Graded {grade_words.of_objective(objective.grade)}", objective.kind, text(who)]
    yield from ("", f"## {text(objective.title)}", "", " · ".join(part for part in about if part))
    if objective.key_results:
        yield from ("", "| Key result | Start → end → target | Status | Grade |", "|---|---|---|---:|")
    for kr in objective.key_results:
        grade = graded(kr.grade.value if kr.grade else None)
        yield f"| {text(kr.title)} | {text(wording.way(kr))} | {_status(kr)} | {grade} |"
    for kr in objective.key_results:
        yield from ("", f"### {text(kr.title)}", "")
        yield from _key_result(kr, dates)
        yield from ("", *_room([one for one in lessons if one.key_result == kr.id]))


def _key_result(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    rows = [
        ("Start → end → target", wording.way(kr)),
        ("Grade", grade_words.of_key_result(kr)),
        ("Why", dates.in_text(kr.judgement.why)),
        *(("Guardrail", words) for words in wording.guardrails(kr, holding=False)),
        *(("Target", words) for words in _history(kr, dates)),
        ("Days unknown", grade_words.unknown_days(kr.grade, dates) if kr.grade else ""),
        ("Owner", kr.owner or ""),
    ]
    yield from (f"- {label}: {text(words)}" for label, words in rows if words)
    yield from _list("Initiatives", [text(one) for one in kr.initiatives])
    yield from _moves(kr, dates)
    yield from _list("Check-ins", [text(wording.check_in(one, dates)) for one in kr.check_ins])


def _history(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    """The target it began with, then what became of it; nothing where it never changed."""
    if kr.revisions:
        began = kr.first_target or kr.target
        yield f"began with {wording.target(began, kr.unit)}"
    yield from wording.revisions(kr, dates)


def _moves(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    if kr.moves:
        yield "- Biggest moves:"
    for move in kr.moves:
        yield f"  - {text(wording.moved(kr, move, dates))}"
        yield from (f"    - {words}" for words in _facts(move, dates))


def _facts(move: Move, dates: Dates) -> Iterator[str]:
    yield from (text(fact(one, dates)) for one in move.facts[:_MOST_FACTS])
    if len(move.facts) > _MOST_FACTS:
        yield f"and {count(len(move.facts) - _MOST_FACTS)} more"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield from (f"- {title}:", *(f"  - {one}" for one in items))


def _room(lessons: Sequence[Learned]) -> Iterator[str]:
    """What was learned already, and questions with an empty line below each."""
    if lessons:
        yield "**What we learned**"
        yield from ("", *(f"- {text(one.text)} ({text(one.by)})" for one in lessons), "")
    for question in QUESTIONS:
        yield from (f"**{question}**", "", "- ", "") if question is not QUESTIONS[-1] else (f"**{question}**", "", "- ")


def _status(kr: ReportedKeyResult) -> str:
    look = LOOKS[kr.judgement.status]
    return f"{look.symbol} {look.words}"
