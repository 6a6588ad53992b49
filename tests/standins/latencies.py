"""Ninety made-up days of request latencies, as a program's counters would have shown them.

Counters start anew now and then, scrapes are missed, one service goes away for a while and
later has no requests. What really happened is kept beside what was exposed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 8, 23, tzinfo=UTC)
DAYS = 90
END = START + timedelta(days=DAYS)
STEP = timedelta(minutes=10)
SLOTS = timedelta(days=1) // STEP
BOUNDS = ("0.1", "0.25", "0.5", "1", "+Inf")
SERVICES = ("payments", "ledger")

GONE = (START + timedelta(days=40), START + timedelta(days=46))
IDLE = (START + timedelta(days=60), START + timedelta(days=64))
"""`ledger` exposes nothing in the one, and has no requests in the other."""


@dataclass
class _Counter:
    """Requests by bucket (not cumulative) since the program's last start."""

    seen: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))

    def add(self, requests: list[int]) -> None:
        self.seen = [a + b for a, b in zip(self.seen, requests, strict=True)]

    def cumulative(self) -> list[int]:
        return [sum(self.seen[: n + 1]) for n in range(len(BOUNDS))]


class Latencies:
    """The history; `happened` are (instant, service, requests by bucket) of each step."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._counters = {service: _Counter() for service in SERVICES}
        self.happened: list[tuple[datetime, str, list[int]]] = []

    def days(self) -> Iterator[str]:
        """One OpenMetrics text for each day (by UTC)."""
        for day in range(DAYS):
            instants = [START + timedelta(days=day) + n * STEP for n in range(SLOTS)]
            shown = [(at, service, self._step(day, at, service)) for at in instants for service in SERVICES]
            # OpenMetrics wants the samples of one series together.
            yield (
                "# TYPE latency_seconds histogram\n"
                + "".join(
                    f'latency_seconds_bucket{{service="{service}",le="{bound}"}} {counts[n]} {at.timestamp():.0f}\n'
                    for service in SERVICES
                    for n, bound in enumerate(BOUNDS)
                    for at, one, counts in shown
                    if one == service and counts
                )
                + "# TYPE depth gauge\n"
                + "".join(
                    f'depth{{service="{service}"}} {counts[-1] % 97} {at.timestamp():.0f}\n'
                    for service in SERVICES
                    for at, one, counts in shown
                    if one == service and counts
                )
            )

    def requests(self, service: str, start: datetime, end: datetime) -> dict[str, int]:
        """Requests after `start` up to `end`, cumulative by upper bound."""
        inside = [counts for at, one, counts in self.happened if one == service and start < at <= end]
        by_bucket = [sum(counts[n] for counts in inside) for n in range(len(BOUNDS))]
        return {bound: sum(by_bucket[: n + 1]) for n, bound in enumerate(BOUNDS)}

    def _step(self, day: int, at: datetime, service: str) -> list[int]:
        """Let the step that ends at `at` happen; what is exposed then, nothing for a missed scrape."""
        counter = self._counters[service]
        slot = (at - START) // STEP
        if service == "ledger" and GONE[0] < at <= GONE[1]:
            counter.seen = [0] * len(BOUNDS)
            return []
        if slot % 1601 == 1600:
            counter.seen = [0] * len(BOUNDS)
        busy = not (service == "ledger" and IDLE[0] < at <= IDLE[1])
        slow = day / DAYS
        weights = [6, 5 - 3 * slow, 3, 1 + 2 * slow, 0.3]
        requests = [self._random.randrange(1 + int(4 * w)) if busy else 0 for w in weights]
        counter.add(requests)
        self.happened.append((at, service, requests))
        # The scrapes missed lie well inside a day of any zone, and never at a restart.
        missed = 40 <= slot % SLOTS < 46 and day % 9 == 4
        return [] if missed else counter.cumulative()
