"""What happened at acme, a made-up shop: ten weeks of a quarter and the five weeks before it.

Days are counted from the quarter's first Monday. What happens on a day depends on its number alone,
so the story is the same whenever it is told; only how much of it has happened yet differs.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
WEEKS_GONE = 10
DAYS_BEFORE = 35
"""Enough for baselines over 28 days."""

SERVICES = ("accounts", "catalog", "checkout", "ledger", "payments", "search")
RETREAT = range(38, 40)
"""Nobody deploys on these days; the config says why."""

BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.2, 2.5, math.inf)
"""Upper bounds of the latency histogram, in seconds."""

STEP = timedelta(minutes=30)
SLOW_DAYS = {12: 1.4, 33: 1.5, 58: 1.6}
SPREAD = 0.6

ROLLBACK_DAYS = (-26, -17, -5, 3, 10, 17, 28, 35, 66)
"""The first service deployed on such a day went back to the version before."""

RELEASE_DAYS = (-33, -19, -5, 9, 23, 37, *range(44, 91, 7))
REVERTED = {-12: 1, 18: 3, 51: 1, 57: 2, 64: 1}
"""Days of merges that were taken back, and how many days later."""

SURVEY = (37, 7.3)
"""The day merchants were last asked, and their score."""


@dataclass(frozen=True)
class Deployment:
    id: str
    repository: str
    commit: str
    environment: str
    result: str
    created: datetime
    started: datetime
    finished: datetime


@dataclass(frozen=True)
class Merge:
    """`reverts` is the number of the merge that this one takes back."""

    number: int
    at: datetime
    title: str
    reverts: int | None = None


class Story:
    """All that happened up to `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        today = now.astimezone(ZONE).date()
        self.start = today - timedelta(days=today.weekday(), weeks=WEEKS_GONE)
        self.today = (today - self.start).days

    def date_of(self, day: int) -> date:
        return self.start + timedelta(days=day)

    def at(self, day: int, hour: float) -> datetime:
        """An instant by the local clock."""
        return datetime.combine(self.date_of(day), time(tzinfo=ZONE)) + timedelta(hours=hour)

    def deployments(self) -> list[Deployment]:
        """Every attempt that has ended, in the order they ended."""
        told = (one for day in self._workdays() for one in self._deployments_of(day))
        return sorted((one for one in _numbered(told) if one.finished <= self.now), key=lambda one: one.finished)

    def _workdays(self) -> Iterator[int]:
        return (day for day in range(-DAYS_BEFORE, self.today + 1) if day % 7 < 5 and day not in RETREAT)

    def _deployments_of(self, day: int) -> Iterator[Deployment]:
        unlucky = day in ROLLBACK_DAYS
        for service in SERVICES:
            before = _versions(service, day - 1)
            for version in range(before + 1, _versions(service, day) + 1):
                yield from self._deployment(day, service, version, 9 + 5 * (version - before - 1), unlucky)
                unlucky = False

    def _deployment(self, day: int, service: str, version: int, hour: float, unlucky: bool) -> Iterator[Deployment]:
        """The attempts around one version: on staging, one that broke, the one that worked, the way back."""
        dice = _dice("deployment", service, version)
        created = self.at(day, hour + dice.uniform(0, 1.5))

        def attempt(of: int, environment: str, result: str, delay: float) -> Deployment:
            began = created + timedelta(minutes=delay)
            started = began + timedelta(seconds=dice.uniform(5, 40))
            minutes = deployment_minutes(day) * dice.lognormvariate(0, 0.18)
            commit = hashlib.sha1(f"{service} {of}".encode(), usedforsecurity=False).hexdigest()
            finished = started + timedelta(minutes=minutes)
            return Deployment("", f"acme/{service}", commit, environment, result, began, started, finished)

        if version % 4 == 0:
            yield attempt(version, "staging", "ok", -50)
        if dice.random() < _line(day, 0.12, 0.07):
            yield attempt(version, "prod", "broken", -45)
        yield attempt(version, "prod", "ok", 0)
        if unlucky:
            yield attempt(version - 1, "prod", "ok", dice.uniform(60, 110))

    def latencies(self) -> Iterator[tuple[datetime, list[int]]]:
        """For each half hour, its end and how many requests to payments each bucket took (not cumulative)."""
        at = self.at(-DAYS_BEFORE, 0).astimezone(UTC)
        while at + STEP <= self.now:
            local = at.astimezone(ZONE)
            at += STEP
            yield at, _requests((local.date() - self.start).days, local.hour)

    def coverage(self, day: int) -> tuple[int, int]:
        """Covered and coverable lines, as a nightly build measured them."""
        coverable = 4000 + 12 * max(day, 0)
        share = _line(day, 0.602, 0.78, 2, 84) + _dice("coverage", day).uniform(-0.004, 0.004)
        return round(share * coverable), coverable

    def measured_at(self, day: int) -> datetime:
        return self.at(day, 2.5)

    def measured_days(self) -> list[int]:
        """The first day of each sprint."""
        return [day for day in range(0, self.today + 1, 14) if self.measured_at(day) <= self.now]

    def tickets(self) -> Iterator[tuple[date, int]]:
        """Questions about payments that reached support, by finished day."""
        for day in range(-DAYS_BEFORE, self.today):
            usual = 46 if day % 7 < 5 else 21
            yield self.date_of(day), round(usual * _line(day, 1, 0.91) * _dice("tickets", day).gauss(1, 0.09))

    def merges(self) -> list[Merge]:
        """What was merged into the main branch of the software kit for merchants."""
        planned: list[tuple[datetime, str, datetime | None]] = []
        for day in self._workdays():
            for n in range(3 if day % 5 == 0 else 2):
                planned.append((self.at(day, 10 + 2.1 * n), _title(day, n), None))
            if day in REVERTED:
                planned.append((self.at(day + REVERTED[day], 16.4), f"Revert: {_title(day, 1)}", self.at(day, 12.1)))
        numbers = {at: 400 + n for n, (at, _, _) in enumerate(sorted(planned, key=lambda one: one[0]))}
        merges = [Merge(numbers[at], at, title, numbers[back] if back else None) for at, title, back in planned]
        return sorted((one for one in merges if one.at <= self.now), key=lambda one: one.number)

    def releases(self) -> list[tuple[str, datetime]]:
        """Tags of the kit."""
        named = [(f"v2.{n}.0", self.at(day, 11.5)) for n, day in enumerate(RELEASE_DAYS)]
        return [(name, at) for name, at in named if at <= self.now]

    def survey(self) -> tuple[datetime, float]:
        day, score = SURVEY
        return self.at(day, 15), score


def deployment_minutes(day: int) -> float:
    """The usual time of a deployment: the pipeline was taken apart in the quarter's first weeks."""
    return _line(day, 24, 12.2, 7, 45)


def p99(day: int) -> float:
    """The latency that one request in a hundred exceeds, in seconds."""
    usual = _line(day, 0.78, 0.56, 5, 70)
    return usual * SLOW_DAYS.get(day, 1) * _dice("p99", day).uniform(0.96, 1.04)


def _versions(service: str, day: int) -> int:
    """How many versions of a service were deployed up to the day's end."""
    place = SERVICES.index(service) / len(SERVICES)
    days = (one for one in range(-DAYS_BEFORE, day + 1) if one % 7 < 5 and one not in RETREAT)
    return math.floor(place + sum(_line(one, 0.5, 1.2, 0, 42) for one in days))


def _requests(day: int, hour: int) -> list[int]:
    total = 1500 + 2500 * math.sin(math.pi * hour / 24) ** 2
    middle = math.log(p99(day)) - 2.3263 * SPREAD
    below = [0.5 * (1 + math.erf((math.log(bound) - middle) / SPREAD / math.sqrt(2))) for bound in BOUNDS]
    return [round(total * (high - low)) for low, high in zip([0.0, *below], below, strict=False)]


def _line(day: int, before: float, after: float, first: int = 0, last: int = 77) -> float:
    """`before` until the first day, `after` from the last, a straight line between."""
    return before + (after - before) * min(1.0, max(0.0, (day - first) / (last - first)))


def _dice(*of: object) -> random.Random:
    return random.Random(f"acme {of}")


def _numbered(deployments: Iterator[Deployment]) -> Iterator[Deployment]:
    return (replace(one, id=f"d-{1000 + n}") for n, one in enumerate(deployments))


def _title(day: int, n: int) -> str:
    words = (
        "Accept refunds in parts", "Retry timed-out calls", "Name the failing field", "Sign webhooks twice",
        "Add the sandbox's test cards", "Drop the old checkout form", "Show fees before paying", "Log request ids",
        "Read amounts in minor units", "Shorten the quick start", "Speak French", "Pin the TLS version",
    )  # fmt: skip
    return words[(day * 3 + n) % len(words)]
