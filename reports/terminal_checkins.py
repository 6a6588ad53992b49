"""What `checkin` prints on a terminal: a key result to be spoken of, what was kept, who is due, and the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..krs.checkin import APART, differs_from
from ..krs.model import Kind
from . import wording
from .dates import Dates
from .escaping import clean
from .looks import LOOKS
from .numbers import many
from .progress_report import ReportedKeyResult
from .values import CheckInHistory, DueCheckIn

_INDENT = (0, 0, 0, 2)
_APART = f"Confidence and forecast are {round(100 * APART)} points or more apart: worth talking about"


def asked(kr: ReportedKeyResult, kind: Kind, dates: Dates, place: str = "") -> RenderableType:
    """What is known of a key result, for somebody who is about to say how sure they are; `place` is "2 of 5"."""
    heading = Text.assemble((clean(kr.title), "bold"), (f" ({clean(kr.id)})", "dim"))
    if place:
        heading = Text.assemble((f"{place}  ", "dim"), heading)
    return Group(heading, Padding(Group(*_standing(kr, kind, dates), *_before(kr, dates)), _INDENT))


def kept(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> RenderableType:
    """The newest check-in as it was kept, with the reading beside it."""
    said = wording.check_in(kr.check_ins[-1], dates)
    heading = Text.assemble("Kept for ", (clean(kr.title), "bold"), (f" ({clean(kr.id)})", "dim"), f": {clean(said)}")
    apart = [Text(_APART, style="yellow")] if differs_from(kr.forecast, kr.check_ins[-1]) else []
    return Group(heading, Padding(Group(*_standing(kr, kind, dates), *apart), _INDENT))


def due(found: Sequence[DueCheckIn], dates: Dates) -> RenderableType:
    """One after another, with who answers for it, since when, and what was said last."""
    if not found:
        return Text("No check-in is due.")
    parts: list[RenderableType] = [Text(f"{many(len(found), 'check-ins')} due:"), ""]
    for one in found:
        who = ", ".join(one.owners) or "nobody owns it"
        rounds = f" ({many(one.rounds, 'rounds')})" if one.rounds > 1 else ""
        last = wording.check_in(one.last, dates) if one.last else "no check-in yet"
        parts.append(Text.assemble((clean(one.title), "bold"), (f" ({clean(one.key_result)})", "dim")))
        said = f"{who} · due since {dates.instant(one.since)}{rounds} · {last}"
        parts.append(Padding(Text(clean(said)), _INDENT))
    return Group(*parts)


def history(found: Sequence[CheckInHistory], dates: Dates) -> RenderableType:
    """Key result by key result, newest first."""
    parts: list[RenderableType] = []
    for one in found:
        parts += ["", Text.assemble((clean(one.title), "bold"), (f" ({clean(one.key_result)})", "dim"))]
        parts.append(Padding(_said(one, dates) if one.check_ins else Text("no check-in yet"), _INDENT))
    return Group(*parts[1:]) if parts else Text("Nobody checked in yet: `keyresults checkin` begins a round.")


def _standing(kr: ReportedKeyResult, kind: Kind, dates: Dates) -> Iterator[Text]:
    look = LOOKS[kr.judgement.status]
    numbers = (wording.way(kr), wording.pace(kr, kind), wording.newest_day(kr, dates))
    told = " · ".join(clean(part) for part in numbers if part)
    yield Text.assemble((f"{look.symbol} {look.words}", look.colour), f" · {told}" if told else "")
    blind, forecast = wording.blindness(kr, dates), wording.forecast(kr, dates)
    if blind:
        yield Text(clean(blind[0].upper() + blind[1:]))
    if forecast:
        yield Text(clean(f"Forecast: {forecast}"))


def _before(kr: ReportedKeyResult, dates: Dates) -> Iterator[Text]:
    for words in (wording.since_check_in(kr, dates), wording.last_check_in(kr, dates)):
        if words:
            yield Text(words[0].upper() + words[1:], style="dim")


def _said(one: CheckInHistory, dates: Dates) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column(overflow="fold")
    for said in reversed(one.check_ins):
        table.add_row(
            dates.instant(said.at), wording.confidence(said.confidence), Text(clean(said.by)), Text(clean(said.note))
        )
    return table
