"""Check-ins: taken, asked for, and looked up. They are kept beside the numbers, and alter none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..config.model import Config
from ..krs.checkin import CheckIn
from ..krs.model import KeyResult, Objective
from ..krs.names import KeyResultName, UnknownNameError, key_results_of
from ..krs.owners import answers_for, owners
from ..krs.rhythm import is_open, missed_rounds
from ..krs.terms import moment
from ..reports.progress_report import ProgressReport, ReportedKeyResult, ReportedObjective
from ..reports.values import CheckInHistory, DueCheckIn
from .check_ins import check_ins_of
from .closed import closing_in_force
from .evaluate import cycle_named, evaluate, keep
from .judging import all_traits
from .workspace import Workspace

LONGEST_NOTE = 1000


_NO_RHYTHM = (
    "nobody is asked for check-ins: "
    'write [checkins] with every = "1 week" and on = "friday 10:00" into the config, and it says who is due'
)


class CannotCheckIn(ValueError):
    """Nothing can be kept of this key result, or nobody is asked; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One key result of a round, with the objective it stands under."""

    objective: ReportedObjective
    key_result: ReportedKeyResult


def named(config: Config, name: str, cycle: str | None = None) -> KeyResultName:
    """The key result called `p99` (of `cycle`, else of the one shown) or `2026-Q3/p99`.

    Raises:
        NoCycle, UnknownNameError: where there is none.
    """
    written, _, id_ = name.rpartition("/")
    found = cycle_named(config, written or cycle).name
    known = key_results_of(found, config.objectives)
    if id_ not in known:
        raise UnknownNameError(f"key result of {found}", id_, known)
    return KeyResultName(found, id_)


def check_in(workspace: Workspace, name: KeyResultName, confidence: int | None, note: str, *, by: str) -> CheckIn:
    """Keep what somebody says of a key result now.

    Raises:
        CannotCheckIn: where it is too long or says nothing, and where the outcome is known already.
    """
    note = fitting(note)
    if confidence is None and not note:
        raise CannotCheckIn(f"say how sure you are of {name.id} (--confidence, 0 to 10), or write a --note")
    if confidence is not None:
        _must_be_undecided(workspace, name)
    said = CheckIn(at=workspace.clock(), by=by, confidence=confidence, note=note)
    workspace.store.put_check_in(name.cycle, name.id, said)
    return said


def fitting(note: str) -> str:
    """The note as it is kept.

    Raises:
        CannotCheckIn: where it is too long.
    """
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise CannotCheckIn(f"a note has at most {LONGEST_NOTE} characters, this one has {len(note)}: link to the rest")
    return note


def _must_be_undecided(workspace: Workspace, name: KeyResultName) -> None:
    config = workspace.config
    kr = key_results_of(name.cycle, config.objectives)[name.id]
    now = moment(kr, all_traits(config, kr), config.calendar, workspace.clock())
    if closing_in_force(workspace.store, name.cycle) is not None:
        raise CannotCheckIn(f"{name.cycle} is closed: leave out the confidence to keep a note")
    if now.terms.withdrawn:
        raise CannotCheckIn(f"{name.id} was withdrawn: leave out the confidence to keep a note")
    if now.ended:
        raise CannotCheckIn(f"{name.id} ended with {now.deadline_day}: leave out the confidence to keep a note")


def tell(workspace: Workspace, cycle: str) -> ProgressReport:
    """What is said of the cycle now, check-ins included, kept for those who ask. No baseline is frozen by it."""
    report = evaluate(workspace, as_of=workspace.clock(), cycle=cycle)
    keep(workspace, report)
    return report


def turn_of(report: ProgressReport, kr_id: str) -> Turn:
    return next(Turn(o, kr) for o in report.objectives for kr in o.key_results if kr.id == kr_id)


def turns(workspace: Workspace, report: ProgressReport, owner: str | None) -> list[Turn]:
    """The round: every open key result that `owner` (None: anybody) answers for, in the report's order.

    Raises:
        UnknownNameError: for an owner of nothing in this cycle, who is no team and in none.
    """
    wanted = {kr.id for _, kr in _open(workspace, report.cycle.name, owner, report.as_of)}
    return [Turn(o, kr) for o in report.objectives for kr in o.key_results if kr.id in wanted]


def due(workspace: Workspace, cycle: str | None, owner: str | None) -> list[DueCheckIn]:
    """The key results for which somebody was asked since the last check-in, in the config's order.

    Raises:
        CannotCheckIn: where the config has no rhythm.
        NoCycle, UnknownNameError: for a cycle or an owner that isn't there.
    """
    config, now = workspace.config, workspace.clock()
    rhythm = config.checkins
    if rhythm is None:
        raise CannotCheckIn(_NO_RHYTHM)
    one = cycle_named(config, cycle)
    said = check_ins_of(workspace.store, one.name, config.objectives, now)
    asked = rhythm.rounds(config.calendar, one.start, now)
    found = []
    for objective, kr in _open(workspace, one.name, owner, now):
        last = said[kr.id][-1] if kr.id in said else None
        missed = missed_rounds(kr, asked, config.calendar, last.at if last else None)
        if missed:
            found.append(_due(objective, kr, missed, last))
    return found


def _due(objective: Objective, kr: KeyResult, missed: Sequence[datetime], last: CheckIn | None) -> DueCheckIn:
    return DueCheckIn(
        key_result=kr.id,
        title=kr.title,
        owners=owners(objective, kr),
        since=missed[0],
        rounds=len(missed),
        last=last,
    )


def history(
    workspace: Workspace, cycle: str | None, owner: str | None, only: str | None = None
) -> list[CheckInHistory]:
    """What was said of each key result of which anything was, or of `only` one.

    Raises:
        NoCycle, UnknownNameError: for a cycle or an owner that isn't there.
    """
    config = workspace.config
    one = cycle_named(config, cycle)
    said = check_ins_of(workspace.store, one.name, config.objectives, workspace.clock())
    return [
        CheckInHistory(key_result=kr.id, title=kr.title, check_ins=said.get(kr.id, ()))
        for _, kr in _owned(config, one.name, owner)
        if kr.id == only or (only is None and kr.id in said)
    ]


def _open(
    workspace: Workspace, cycle: str, owner: str | None, as_of: datetime
) -> Iterator[tuple[Objective, KeyResult]]:
    """Those whose outcome is still to come; none of a closed cycle."""
    config = workspace.config
    found = _owned(config, cycle, owner)
    if closing_in_force(workspace.store, cycle) is None:
        yield from ((o, kr) for o, kr in found if is_open(kr, all_traits(config, kr), config.calendar, as_of))


def _owned(config: Config, cycle: str, owner: str | None) -> list[tuple[Objective, KeyResult]]:
    found = [(o, kr) for o in config.objectives if o.cycle.name == cycle for kr in o.key_results]
    if owner is None:
        return found
    people = {team.name: team.people for team in config.teams.values()}
    known = {name for o, kr in found for name in owners(o, kr)}.union(people, *people.values())
    if owner not in known:
        raise UnknownNameError("owner", owner, known)
    return [(o, kr) for o, kr in found if answers_for(owner, owners(o, kr), people)]
