"""Made-up histories: everything that happens to real deployments, runs and samples, in one seeded stream."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from keyresults.metrics.calendar import Calendar
from keyresults.metrics.facts import Change, Deployment, Fact, Incident, Run, Sample, StatusChange

ENVIRONMENTS = ("production", "production", "production", "prod-eu", "prod-us", "staging")
CONCLUSIONS = ("success",) * 6 + (
    "failure",
    "failure",
    "timed_out",
    "startup_failure",
    "cancelled",
    "skipped",
    "neutral",
)


def deployments(rng: random.Random, start: datetime, many: int, subjects: tuple[str, ...]) -> list[Fact]:
    """Failures, repetitions, returns over several versions, other tasks and environments, late statuses."""
    facts: list[Fact] = []
    shipped: dict[tuple[str, str], list[str]] = {}
    now = start
    for number in range(many):
        now += timedelta(seconds=rng.choice([7, 61, 299, 601, 3607, 14_400, 50_000, 100_000]), microseconds=number + 1)
        subject, environment = rng.choice(subjects), rng.choice(ENVIRONMENTS)
        past = shipped.setdefault((subject, environment), [])
        commit = _next_commit(rng, past, number)
        facts.append(_attempt(rng, number, now, subject, environment, commit))
        if facts[-1].succeeded_at:
            past.append(commit)
    rng.shuffle(facts)
    return facts


def _next_commit(rng: random.Random, past: list[str], number: int) -> str:
    chance = rng.random()
    if past and chance < 0.15:
        return past[-1]
    if past and chance < 0.40:
        return rng.choice(past[-6:])
    if chance < 0.55:
        return f"shared{number // 8}"
    return f"c{number}"


def _attempt(
    rng: random.Random, number: int, done: datetime, subject: str, environment: str, commit: str
) -> Deployment:
    created = done - timedelta(seconds=rng.choice([0, 30, 300, 4000]))
    told = []
    if rng.random() < 0.6:
        told.append(StatusChange("in_progress", created + (done - created) * rng.random()))
    outcome = rng.choice(("success",) * 8 + ("failure", "error", "failure then success", "late", "pending"))
    if outcome == "failure then success":
        told += [StatusChange("failure", done), StatusChange("success", done + timedelta(seconds=1800))]
    elif outcome == "late":
        told.append(StatusChange("success", done + timedelta(days=3)))
    elif outcome == "pending":
        told.append(StatusChange("queued", created))
    else:
        told.append(StatusChange(outcome, done))
    if rng.random() < 0.3:
        told.append(StatusChange("inactive", done + timedelta(days=1)))
    if rng.random() < 0.1:
        told.append(StatusChange("success", done + timedelta(days=2)))
    rng.shuffle(told)
    return Deployment(
        key=f"d{number}",
        subject=subject,
        environment=environment,
        commit=commit,
        created_at=created,
        statuses=tuple(told),
        task=rng.choice(("deploy",) * 9 + ("migrate",)),
        run=rng.choice((None, f"{number // 3}/1")),
        marked_rollback=rng.random() < 0.1,
    )


def runs(rng: random.Random, start: datetime, many: int) -> list[Fact]:
    """Runs of one to three attempts, some still in progress, some without a start, some that end before it."""
    facts: list[Fact] = []
    created = start
    for number in range(many):
        created += timedelta(seconds=rng.choice([60, 900, 7200, 40_000]), microseconds=number + 1)
        begun = created
        for attempt in range(1, rng.choice((1, 1, 1, 2, 3)) + 1):
            begun += timedelta(minutes=rng.choice((1, 30, 3000)))
            conclusion = rng.choice((*CONCLUSIONS, None))
            ended = begun + timedelta(seconds=rng.choice((-5, 0, 90, 600, 90_000)))
            facts.append(
                Run(
                    key=f"{number}/{attempt}",
                    subject=rng.choice(("acme/pay",)),
                    workflow="ci.yml",
                    run=str(number),
                    attempt=attempt,
                    branch="main",
                    commit=f"c{number}",
                    created_at=created,
                    started_at=rng.choice((begun, begun, begun, None)),
                    completed_at=ended if conclusion else None,
                    conclusion=conclusion,
                )
            )
            begun = max(begun, ended)
    rng.shuffle(facts)
    return facts


def changes(rng: random.Random, start: datetime, many: int) -> list[Fact]:
    """Changes of people and bots; some of unknown beginning, some reviewed late, never, or before they were opened."""
    facts: list[Fact] = []
    merged = start
    for number in range(many):
        merged += timedelta(seconds=rng.choice([60, 3600, 20_000, 90_000]), microseconds=number + 1)
        began = merged - timedelta(seconds=rng.choice((-60, 0, 900, 80_000, 900_000)))
        opened = merged - timedelta(seconds=rng.choice((0, 600, 40_000)))
        reviewed = opened + timedelta(seconds=rng.choice((-30, 0, 500, 30_000, 2_000_000)))
        facts.append(
            Change(
                key=f"#{number}",
                subject=rng.choice(("acme/pay", "acme/ledger")),
                commit=f"c{number}",
                merged_at=merged,
                opened_at=rng.choice((opened, opened, opened, None)),
                first_commit_at=rng.choice((began, began, began, None)),
                first_review_at=rng.choice((reviewed, reviewed, reviewed, None)),
                author_kind=rng.choice(("person", "person", "unknown", "bot")),
            )
        )
    rng.shuffle(facts)
    return facts


def incidents(rng: random.Random, start: datetime, many: int) -> list[Fact]:
    facts: list[Fact] = []
    opened = start
    for number in range(many):
        opened += timedelta(seconds=rng.choice([60, 30_000, 200_000]), microseconds=number + 1)
        closed = rng.choice((None, opened + timedelta(hours=rng.choice((1, 90)))))
        facts.append(Incident(key=f"#{number}", subject="acme/pay", opened_at=opened, closed_at=closed))
    rng.shuffle(facts)
    return facts


def day_samples(rng: random.Random, first: datetime, many: int, calendar: Calendar) -> list[Fact]:
    """One sample a day, some days without a value, some without a sample, each with a histogram."""
    facts: list[Fact] = []
    day = calendar.day_of(first)
    for _ in range(many):
        opens, closes = calendar.start_of(day), calendar.end_of(day)
        counts = sorted(rng.randrange(0, 400) for _ in range(4))
        if rng.random() < 0.9:
            facts.append(
                Sample(
                    key=day.isoformat(),
                    subject="p99",
                    at=opens,
                    until=closes,
                    value=rng.choice((None, 0.0, rng.uniform(0.1, 2))),
                    parts=dict(zip(("0.1", "0.5", "2.5", "+Inf"), map(float, counts), strict=True)),
                )
            )
        day += timedelta(days=1)
    return facts


def file_samples(rng: random.Random, start: datetime, many: int) -> list[Fact]:
    """Coverage and test files of builds at odd hours, some of them empty."""
    facts: list[Fact] = []
    now = start
    for number in range(many):
        now += timedelta(hours=rng.choice((1, 9, 30, 200)), microseconds=number + 1)
        coverable, passed = rng.choice((0, 200, 1000)), rng.choice((0, 40, 900))
        parts = rng.choice(
            (
                {"covered": coverable * 0.75, "coverable": float(coverable)},
                {"passed": float(passed), "failed": 3.0, "errors": 1.0, "skipped": 7.0},
                {"passed": float(passed), "failed": 0.0, "errors": 0.0},
                {},
            )
        )
        facts.append(Sample(key=f"f{number}", subject="acme/pay", at=now, value=rng.uniform(0, 2), parts=parts))
    return facts


def coverage(rng: random.Random, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Time that was collected: mostly all of it, at times with gaps and an old tail."""
    if rng.random() < 0.4:
        return [(start, end)]
    if rng.random() < 0.1:
        return []
    edges = sorted({start + (end - start) * rng.random() for _ in range(rng.choice((2, 4, 6)))})
    edges = [edge.replace(microsecond=0) for edge in edges]
    if rng.random() < 0.5:
        edges[-1] = end
    return list(zip(edges[::2], edges[1::2], strict=True))
