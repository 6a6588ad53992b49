"""The report as one page that needs nothing else: no script, no network, charts drawn into it.

Every text goes through `clean` and is escaped where it is put into the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from ..metrics.reading import FactNote
from . import grade_words, wording
from .asks import Ask
from .dates import Dates
from .details import Row
from .escaping import clean
from .first_screen import first_screen
from .html_key_result import KeyResultView, Link, fact_row, key_result_view, link
from .looks import LOOKS, Look
from .numbers import count
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveView:
    title: str
    anchor: str
    look: Look
    done: float | None
    about: Sequence[str]
    key_results: Sequence[KeyResultView]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    ask: Ask
    link: Link
    anchor: str


def full_report(report: ProgressReport, beside: Mapping[str, str] | None = None) -> str:
    """The page. `beside` says for ids of key results where, from the page's folder on, that with all their facts is."""
    dates = Dates.seen_at(report.as_of, report.timezone)
    anchors = {kr_id: _anchor(name) for kr_id, name in names(report).items()}
    screen = first_screen(report, dates)
    return _page(
        "report.html.j2",
        report=report,
        title=f"Progress in {report.cycle.name}",
        when=f"{dates.days(report.cycle.start, report.cycle.end)}, as of {dates.as_of(report.as_of)}",
        said=wording.said(report, dates),
        summary=grade_words.summary(report, dates),
        screen=screen,
        asks=[_ask(ask, anchors) for ask in screen.asks],
        anchors=anchors,
        objectives=[_objective(o, dates, anchors, beside or {}, n) for n, o in enumerate(report.objectives, start=1)],
        blind=[(s.name, dates.in_text(s.words)) for s in report.blind_sources],
        notices=[dates.in_text(notice) for notice in report.notices],
    )


def facts_page(report: ProgressReport, kr: ReportedKeyResult, facts: Sequence[FactNote], back: str) -> str:
    """All facts behind a key result's reading and its moves, on a page of its own; `back` is the report's path."""
    dates = Dates.seen_at(report.as_of, report.timezone)
    return _page(
        "facts.html.j2",
        title=f"Facts: {kr.title}",
        kr=kr,
        when=f"{report.cycle.name}, as of {dates.as_of(report.as_of)}",
        value=wording.value_now(kr),
        definition=dates.in_text(kr.definition),
        facts=[fact_row(fact, dates) for fact in facts],
        counted=count(sum(fact.counted for fact in facts)),
        moves=[
            (wording.moved(kr, move, dates), [fact_row(fact, dates) for fact in move.facts])
            for move in kr.moves
            if move.facts
        ],
        back=f"{quote(back)}#{_anchor(names(report)[kr.id])}",
    )


def names(report: ProgressReport) -> dict[str, str]:
    """By the key results' ids: how they are named in addresses, each once whatever the case of its letters."""
    found: dict[str, str] = {}
    for kr in (kr for o in report.objectives for kr in o.key_results):
        name = plain = _NOT_IN_A_NAME.sub("-", kr.id).strip("-")[:_LONGEST_NAME] or "kr"
        taken, number = {one.lower() for one in found.values()}, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        found[kr.id] = name
    return found


def _anchor(name: str) -> str:
    return f"kr-{name}"


def _objective(
    objective: ReportedObjective, dates: Dates, anchors: Mapping[str, str], beside: Mapping[str, str], number: int
) -> ObjectiveView:
    progress = objective.judgement.progress
    return ObjectiveView(
        title=objective.title,
        anchor=f"objective-{number}",
        look=LOOKS[objective.judgement.status],
        done=None if progress is None else 100 * progress,
        about=[words for words in _about(objective) if words],
        key_results=[
            key_result_view(kr, objective.kind, dates, anchor=anchors[kr.id], beside=quote(beside.get(kr.id, "")))
            for kr in objective.key_results
        ],
    )


def _about(objective: ReportedObjective) -> Iterator[str]:
    yield from (wording.about(objective), objective.kind)
    yield from (wording.people(objective.owner, *objective.teams), wording.serves(objective))


def _ask(ask: Ask, anchors: Mapping[str, str]) -> AskView:
    return AskView(ask=ask, link=link(ask.link, ask.link), anchor=anchors.get(ask.key_result, ""))


def _page(template: str, **shown: Any) -> str:  # noqa: ANN401 (whatever a template shows)
    text = _environment().get_template(template).render(**shown)
    return "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"tone": _tone, "count": count, "by_label": _by_label, "as_link": lambda words: link(words, words)}
    return made


def _by_label(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Rows with the same label stand under it once."""
    return ((label, list(found)) for label, found in groupby(rows, key=lambda row: row.label))


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_TONES = {"red": "bad", "yellow": "warn", "green": "good", "bold green": "good", "magenta": "blind", "dim": "quiet"}


def _tone(look: Look) -> str:
    """The page's word for a colour."""
    return _TONES[look.colour]
