"""What was said of a cycle at one time: everything a renderer needs, and nothing to look up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from ..krs.checkin import CheckIn
from ..krs.cycle import Cycle
from ..krs.forecast import Forecast
from ..krs.grading import Grade, ObjectiveGrade
from ..krs.judgement import Judgement, ObjectiveJudgement, Status
from ..krs.model import Between, ChangeBy, Comparison, Keep, KeyResult, Kind, Reach, Target, Threshold
from ..krs.planned import PlannedDay
from ..krs.terms import Terms, revised, revisions_until, terms
from ..metrics.definition import Exclusion
from ..metrics.reading import FactNote, Health, is_usable
from .codec import decode_json, encode_json

TargetKind = Literal["to", "change", "at_most", "below", "at_least", "above", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTerms:
    """A target as it can be shown: `value` is resolved and in the base unit (None where there is no single one).

    `comparison` is how `value` limits (None for a target to be reached, and for `between`);
    `share` is the share of days of a `keep`; `text` is what the config says.
    """

    kind: TargetKind
    text: str
    value: float | None = None
    comparison: Comparison | None = None
    between: tuple[float, float] | None = None
    share: float | None = None

    @classmethod
    def of(cls, target: Target, value: float | None) -> TargetTerms:
        """`value` is the judgement's `target_value`."""
        match target:
            case Reach():
                return cls(kind="to", text=target.text, value=target.to)
            case ChangeBy():
                return cls(kind="change", text=target.text, value=value)
            case Threshold():
                return cls(kind=target.comparison, text=target.text, value=target.limit, comparison=target.comparison)
            case Keep(limit=Between() as limit):
                return cls(kind="keep", text=target.text, between=(limit.low, limit.high), share=target.share)
            case Keep(limit=Threshold() as limit):
                return cls(
                    kind="keep", text=target.text, value=limit.limit, comparison=limit.comparison, share=target.share
                )
        raise TypeError(f"no target: {target!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRevision:
    """A dated change of course. `changes` says what it changed ("the target from 5% to 8%"); empty for a withdrawal."""

    on: date
    reason: str
    changes: str

    @classmethod
    def all_of(cls, kr: KeyResult) -> tuple[ReportedRevision, ...]:
        """Oldest first, each held against what was in force before it."""
        found, now = [], terms(kr, date.min)
        for revision in revisions_until(kr, date.max):
            then, now = now, revised(now, revision)
            found.append(cls(on=revision.on, reason=revision.reason, changes=_changes(then, now)))
        return tuple(found)


def _changes(then: Terms, now: Terms) -> str:
    said = [
        f"the {name} from {before} to {after}"
        for name, before, after in (
            ("target", then.target.text, now.target.text),
            ("deadline", then.deadline.isoformat(), now.deadline.isoformat()),
            ("metric", then.metric, now.metric),
            ("weight", f"{then.weight:g}", f"{now.weight:g}"),
        )
        if before != after
    ]
    if now.plan != then.plan:
        said.append("the plan")
    return " and ".join(said)


@dataclass(frozen=True, slots=True)
class DayValue:
    """The reading that closes `day`: its value in the base unit, None where there was none."""

    day: date
    value: float | None
    health: Health

    def usable(self, accept_partial: bool) -> bool:
        return is_usable(self.value, self.health, accept_partial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was said of a key result at the report before this one."""

    at: datetime
    status: Status
    value: float | None
    progress: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of a key result's reading from the end of one day to the end of a later one.

    `why` names the services or changes behind it, weightiest first; never people. `facts` are those
    that came into the window or left it in between.
    """

    start: date
    end: date
    before: float
    after: float
    why: tuple[str, ...] = ()
    facts: tuple[FactNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedKeyResult:
    """A key result, what it rests on and what is said of it.

    `unit` is the text of the metric's unit, `definition` the metric in words, `counted` what its
    readings' `n` counts ("deployments"; empty where that says nothing). `target` is the one
    in force, `first_target` what the team began with where a revision replaced it. `series` is
    daily from the key result's start, oldest first, and of the metric that judges now since `measured_since` (None: all
    of it); where `accept_partial`, readings with gaps are used as well. `with_excluded` is what the reading would be
    with the facts that the metric excludes, None where it excludes none. `no_forecast` says why there
    is no `forecast` where one was wanted. `takes` says what it takes until the deadline ("17 deployments in
    the 19 workdays that decide"). `before` is what the report before said, `moves` the biggest changes
    since the start, `moved` the one since the report before, `evidence` the facts behind the reading, newest first:
    these four are worked out for reports only, and not stored. So are, for charts, `planned`, what was asked on
    each day from the first to the last, and `excluded`, the days whose facts the metric leaves out. `grade` is
    there once its cycle was closed.
    """

    id: str
    title: str
    owner: str | None
    unit: str
    definition: str
    counted: str = ""
    target: TargetTerms
    first_target: TargetTerms | None = None
    start: date
    initiatives: tuple[str, ...] = ()
    revisions: tuple[ReportedRevision, ...] = ()
    series: tuple[DayValue, ...] = ()
    measured_since: date | None = None
    accept_partial: bool = False
    with_excluded: float | None = None
    forecast: Forecast | None = None
    no_forecast: str = ""
    takes: str = ""
    check_ins: tuple[CheckIn, ...] = ()
    before: Before | None = None
    moved: Move | None = None
    moves: tuple[Move, ...] = ()
    evidence: tuple[FactNote, ...] = ()
    planned: tuple[PlannedDay, ...] = ()
    excluded: tuple[Exclusion, ...] = ()
    grade: Grade | None = None
    judgement: Judgement

    @property
    def comparable(self) -> tuple[DayValue, ...]:
        """The days measured by the metric that judges now: of two metrics no two values can be compared."""
        return tuple(one for one in self.series if self.measured_since is None or one.day >= self.measured_since)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedObjective:
    id: str
    title: str
    kind: Kind
    owner: str | None
    teams: tuple[str, ...] = ()
    parent: str | None = None
    judgement: ObjectiveJudgement
    grade: ObjectiveGrade | None = None
    key_results: tuple[ReportedKeyResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """A source as a whole: its worst stream's health. `words` say since when and why it is blind."""

    name: str
    health: Health
    words: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """When a cycle was closed, and by whom: what its report says is frozen since."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """That a report is told from the store: what was in force at the end of the day `on`.

    It was first said so at `first_at`, and last at the report's own `as_of`. `same_config` says whether
    the config is still the one of then, whose digest is `config_digest`.
    """

    on: date
    first_at: datetime
    config_digest: str
    same_config: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport:
    """One cycle as of one time. Times are shown in `timezone`; `notices` are sentences for its readers.

    `since` is the day at whose end the moves and the words of `before` begin; None where nobody asked for them.
    `said` where it is no evaluation of today but what was said on a day.
    `closed` is None while the cycle is open.
    """

    as_of: datetime
    timezone: str
    cycle: Cycle
    since: date | None = None
    said: Said | None = None
    closed: Closed | None = None
    objectives: tuple[ReportedObjective, ...] = ()
    sources: tuple[SourceHealth, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def blind_sources(self) -> tuple[SourceHealth, ...]:
        return tuple(s for s in self.sources if s.health is not Health.OK)

    def to_json(self) -> str:
        """Everything, as it is stored: the same report gives the same text."""
        return encode_json(self)

    @classmethod
    def from_json(cls, text: str) -> ProgressReport:
        """
        Raises:
            ValueError: where the text is no stored report, or one of another release that can't be read.
        """
        return decode_json(cls, text)
