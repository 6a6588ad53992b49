"""Telling of changes, each once: key results that have another status, sources that went blind or see again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ..krs.judgement import Status
from ..krs.model import KeyResult, Objective
from ..krs.owners import owners
from ..reports import messages
from ..reports.dates import Dates
from ..reports.messages import Message
from ..reports.progress_report import ProgressReport, ReportedKeyResult, ReportedObjective
from ..storage.errors import StoreBroken
from ..storage.outbox import Notice
from .blindness import sight
from .closed import closing_in_force
from .readers import open_readers, readers
from .workspace import Workspace

_DAY = timedelta(days=1)
_NOT_JUDGED = frozenset({Status.NOT_STARTED, Status.DRAFT})
"""What comes after these is the first that is said of a key result."""


@dataclass
class News:
    """What there is to tell, and what of it is known from then on."""

    notices: list[Notice] = field(default_factory=list)
    topics: dict[str, str] = field(default_factory=dict)


def tell_changes(workspace: Workspace, now: datetime) -> None:
    """Put what has changed into the outbox. Asked again, it tells nothing twice.

    A status has to stand at the end of two finished days on which anything was said; the first one ever seen is
    noted and not told.
    """
    told = workspace.store.told()
    news = News()
    for cycle in sorted({o.cycle.name for o in workspace.config.objectives}):
        if closing_in_force(workspace.store, cycle) is None:
            _tell_statuses(workspace, cycle, now, told, news)
    _tell_sight(workspace, now, told, news)
    if news.notices or news.topics:
        workspace.store.tell(news.notices, news.topics, now)


def notices(message: Message, key: str, channels: tuple[str, ...], occasion: str) -> Iterator[Notice]:
    for channel in channels:
        yield Notice(key=key, channel=channel, occasion=occasion, title=message.title, body=message.body)


def _tell_statuses(workspace: Workspace, cycle: str, now: datetime, told: Mapping[str, str], news: News) -> None:
    """By the newest two finished days. They are looked at once a day: what was said on them changes no more."""
    seen, yesterday = f"said/{cycle}", workspace.config.calendar.day_of(now) - _DAY
    if told.get(seen) == yesterday.isoformat():
        return
    news.topics[seen] = yesterday.isoformat()
    last = _said(workspace, cycle, yesterday)
    if last is None:
        return
    before = _said(workspace, cycle, last[0] - _DAY)
    since, statuses = before[0] if before else last[0], _statuses(before[1]) if before else {}
    said = _by_id(last[1])
    for owner, kr in _defined(workspace, cycle):
        if kr.id not in said:
            continue
        objective, reported = said[kr.id]
        status, topic, known = reported.judgement.status, f"status/{cycle}/{kr.id}", _known(cycle, kr, told)
        if known is None:
            news.topics |= {} if status in _NOT_JUDGED else {topic: status}
        elif status not in {known, *_NOT_JUDGED} and statuses.get(kr.id) is status:
            news.topics[topic] = status
            message = messages.of_status(last[1], objective, reported, known, since)
            channels = open_readers(workspace.config, "status", owners(owner, kr))
            news.notices += notices(message, f"{topic}/{since}/{status}", channels, "status")
        elif topic not in told:  # known by the id it had before, which need not be named for ever
            news.topics[topic] = known


def _defined(workspace: Workspace, cycle: str) -> Iterator[tuple[Objective, KeyResult]]:
    """What the config has now: of what has left it, nobody is told."""
    for objective in workspace.config.objectives:
        if objective.cycle.name == cycle:
            yield from ((objective, kr) for kr in objective.key_results)


def _known(cycle: str, kr: KeyResult, told: Mapping[str, str]) -> Status | None:
    """The status that was noted last, under the id that it had before too."""
    said = next((told[topic] for name in (kr.id, kr.was) if (topic := f"status/{cycle}/{name}") in told), None)
    return next((status for status in Status if status == said), None)


def _said(workspace: Workspace, cycle: str, until: date) -> tuple[date, ProgressReport] | None:
    """What was in force at the end of the newest day, up to `until`, on which anything was said."""
    try:
        stored = workspace.store.said_by(cycle, until)
        return None if stored is None else (stored.day, ProgressReport.from_json(stored.content))
    except (ValueError, StoreBroken):  # another release said it; or it is damaged, which the check of each night tells
        return None


def _by_id(report: ProgressReport) -> dict[str, tuple[ReportedObjective, ReportedKeyResult]]:
    return {kr.id: (o, kr) for o in report.objectives for kr in o.key_results}


def _statuses(report: ProgressReport) -> dict[str, Status]:
    return {kr_id: kr.judgement.status for kr_id, (_, kr) in _by_id(report).items()}


def _tell_sight(workspace: Workspace, now: datetime, told: Mapping[str, str], news: News) -> None:
    config, seen = workspace.config, sight(workspace, now)
    dates = Dates.seen_at(now, config.calendar.timezone)
    # What nothing rests on is neither blind nor seeing; asked again, it may be blind anew.
    blind = {topic.removeprefix("blind/"): topic for topic, said in told.items() if said == "blind"}
    news.topics |= {topic: "unasked" for name, topic in blind.items() if name not in seen.asked}
    for source in config.sources.values():
        topic = f"blind/{source.name}"
        was_blind, found = source.name in blind, seen.blind.get(source.name)
        if found is not None and not was_blind:
            state, message = "blind", messages.of_blind(found, dates, now)
        elif was_blind and source.name in seen.asked - seen.old:
            state, message = "sees", messages.of_sight(source.name)
        else:
            continue
        news.topics[topic] = state
        channels = readers(config, "blind", (source.owner,) if source.owner else ())
        news.notices += notices(message, f"{topic}/{now.isoformat(timespec='seconds')}/{state}", channels, "blind")
