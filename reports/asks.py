"""What a report asks of people: to decide, to talk, to make something seen again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..krs.checkin import SURE, CheckIn, differs_from
from ..krs.judgement import Status
from ..metrics.comparison import below
from ..metrics.reading import Health
from . import wording
from .dates import Dates
from .escaping import is_address
from .looks import LOOKS
from .numbers import chance, count
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective, SourceHealth

Kind = Literal["decide", "talk", "blind"]

UNLIKELY = 0.10
"""Below this chance of reaching its target a committed key result is one to decide on, whatever its pace."""

_RUNNING = frozenset({Status.ON_TRACK, Status.AT_RISK, Status.OFF_TRACK, Status.MET})
_TOLD_BY_SOURCE = frozenset({Health.UNAUTHORIZED, Health.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Something for `owner` (empty where nobody is named) to do.

    `about` is the title of a key result, or the name of a source; `key_result` is the former's id, empty
    of a source. `link` is a web address or a command to run.
    """

    kind: Kind
    about: str
    key_result: str = ""
    words: str
    owner: str
    link: str


def asks(report: ProgressReport, dates: Dates) -> list[Ask]:
    """All there are: the first of each kind first, then the rest in the order decide, talk, blind."""
    judged = [(o, kr) for o in report.objectives for kr in o.key_results]
    kinds = (
        [ask for o, kr in _gravest_first(judged) if (ask := _decide(o, kr))],
        [*_changed(report, dates), *(ask for o, kr in judged for ask in _talk(o, kr))],
        list(_blind(report, judged, dates)),
    )
    return [ask for kind in kinds for ask in kind[:1]] + [ask for kind in kinds for ask in kind[1:]]


def _gravest_first(
    judged: Sequence[tuple[ReportedObjective, ReportedKeyResult]],
) -> list[tuple[ReportedObjective, ReportedKeyResult]]:
    order = list(LOOKS)
    return sorted(judged, key=lambda pair: order.index(pair[1].judgement.status))


def _decide(objective: ReportedObjective, kr: ReportedKeyResult) -> Ask | None:
    status = kr.judgement.status
    if status is Status.MISSED:
        words = f"{LOOKS[status].words}; carry it over, change it or drop it"
    elif status is Status.OFF_TRACK or (status in _RUNNING and _is_unlikely(objective, kr)):
        but = "" if status is Status.OFF_TRACK else "but "
        odds = f", {but}{chance(kr.forecast.probability)} chance" if kr.forecast else ""
        words = f"{LOOKS[status].words}{odds}; revise, drop or act"
    else:
        return None
    return _of(objective, kr, "decide", words, f"keyresults explain {kr.id}")


def _is_unlikely(objective: ReportedObjective, kr: ReportedKeyResult) -> bool:
    """Nobody expects all of an aspirational target."""
    if objective.kind == "aspirational":
        return False
    return kr.forecast is not None and below(kr.forecast.probability, UNLIKELY)


def _changed(report: ProgressReport, dates: Dates) -> Iterator[Ask]:
    """What changed in the config and nobody gave a reason for, in one ask."""
    if report.notices:
        more = len(report.notices) - 1
        words = dates.in_text(report.notices[0]) + (f" (and {more} more)" if more else "")
        yield Ask(kind="talk", about="The config", words=words, owner="", link="keyresults check")


def _talk(objective: ReportedObjective, kr: ReportedKeyResult) -> Iterator[Ask]:
    if kr.judgement.status not in _RUNNING | {Status.HELD_BACK}:
        return
    said = last_confidence(kr)
    if kr.judgement.status in _RUNNING and said and kr.forecast and differs_from(kr.forecast, said):
        confidence = f"confidence {count(said.confidence)} of {SURE}, forecast {chance(kr.forecast.probability)}"
        yield _of(objective, kr, "talk", f"{confidence}", _checkin(kr))
    for guardrail in kr.judgement.guardrails:
        if guardrail.holds is False:
            yield _of(objective, kr, "talk", wording.guardrail(guardrail), f"keyresults explain {guardrail.metric}")


def last_confidence(kr: ReportedKeyResult) -> CheckIn | None:
    """The newest check-in that names a confidence."""
    return next((c for c in reversed(kr.check_ins) if c.confidence is not None), None)


def _checkin(kr: ReportedKeyResult) -> str:
    return f"keyresults checkin {kr.id}"


def _blind(
    report: ProgressReport, judged: Sequence[tuple[ReportedObjective, ReportedKeyResult]], dates: Dates
) -> Iterator[Ask]:
    for source in report.blind_sources:
        yield _of_source(source, dates)
    for objective, kr in judged:
        reading = kr.judgement.reading
        told = report.blind_sources and reading is not None and reading.health in _TOLD_BY_SOURCE
        if kr.judgement.status is Status.NOT_MEASURED:
            words = f"{LOOKS[Status.NOT_MEASURED].words}; grade it by hand, with a reason"
            yield _of(objective, kr, "blind", words, f"keyresults close {report.cycle.name}")
        elif kr.judgement.status is Status.UNKNOWN and not told:
            words = wording.blindness(kr, dates) or wording.reason(kr, dates)
            yield _of(objective, kr, "blind", words, f"keyresults explain {kr.id}")


def _of_source(source: SourceHealth, dates: Dates) -> Ask:
    command = "keyresults collect" if source.health is Health.NO_DATA else "keyresults sources"
    words = dates.in_text(source.words)
    return Ask(kind="blind", about=source.name, words=words, owner=source.owner or "", link=command)


def _of(objective: ReportedObjective, kr: ReportedKeyResult, kind: Kind, words: str, command: str) -> Ask:
    address = next((i for i in kr.initiatives if is_address(i)), None)
    return Ask(
        kind=kind,
        about=kr.title,
        key_result=kr.id,
        words=words,
        owner=kr.owner or objective.owner or wording.people(*objective.teams),
        link=address if address and kind == "decide" else command,
    )
