"""A made-up report: key results with a quarter of days, facts and moves behind each, as full as a page may become."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from keyresults.krs.checkin import CheckIn
from keyresults.krs.cycle import Cycle
from keyresults.krs.forecast import Forecast
from keyresults.krs.judgement import Baseline, GuardrailState, Judgement, ObjectiveJudgement, Status
from keyresults.krs.planned import PlannedDay
from keyresults.metrics.reading import FactNote, Health, Reading
from keyresults.metrics.window import Window
from keyresults.reports.progress_report import (
    DayValue,
    Move,
    ProgressReport,
    ReportedKeyResult,
    ReportedObjective,
    ReportedRevision,
    TargetTerms,
)

START, END = date(2026, 10, 1), date(2026, 12, 31)
AS_OF = datetime(2026, 12, 30, 9, tzinfo=UTC)
DAYS, PER_OBJECTIVE, FACTS, OF_A_MOVE = 91, 4, 50, 10
MET, LIMIT = 0.45, 0.315


def report(key_results: int) -> ProgressReport:
    objectives = []
    for first in range(0, key_results, PER_OBJECTIVE):
        krs = tuple(_key_result(n) for n in range(first, min(first + PER_OBJECTIVE, key_results)))
        judged = ObjectiveJudgement(status=Status.AT_RISK, progress=0.6, measured=len(krs), total=len(krs))
        objectives.append(
            ReportedObjective(
                id=f"o{first}", title=f"Services from {first} on are fast", kind="committed", owner="payments",
                judgement=judged, key_results=krs,
            )
        )  # fmt: skip
    return ProgressReport(
        as_of=AS_OF, timezone="Europe/Berlin", cycle=Cycle("2026-Q4", START, END), since=date(2026, 12, 23),
        objectives=tuple(objectives),
    )  # fmt: skip


def _key_result(n: int) -> ReportedKeyResult:
    chance, days = random.Random(n), [START + timedelta(days=i) for i in range(DAYS + 1)]
    series = tuple(DayValue(d, MET - i * 0.001 + chance.gauss(0, 0.01), Health.OK) for i, d in enumerate(days[:-1]))
    facts = tuple(_fact(n, i) for i in range(FACTS))
    moves = [Move(start=days[i], end=days[i + 7], before=0.45, after=0.4, why=("ledger",)) for i in (3, 20, 40)]
    return ReportedKeyResult(
        id=f"kr-{n}",
        title=f"Reduce P99 latency of service {n} by 30%",
        owner="ana",
        unit="s",
        definition="p99 over all requests of the window, from merged histogram buckets; over 7 days",
        counted="requests",
        target=TargetTerms(kind="change", text="-30%", value=LIMIT),
        start=START,
        initiatives=(f"https://github.com/acme/payments/milestone/{n}",),
        revisions=(ReportedRevision(on=days[30], reason="Traffic doubled", changes="the target from -40% to -30%"),),
        series=series,
        forecast=Forecast(low=0.31, high=0.37, median=0.34, probability=0.3),
        takes="p99 at most 315 ms over 25–31 Dec",
        check_ins=tuple(CheckIn(at=AS_OF - timedelta(days=14 * i), by="ana", confidence=6) for i in (3, 2, 1)),
        moved=moves[0],
        moves=tuple(moves),
        evidence=facts,
        planned=tuple(
            PlannedDay(day=d, metric="p99", limits=(0.27 if i < 30 else LIMIT,), expected=MET - 0.0015 * i)
            for i, d in enumerate(days)
        ),
        judgement=_judgement(series[-1]),
    )


def _fact(n: int, i: int) -> FactNote:
    key = f"acme/service-{n}/d-{1000 + i}"
    return FactNote(
        key=key, at=AS_OF - timedelta(hours=7 * i), subject=f"acme/service-{n}", counted=i % 5 > 0, role="forward",
        why="a version not seen before", url=f"https://github.com/acme/service-{n}/deployments/{1000 + i}",
    )  # fmt: skip


def _judgement(newest: DayValue) -> Judgement:
    at = AS_OF - timedelta(days=7)
    return Judgement(
        status=Status.AT_RISK,
        why="60% of the way is done, 90% of it was due",
        reading=Reading(
            at=AS_OF, day=newest.day, value=newest.value, unit="s", n=840_000, health=Health.OK, covered=1.0,
            window=Window(at, AS_OF),
        ),
        baseline=Baseline(value=MET, at=None, measured=False, provisional=False, pace_start=AS_OF - timedelta(days=90)),
        target_value=LIMIT, progress=0.6, raw_progress=0.6, satisfied=False, expected=0.9, needed_pace=2.0,
        deadline=END, metric="p99",
        guardrails=(
            GuardrailState(metric="errors", holds=True, value=0.002, unit="ratio", limit="at most 1%", words="holds"),
        ),
    )  # fmt: skip
