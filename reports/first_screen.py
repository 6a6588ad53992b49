"""What a team sees first, in at most 14 lines: a good thing, what is asked, what moved, what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..krs.judgement import Status
from . import wording
from .asks import Ask, asks
from .dates import Dates
from .direction import is_better, runs_one_way
from .good_news import good_news
from .looks import ASKS, LOOKS
from .numbers import count
from .progress_report import ProgressReport, ReportedKeyResult

MOST_LINES = 14
HEADING_LINES = 2
"""The title, and the count by status."""

LINES_OF_AN_ASK = 2
MOST_ASKS = 3

_OPEN = frozenset({Status.ON_TRACK, Status.AT_RISK, Status.OFF_TRACK, Status.MET, Status.UNKNOWN})
_NOT_TOLD = frozenset({Status.DRAFT, Status.WITHDRAWN, Status.NOT_STARTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What is said in one line of one key result."""

    key_result: str
    title: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstScreen:
    """`more_…` count what there is no room for. `quiet` is said instead of what moved where nothing did."""

    good: Point | None = None
    asks: tuple[Ask, ...] = ()
    more_asks: int = 0
    moved: tuple[Point, ...] = ()
    more_moved: int = 0
    quiet: str = ""
    takes: tuple[Point, ...] = ()
    more_takes: int = 0

    @property
    def lines(self) -> int:
        """As many as a page needs whose lines are all cut to its width, its heading included."""
        said = [bool(self.good), len(self.moved), bool(self.quiet), len(self.takes)]
        return HEADING_LINES + LINES_OF_AN_ASK * len(self.asks) + sum(said)


def first_screen(report: ProgressReport, dates: Dates) -> FirstScreen:
    """Empty for a closed cycle: nothing in it moves or is asked any more."""
    if report.closed is not None:
        return FirstScreen()
    good, asked = good_news(report, dates), asks(report, dates)
    told = [kr for o in report.objectives for kr in o.key_results if kr.judgement.status not in _NOT_TOLD]
    moved = [_point(kr, words) for kr in _furthest_first(told) if (words := _moved(kr, dates))]
    takes = [_point(kr, kr.takes) for kr in _gravest_first(told) if kr.takes and kr.judgement.status in _OPEN]
    quiet = "" if moved or report.since is None else _quiet(told, dates.day(report.since))
    shown = sorted(asked[:MOST_ASKS], key=lambda ask: list(ASKS).index(ask.kind))
    room = MOST_LINES - HEADING_LINES - bool(good) - LINES_OF_AN_ASK * len(shown) - bool(quiet)
    room_to_move = max(room - len(takes), room // 2)
    moved_shown = moved[:room_to_move]
    takes_shown = takes[: room - len(moved_shown)]
    return FirstScreen(
        good=_point(*good) if good else None,
        asks=tuple(shown),
        more_asks=len(asked) - len(shown),
        moved=tuple(moved_shown),
        more_moved=len(moved) - len(moved_shown),
        quiet=quiet,
        takes=tuple(takes_shown),
        more_takes=len(takes) - len(takes_shown),
    )


def _point(kr: ReportedKeyResult, words: str) -> Point:
    return Point(key_result=kr.id, title=kr.title, words=words)


def _quiet(told: Sequence[ReportedKeyResult], since: str) -> str:
    """What nobody could see has not stayed as it was."""
    compared, judged = sum(kr.moved is not None for kr in told), len(told)
    if not compared:
        return f"Nothing can be compared with {since}" if judged else ""
    seen = f", of the {count(compared)} of {count(judged)} that can be compared" if compared < judged else ""
    return f"Nothing changed since {since}{seen}"


def _moved(kr: ReportedKeyResult, dates: Dates) -> str:
    """Of a status that is another one now, and a value that reads differently; "worse" where it moved away."""
    said = []
    if kr.before is not None and kr.before.status is not kr.judgement.status:
        said.append(f"{LOOKS[kr.before.status].words} → {LOOKS[kr.judgement.status].words}")
    if kr.moved is not None and wording.reads_differently(kr, kr.moved.before, kr.moved.after):
        away = is_better(kr, kr.moved.before, kr.moved.after) and not runs_one_way(kr)
        said.append(f"{'worse, ' if away else ''}{wording.moved(kr, kr.moved, dates)}")
    return "; ".join(said)


def _furthest_first(told: Sequence[ReportedKeyResult]) -> list[ReportedKeyResult]:
    return sorted(told, key=_distance, reverse=True)


def _distance(kr: ReportedKeyResult) -> tuple[bool, float]:
    """Changes of status first; then by the part of the whole way, where there is one, else of the value itself."""
    changed = kr.before is not None and kr.before.status is not kr.judgement.status
    if kr.moved is None:
        return changed, 0.0
    start, target = kr.judgement.baseline, kr.target.value
    way = abs(target - start.value) if start is not None and target is not None else 0.0
    whole = way or max(abs(kr.moved.before), abs(kr.moved.after))
    return changed, abs(kr.moved.after - kr.moved.before) / whole if whole else 0.0


def _gravest_first(told: Sequence[ReportedKeyResult]) -> list[ReportedKeyResult]:
    order = list(LOOKS)
    return sorted(told, key=lambda kr: order.index(kr.judgement.status))
