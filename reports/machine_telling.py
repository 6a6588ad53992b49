"""`report --json`: what a report tells beyond the numbers of a day."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ..krs.forecast import Forecast
from ..metrics.reading import FactNote
from .asks import Ask
from .dates import Dates
from .first_screen import FirstScreen, Point
from .first_screen import first_screen as first_screen_of
from .progress_report import Before, Move, ProgressReport, ReportedKeyResult

Object = dict[str, object]


def first_screen(report: ProgressReport) -> Object:
    screen: FirstScreen = first_screen_of(report, Dates.seen_at(report.as_of, report.timezone))
    return {
        "good": _point(screen.good) if screen.good else None,
        "asks": [_ask(ask) for ask in screen.asks],
        "more_asks": screen.more_asks,
        "moved": [_point(point) for point in screen.moved],
        "more_moved": screen.more_moved,
        "quiet": screen.quiet,
        "takes": [_point(point) for point in screen.takes],
        "more_takes": screen.more_takes,
    }


def told(kr: ReportedKeyResult, zone: ZoneInfo) -> Object:
    """Of one key result."""
    return {
        "no_forecast": kr.no_forecast,
        "takes": kr.takes,
        "before": _before(kr.before, zone) if kr.before else None,
        "moved": _move(kr.moved, zone) if kr.moved else None,
        "moves": [_move(move, zone) for move in kr.moves],
        "evidence": [fact(note, zone) for note in kr.evidence],
    }


def forecast(said: Forecast | None) -> Object | None:
    if said is None:
        return None
    return {"low": said.low, "high": said.high, "median": said.median, "probability": said.probability}


def fact(note: FactNote, zone: ZoneInfo) -> Object:
    return {
        "key": note.key,
        "at": time(note.at, zone),
        "subject": note.subject,
        "counted": note.counted,
        "role": note.role,
        "why": note.why,
        "url": note.url,
    }


def time(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat()


def _point(point: Point) -> Object:
    return {"key_result": point.key_result, "words": point.words}


def _ask(ask: Ask) -> Object:
    return {
        "kind": ask.kind,
        "key_result": ask.key_result or None,
        "about": ask.about,
        "words": ask.words,
        "owner": ask.owner or None,
        "link": ask.link,
    }


def _before(before: Before, zone: ZoneInfo) -> Object:
    return {
        "at": time(before.at, zone),
        "status": before.status.value,
        "value": before.value,
        "progress": before.progress,
    }


def _move(move: Move, zone: ZoneInfo) -> Object:
    return {
        "start": move.start.isoformat(),
        "end": move.end.isoformat(),
        "before": move.before,
        "after": move.after,
        "why": list(move.why),
        "facts": [fact(note, zone) for note in move.facts],
    }
