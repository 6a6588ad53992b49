"""What a report tells beyond the numbers of a day: what was said before, and what moved since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ..krs.judgement import Judgement
from ..krs.model import KeyResult
from ..krs.moves import DayOf, Stretch, biggest_strides, stretch_since
from ..krs.names import key_results_of
from ..metrics.reading import FactNote
from ..reports import taking, wording
from ..reports.dates import Dates
from ..reports.progress_report import Before, Move, ProgressReport, ReportedKeyResult
from ..storage.errors import StoreBroken
from .closed import closed_report
from .evaluate import evaluate
from .evidence import Evaluation
from .moved import FACTS, Causes
from .taking import taken_by
from .workspace import Workspace

SINCE = timedelta(days=7)
"""How far back a report looks for what moved, unless it is told."""


class NotBefore(ValueError):
    """What a report is to compare with must lie before its own day."""


def report_of(
    workspace: Workspace, *, as_of: datetime, cycle: str | None = None, since: date | None = None
) -> ProgressReport:
    """What `evaluate` says, with what was said at the end of the day `since` and what moved from then on.

    Of a closed cycle it is what was told when it was closed.

    Raises:
        NoCycle: where neither `cycle` nor the config says which.
        NotBefore: where `since` is not before the day of `as_of`.
    """
    calendar = workspace.config.calendar
    today = calendar.day_closed_by(as_of)
    day = since or today - SINCE
    if day >= today:
        raise NotBefore(f"{day} is not before the report's own day, {today}: there is nothing to compare with")
    evaluation = Evaluation(workspace.config, workspace.store, as_of)
    report = evaluate(workspace, as_of=as_of, cycle=cycle, evaluation=evaluation)
    if report.closed is not None:
        return closed_report(workspace.store, report.cycle.name, as_of) or report
    teller = _Teller(
        evaluation=evaluation,
        since=day,
        key_results=key_results_of(report.cycle.name, workspace.config.objectives),
        said=_said(workspace, report.cycle.name, day),
        causes=Causes(evaluation),
    )
    told = (replace(o, key_results=tuple(map(teller.told, o.key_results))) for o in report.objectives)
    return replace(report, since=day, objectives=tuple(told))


def _said(workspace: Workspace, cycle: str, day: date) -> ProgressReport | None:
    """What was in force at the day's end; None where nothing was said by then, or can't be read: another release kept
    it, or it is damaged."""
    try:
        stored = workspace.store.said_by(cycle, day)
        return None if stored is None else ProgressReport.from_json(stored.content)
    except (ValueError, StoreBroken):
        return None


@dataclass(frozen=True, kw_only=True)
class _Teller:
    evaluation: Evaluation
    since: date
    key_results: Mapping[str, KeyResult]
    said: ProgressReport | None
    causes: Causes

    def told(self, reported: ReportedKeyResult) -> ReportedKeyResult:
        kr = self.key_results[reported.id]
        days = _usable(reported)
        metric, moved = reported.judgement.metric, stretch_since(days, self.since)
        return replace(
            reported,
            before=self._before(kr),
            moved=None if moved is None else self._move(kr, metric, moved),
            moves=tuple(self._move(kr, metric, stride) for stride in biggest_strides(self._ended(days))),
            evidence=self._evidence(reported.judgement),
            takes=self._takes(kr, reported),
        )

    def _takes(self, kr: KeyResult, reported: ReportedKeyResult) -> str:
        found = taken_by(self.evaluation, kr, reported.judgement)
        if found is None:
            return ""
        config = self.evaluation.config
        definition = config.metrics[reported.judgement.metric]
        dates = Dates.seen_at(self.evaluation.as_of, config.calendar.timezone)
        return taking.takes(found, definition, dates, wording.period(reported))

    def _ended(self, days: Sequence[DayOf]) -> Sequence[DayOf]:
        """A day that goes on has not its whole share of facts yet."""
        calendar = self.evaluation.config.calendar
        return [one for one in days if calendar.end_of(one.day) <= self.evaluation.as_of]

    def _evidence(self, judged: Judgement) -> tuple[FactNote, ...]:
        """The newest facts that the reading looked at, newest first."""
        if judged.reading is None:
            return ()
        return tuple(reversed(self.evaluation.measurement(judged.metric).evidence(judged.reading, newest=FACTS)))

    def _before(self, kr: KeyResult) -> Before | None:
        if self.said is None:
            return None
        then = {one.id: one.judgement for o in self.said.objectives for one in o.key_results}
        judged: Judgement | None = then.get(kr.id) or then.get(kr.was or "")
        if judged is None:
            return None
        value = judged.reading.value if judged.reading else None
        return Before(at=self.said.as_of, status=judged.status, value=value, progress=judged.progress)

    def _move(self, kr: KeyResult, metric: str, stretch: Stretch) -> Move:
        calendar, as_of = self.evaluation.config.calendar, self.evaluation.as_of
        before, after = (min(calendar.end_of(one.day), as_of) for one in (stretch.start, stretch.end))
        cause = self.causes.of(metric, calendar.start_of(kr.start), before, after)
        return Move(
            start=stretch.start.day,
            end=stretch.end.day,
            before=stretch.start.value,
            after=stretch.end.value,
            why=cause.why,
            facts=cause.facts,
        )


def _usable(reported: ReportedKeyResult) -> Sequence[DayOf]:
    days = ((one.day, one.value) for one in reported.comparable if one.usable(reported.accept_partial))
    return [DayOf(day, value) for day, value in days if value is not None]
