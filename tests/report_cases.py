"""Reports to render in tests: one of a usual quarter, and one full of hostile text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from keyresults.krs.checkin import CheckIn
from keyresults.krs.cycle import Cycle
from keyresults.krs.forecast import Forecast
from keyresults.krs.judgement import (
    Baseline,
    Flag,
    GuardrailState,
    Judgement,
    KeptDays,
    ObjectiveJudgement,
    Status,
)
from keyresults.krs.planned import PlannedDay
from keyresults.metrics.definition import Exclusion
from keyresults.metrics.ranges import TimeRange
from keyresults.metrics.reading import FactNote, Health, Reading
from keyresults.metrics.window import Window
from keyresults.reports.dates import Dates
from keyresults.reports.progress_report import (
    Before,
    DayValue,
    Move,
    ProgressReport,
    ReportedKeyResult,
    ReportedObjective,
    ReportedRevision,
    SourceHealth,
    TargetTerms,
)
from keyresults.reports.values import Explanation, MetricSeries, SourceState

START, END = date(2026, 10, 1), date(2026, 12, 31)
AS_OF = datetime(2026, 11, 23, 8, tzinfo=UTC)
DATES = Dates.seen_at(AS_OF, "Europe/Berlin")

HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J bell\x07 [bold]rich[/bold] :smile: <script>alert(1)</script> **b** "
    "| cell | `code` [link](http://evil.example) \u202ereversed\u2066 \u200bzero\ttab\nline @team \ud800 " + "w" * 300
)


def reading(value, unit="ratio", health=Health.OK, **more):
    window = Window(AS_OF - timedelta(days=28), AS_OF)
    fields = {"at": AS_OF, "day": date(2026, 11, 23), "health": health, "covered": 1.0, "window": window}
    return Reading(value=value, unit=unit, **fields | more)


def judgement(**more):
    fields = {
        "status": Status.ON_TRACK,
        "why": "62% of the way is done, 55% of it was due",
        "reading": reading(0.402, "s", n=12345),
        "baseline": None,
        "deadline": END,
        "metric": "p99-payments",
    }
    return Judgement(**fields | more)


def key_result(**more):
    fields = {
        "id": "p99",
        "title": "Reduce P99 latency of payment processing by 30%",
        "owner": "ana",
        "unit": "s",
        "definition": "p99 over all requests of the window, from merged histogram buckets; over 7 days",
        "counted": "requests",
        "target": TargetTerms(kind="change", text="-30%", value=0.315),
        "start": START,
        "judgement": judgement(),
    }
    return ReportedKeyResult(**fields | more)


def latency():
    days = [START + timedelta(days=n) for n in range(53)]
    return key_result(
        initiatives=("https://github.com/acme/payments/milestone/7",),
        revisions=(
            ReportedRevision(on=date(2026, 11, 2), reason="Traffic doubled", changes="the target from -40% to -30%"),
        ),
        first_target=TargetTerms(kind="change", text="-40%"),
        check_ins=(
            CheckIn(at=AS_OF - timedelta(days=17), by="ben", confidence=9),
            CheckIn(at=AS_OF - timedelta(days=3), by="ana", confidence=7, note="the cache goes live next week"),
        ),
        series=tuple(
            DayValue(d, None if n == 10 else 0.450 - n * 0.001, Health.NO_DATA if n == 10 else Health.OK)
            for n, d in enumerate(days)
        ),
        judgement=judgement(
            baseline=Baseline(
                value=0.45,
                at=datetime(2026, 9, 30, 22, tzinfo=UTC),
                measured=True,
                provisional=True,
                pace_start=datetime(2026, 9, 30, 22, tzinfo=UTC),
            ),
            status=Status.AT_RISK,
            target_value=0.315,
            progress=0.35,
            raw_progress=0.3556,
            satisfied=False,
            expected=0.539,
            needed_pace=1.41,
            decides_on=Window(datetime(2026, 12, 24, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)),
            flags=(Flag("provisional", "The baseline may still change"),),
            guardrails=(
                GuardrailState(
                    metric="rollback-rate",
                    holds=False,
                    value=0.061,
                    unit="ratio",
                    limit="at most 5%",
                    words="broken by one",
                    excess=0.011,
                ),
            ),
        ),
    )


def rollbacks_without_data():
    return key_result(
        id="rollbacks",
        title="Reduce rollback rate to under 1%",
        owner=None,
        unit="ratio",
        definition="forward deployments rolled back later ÷ forward deployments; over 28 days",
        counted="deployments",
        target=TargetTerms(kind="below", comparison="below", text="1%", value=0.01),
        series=(
            DayValue(date(2026, 10, 30), 0.02, Health.OK),
            DayValue(date(2026, 11, 23), None, Health.NO_DATA),
        ),
        judgement=judgement(
            status=Status.UNKNOWN,
            why="The reading can't be used: no data; no deployment is known since 2026-10-30",
            reading=reading(None, health=Health.NO_DATA, notes=("no deployment is known since 2026-10-30",)),
            metric="rollback-rate",
        ),
    )


def kept():
    return key_result(
        id="fast-enough",
        title="Keep payment latency within 450 ms on 95% of days",
        target=TargetTerms(kind="keep", comparison="at_most", text="95% of days", value=0.45, share=0.95),
        judgement=judgement(
            progress=0.58, raw_progress=0.5807, expected=0.58, kept=KeptDays(days=92, measured=50, bad=3, budget=4.6)
        ),
    )


def report(*key_results, **more):
    found = key_results or (latency(), rollbacks_without_data(), kept())
    objective = ReportedObjective(
        id="reliability",
        title="Significantly improve the reliability of our core payment service",
        kind="aspirational",
        owner="payments",
        teams=("payments", "platform"),
        judgement=ObjectiveJudgement(status=Status.AT_RISK, progress=0.46, measured=2, total=3),
        key_results=found,
    )
    fields = {
        "as_of": AS_OF,
        "timezone": "Europe/Berlin",
        "cycle": Cycle("2026-Q4", START, END),
        "objectives": (objective,),
        "sources": (
            SourceHealth(name="github", health=Health.UNAUTHORIZED, words="the credential was refused"),
            SourceHealth(name="prometheus", health=Health.OK, words=""),
        ),
        "notices": ("p99 changed without a reason, first seen on 2026-11-03",),
    }
    return ProgressReport(**fields | more)


def told():
    """With all that a report tells beyond the numbers: forecasts, what was said before, moves, check-ins, evidence."""
    facts = (
        fact("acme/payments/d-7", True, "forward", "a new version", subject="acme/payments"),
        fact("acme/payments/d-6", False, "redeploy", "the same commit as its neighbour", subject="acme/payments"),
    )
    since, today = date(2026, 11, 16), date(2026, 11, 23)
    move = Move(
        start=since, end=today, before=0.547, after=0.402, why=("ledger", "#123 Cache the price list"), facts=facts
    )
    older = Move(
        start=date(2026, 10, 20), end=date(2026, 10, 27), before=0.6, after=0.55, why=("carts",), facts=facts[:1]
    )
    rich = replace(
        latency(),
        forecast=Forecast(low=0.318, high=0.402, median=0.36, probability=0.22),
        takes="P99 at most 315 ms over 25–31 Dec",
        check_ins=(CheckIn(at=AS_OF - timedelta(days=3), by="ana", confidence=7, note="the cache goes live"),),
        before=Before(at=AS_OF - timedelta(days=6), status=Status.OFF_TRACK, value=0.547, progress=0.1),
        moved=move,
        moves=(move, older),
        evidence=facts,
    )
    blind = replace(rollbacks_without_data(), no_forecast="nothing was measured for 24 days")
    steady = replace(
        kept(), forecast=Forecast(low=0.4, high=0.44, median=0.42, probability=0.91), takes="1 bad day left"
    )
    return report(rich, blind, steady, since=since)


def charted(found=None):
    """A report with what charts need besides: what was asked on each day, and days that are left out."""
    found = found or told()
    (objective,) = found.objectives
    days = [START + timedelta(days=n) for n in range(92)]

    def drawn(kr):
        limit = kr.target.value
        planned = tuple(
            PlannedDay(
                day=day,
                metric=kr.judgement.metric,
                limits=() if limit is None else (limit if n >= 32 else limit - 0.045,),
                expected=None if kr.judgement.kept else 0.45 - (n + 1) / 92 * 0.0945,
            )
            for n, day in enumerate(days)
        )
        return replace(kr, planned=planned, excluded=(Exclusion(days[20], days[22], "a broken probe"),))

    return replace(found, objectives=(replace(objective, key_results=tuple(map(drawn, objective.key_results))),))


def hostile_report():
    """What others may write, everywhere."""
    facts = (fact(HOSTILE, True, HOSTILE, HOSTILE, subject=HOSTILE, url="javascript:alert(1)"),) * 2
    move = Move(
        start=date(2026, 11, 16), end=date(2026, 11, 23), before=0.5, after=0.4, why=(HOSTILE, HOSTILE), facts=facts
    )
    plain = latency()
    hurt = replace(
        plain,
        takes=HOSTILE,
        no_forecast=HOSTILE,
        moved=move,
        moves=(move,),
        evidence=facts,
        id=HOSTILE,
        title=HOSTILE,
        owner=HOSTILE,
        definition=HOSTILE,
        unit=HOSTILE,
        initiatives=(HOSTILE, "javascript:alert(1)"),
        revisions=(ReportedRevision(on=START, reason=HOSTILE, changes=HOSTILE),),
        check_ins=(CheckIn(at=AS_OF, by=HOSTILE, confidence=10, note=HOSTILE),),
        judgement=replace(
            plain.judgement,
            why=HOSTILE,
            flags=(Flag(HOSTILE, HOSTILE),),
            reading=reading(0.4, HOSTILE, notes=(HOSTILE,)),
            guardrails=(GuardrailState(metric=HOSTILE, holds=None, value=None, unit="", limit=HOSTILE, words=HOSTILE),),
        ),
    )
    one = report(hurt).objectives[0]
    return report(
        cycle=Cycle(HOSTILE, START, END),
        objectives=(replace(one, title=HOSTILE, owner=HOSTILE, teams=(HOSTILE,)),),
        sources=(SourceHealth(name=HOSTILE, health=Health.FAILED, words=HOSTILE, owner=HOSTILE),),
        notices=(HOSTILE,),
        since=date(2026, 11, 16),
    )


def fact(key, counted, role, why, **more):
    fields = {"at": AS_OF - timedelta(days=3), "subject": "acme/payments", "url": f"https://github.com/{key}"}
    return FactNote(key=key, counted=counted, role=role, why=why, **fields | more)


def explanation():
    return Explanation(
        name="rollbacks",
        definition="forward deployments rolled back later ÷ forward deployments",
        counted="deployments",
        timezone="Europe/Berlin",
        window=reading(None).window,
        reading=reading(1 / 28, n=28, numerator=1, denominator=28, interval=(0.012, 0.099)),
        facts=(
            fact("1", True, "forward", "a version not seen before"),
            fact("2", True, "rolled back", "the version before it returned on 2026-11-21 at 10:00 " * 3),
            fact("3", False, "redeploy", "the same commit as its neighbour"),
        ),
    )


def series():
    return MetricSeries(
        metric="p99-payments",
        unit="s",
        definition="p99 over all requests of the window",
        counted="requests",
        timezone="Europe/Berlin",
        readings=(
            reading(0.41, "s", n=900, day=date(2026, 11, 21)),
            reading(None, "s", Health.NO_DATA, day=date(2026, 11, 22), notes=("the server was down",)),
            reading(0.402, "s", n=1204),
        ),
    )


def sources():
    return [
        SourceState(
            source="github",
            type="github",
            stream="github/deployments/acme/payments@1f0c00112233aabb",
            kind="deployments",
            subject="acme/payments",
            metrics=("rollback-rate", "deploys"),
            health=Health.UNAUTHORIZED,
            covered=(TimeRange(AS_OF - timedelta(days=90), AS_OF - timedelta(days=9)),),
            newest_fact=AS_OF - timedelta(days=10),
            last_run=AS_OF,
            last_error="the credential was refused",
            requests=3,
        ),
        SourceState(source="people", type="manual", stream="people/samples/x@1", kind="samples", health=Health.NO_DATA),
    ]
