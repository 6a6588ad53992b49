"""What the page shows of one key result, in words and drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..krs.model import Kind
from ..krs.standing import LANDING
from ..metrics.reading import FactNote, Health
from . import fact_words, wording
from .charts import chart
from .course import Course
from .dates import Dates
from .details import Row, details
from .drawing import drawn
from .escaping import clean, is_address
from .in_short import remarks, rests_on, summary
from .looks import LOOKS, Look
from .numbers import MISSING, amount, percent
from .numbers import scale as scale_of
from .progress_report import DayValue, Move, ReportedKeyResult
from .sparkline import sparkline

MOST_FACTS = 50
"""Facts of one key result that stand in the page itself."""

_FACTS_OF_A_MOVE = 10
_MOST_DAYS = 100


@dataclass(frozen=True, slots=True)
class Link:
    """`address` is empty where the words are no web address."""

    words: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    counted: bool
    when: str
    role: str
    why: str
    which: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveView:
    words: str
    facts: Sequence[FactRow]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTable:
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    weekly: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """`legend` pairs the class of a sign with what it stands for."""

    image: Markup
    legend: Sequence[tuple[str, str]]
    table: DayTable


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyResultView:
    """`done` and `due` are shares of the way in percent, for a bar; None where there is none to draw."""

    id: str
    anchor: str
    title: str
    owner: str
    look: Look
    way: str
    numbers: Sequence[str]
    forecast: str
    remarks: Sequence[str]
    initiatives: Sequence[Link]
    spark: Markup
    done: float | None
    due: float | None
    percent: str
    takes: str
    chart: ChartView | None
    rows: Sequence[Row]
    moves: Sequence[MoveView]
    facts: Sequence[FactRow]
    beside: str


def key_result_view(kr: ReportedKeyResult, kind: Kind, dates: Dates, *, anchor: str, beside: str) -> KeyResultView:
    """`anchor` is unique on the page; `beside` the address of the page with all facts, empty without one."""
    course, judged = Course.of(kr, dates), kr.judgement
    moves = [_move(kr, move, dates) for move in kr.moves]
    return KeyResultView(
        id=kr.id,
        anchor=anchor,
        title=kr.title,
        owner=kr.owner or "",
        look=LOOKS[judged.status],
        way=wording.way(kr),
        numbers=[words for words in (*summary(kr, kind, dates)[1:], rests_on(kr)) if words],
        forecast=wording.forecast(kr, dates),
        remarks=list(remarks(kr, dates)),
        initiatives=[link(one, one) for one in kr.initiatives],
        spark=sparkline(list(course.stretches), _seen(kr, course)),
        done=None if judged.progress is None else 100 * judged.progress,
        due=_due(kr, kind),
        percent=percent(judged.progress),
        takes=kr.takes,
        chart=_chart(kr, course, dates),
        rows=list(_rows(kr, dates)),
        moves=moves,
        facts=[fact_row(note, dates) for note in kr.evidence[: _room(kr)]],
        beside=beside,
    )


def cuts_facts(kr: ReportedKeyResult) -> bool:
    """Whether some of the facts behind the reading or a move have no room on the page."""
    return len(kr.evidence) > _room(kr) or any(len(move.facts) > _FACTS_OF_A_MOVE for move in kr.moves)


def _room(kr: ReportedKeyResult) -> int:
    """For how many facts behind the reading there is room beside those of the moves."""
    return max(0, MOST_FACTS - sum(min(len(move.facts), _FACTS_OF_A_MOVE) for move in kr.moves))


def link(words: str, address: str | None) -> Link:
    """A link only where the address is a plain one of the web."""
    return Link(clean(words), address if address and is_address(address) else "")


def fact_row(note: FactNote, dates: Dates) -> FactRow:
    return FactRow(
        counted=note.counted,
        when=fact_words.when(note, dates),
        role=note.role,
        why=fact_words.why(note, dates),
        which=link(fact_words.which(note), note.url),
    )


def _rows(kr: ReportedKeyResult, dates: Dates) -> Iterator[Row]:
    """The small table of every report, without what the section has drawn or said in its first lines."""
    told = {"Forecast": kr.forecast is not None, "Takes": True, "Trend": True}
    return (row for row in details(kr, dates) if not told.get(row.label, False))


def _due(kr: ReportedKeyResult, kind: Kind) -> float | None:
    """Where the plan wants the bar to be, of what is not reached yet."""
    judged = kr.judgement
    if judged.expected is None or judged.progress is None or judged.satisfied or judged.status in wording.NOT_PACED:
        return None
    return 100 * judged.expected * (LANDING if kind == "aspirational" else 1)


def _move(kr: ReportedKeyResult, move: Move, dates: Dates) -> MoveView:
    shown = [fact_row(note, dates) for note in move.facts[:_FACTS_OF_A_MOVE]]
    return MoveView(words=wording.moved(kr, move, dates), facts=shown, more=len(move.facts) - len(shown))


def _chart(kr: ReportedKeyResult, course: Course, dates: Dates) -> ChartView | None:
    if len(course.known) < 2:
        return None
    return ChartView(
        image=drawn(chart(kr, course, dates), f"{clean(kr.title)}: {_seen(kr, course)}"),
        legend=list(_legend(kr, course)),
        table=_table(kr, course, dates),
    )


def _seen(kr: ReportedKeyResult, course: Course) -> str:
    """`from 450 ms to 402 ms, between 398 ms and 460 ms`: what a line shows, in words."""
    if not course.known:
        return ""
    values = [value for _, value in course.known]
    first, last, low, high = (
        amount(v, kr.unit, per=wording.period(kr)) for v in (values[0], values[-1], min(values), max(values))
    )
    return clean(f"from {first} to {last}, between {low} and {high}")


def _legend(kr: ReportedKeyResult, course: Course) -> Iterator[tuple[str, str]]:
    scale = scale_of(kr.unit, wording.period(kr))
    shown = (
        ("value", f"value, {scale}" if scale else "value", course.known),
        ("pace", "planned pace", course.expected),
        ("target", "target", course.limits),
        ("forecast", "80% forecast", kr.forecast is not None and kr.judgement.kept is None),
        ("doubtful", "value that can't be used", course.doubtful),
        ("revision", "revision", course.revised),
        ("check-in", "check-in", course.checked_in),
        ("excluded", "left out", course.excluded),
    )
    yield from ((sign, clean(words)) for sign, words, there in shown if there)


def _table(kr: ReportedKeyResult, course: Course, dates: Dates) -> DayTable:
    """One row a day, of a long time one a week, the newest first; columns without any value are left out."""
    expected = {one.day: one.expected for one in course.planned}
    limits = {one.day: one.limits for one in course.planned}
    every = 1 if len(course.values) <= _MOST_DAYS else 7
    shown = course.values[::-1][::every]
    end = [] if course.last == shown[0].day else [DayValue(course.last, None, Health.NO_DATA)]
    per = wording.period(kr)
    rows = [
        (
            dates.day(day.day),
            amount(day.value, kr.unit, per=per) + ("" if day.value is None or course.is_usable(day) else " (not used)"),
            amount(expected.get(day.day), kr.unit, per=per),
            " to ".join(amount(limit, kr.unit, per=per) for limit in limits.get(day.day, ())) or MISSING,
        )
        for day in (*end, *shown)
    ]
    columns = ("Day", "Value", "Planned", "Target")
    kept = [n for n in range(len(columns)) if any(row[n] != MISSING for row in rows)]
    return DayTable(columns=[columns[n] for n in kept], rows=[[row[n] for n in kept] for row in rows], weekly=every > 1)
