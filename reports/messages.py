"""What people are told in chats, mails and webhooks: short, as Markdown that what others wrote can't break."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..krs.judgement import Status
from ..metrics.span import age_in_words
from . import grade_words, in_short, wording
from .dates import Dates
from .escaping import clean
from .escaping import markdown as text
from .first_screen import first_screen
from .looks import LOOKS
from .markdown import first_lines
from .numbers import many
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective
from .values import DueCheckIn

_LONGEST_TITLE = 200

# Chats call people at "@all" and at "<!channel>", whatever Markdown says of it; between these two nothing shows.
_MENTION, _CALL, _APART = re.compile(r"@(?=\w)|<(?=[!@#])"), re.compile(r"<(?=[!@#])"), "\\g<0>\u2060"


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one line of plain text, `body` Markdown."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """Data of a source that is older than a metric may have it.

    `newest` is up to when it was collected, None where it never was; `metrics` are those that can't be read for it.
    """

    source: str
    owner: str | None
    newest: datetime | None
    may_be: timedelta
    metrics: tuple[str, ...]
    why: str = ""


def of_report(report: ProgressReport, files: Sequence[str]) -> Message:
    """Its first screen; `files` are where all of it stands."""
    dates = Dates.seen_at(report.as_of, report.timezone)
    lines = [text(grade_words.summary(report, dates)), *first_lines(first_screen(report, dates))]
    if files:
        lines += ["", f"In full: {', '.join(f'`{clean(name)}`' for name in files)}"]
    return _message(f"Progress in {report.cycle.name}, {dates.as_of(report.as_of)}", lines)


def of_status(
    report: ProgressReport, objective: ReportedObjective, kr: ReportedKeyResult, before: Status, since: date
) -> Message:
    """Of a key result whose status was `before`, and has been another one from the end of the day `since` on."""
    dates = Dates.seen_at(report.as_of, report.timezone)
    now = LOOKS[kr.judgement.status]
    owners = (kr.owner,) if kr.owner else (objective.owner, *objective.teams)
    numbers = " · ".join(text(part) for part in in_short.numbers(kr, objective.kind, dates))
    lines = [
        f"{now.symbol} **{now.words}** since {dates.day(since)}, was {LOOKS[before].words}",
        *([numbers] if numbers else []),
        "",
        *(f"- {text(words)}" for words in in_short.remarks(kr, dates)),
        f"- {text(f'{objective.title} ({report.cycle.name})')}",
        f"- {_who(owners)}`keyresults explain {clean(kr.id)}`",
    ]
    return _message(f"{kr.title}: {LOOKS[before].words} → {now.words}", lines)


def of_blind(blind: Blind, dates: Dates, now: datetime) -> Message:
    what = f"its data is {age_in_words(now - blind.newest)} old" if blind.newest else "it was never collected"
    lines = [
        text(f"{what[0].upper()}{what[1:]}; {', '.join(blind.metrics)} can do with {age_in_words(blind.may_be)}."),
        *([text(dates.in_text(blind.why))] if blind.why else []),
        "",
        f"- {_who((blind.owner,))}`keyresults sources`",
    ]
    return _message(f"{blind.source} is blind", lines)


def of_sight(source: str) -> Message:
    return _message(f"{source} sees again", ["Its data is as new again as its metrics need it."])


def of_check_ins(report: ProgressReport, due: Sequence[DueCheckIn]) -> Message:
    """What is due, each with its reading, and what moved since it was last spoken of."""
    dates = Dates.seen_at(report.as_of, report.timezone)
    standing = {kr.id: (o, kr) for o in report.objectives for kr in o.key_results}
    lines: list[str] = []
    for one in due:
        lines += [f"- **{text(one.title)}** ({text(one.key_result)})  "]
        if one.key_result in standing:
            lines += [f"  {line}  " for line in _standing(*standing[one.key_result], dates)]
        rounds = f", {many(one.rounds, 'rounds')}" if one.rounds > 1 else ""
        lines += [f"  {_who(one.owners)}due since {dates.instant(one.since)}{rounds}"]
    lines += ["", "`keyresults checkin` asks for one after another."]
    return _message(f"{many(len(due), 'check-ins')} due in {report.cycle.name}", lines)


def _standing(objective: ReportedObjective, kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    now = LOOKS[kr.judgement.status]
    summary = " · ".join(text(part) for part in in_short.summary(kr, objective.kind, dates))
    yield f"{now.symbol} **{now.words}**{' · ' if summary else ''}{summary}"
    moved = wording.moved(kr, kr.moved, dates) if kr.moved else ""
    for words in (
        wording.blindness(kr, dates),
        wording.forecast(kr, dates),
        wording.since_check_in(kr, dates) or moved,
        wording.last_check_in(kr, dates),
    ):
        if words:
            yield text(words[0].upper() + words[1:])


def _who(names: Sequence[str | None]) -> str:
    told = text(wording.people(*names))
    return f"{told} · " if told else ""


def _message(title: str, lines: Sequence[str]) -> Message:
    line = clean(title)
    cut = line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1].rstrip()}…"
    return Message(_MENTION.sub(_APART, cut), _CALL.sub(_APART, "\n".join(lines)))
