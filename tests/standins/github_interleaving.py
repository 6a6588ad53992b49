"""Made-up orders of what happens on GitHub, of polls, and of what goes wrong; and what must hold of the store.

A step is drawn apart from the others, so that one left out changes none of those that stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from keyresults.collectors import github_client, github_connection, github_runs, github_transport
from keyresults.collectors.contract import CollectorError, Context
from keyresults.collectors.github import GitHub
from keyresults.collectors.github_cursor import SETTLES
from keyresults.collectors.http import HttpDoor
from keyresults.jobs.gaps import gaps
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.facts import Fact, Incident
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Stream
from keyresults.storage.fact_rows import rows_of
from keyresults.storage.store import Store

from . import github as standin
from . import github_payloads as payloads
from .github import TOKEN, GitHubStandIn, Trouble
from .github_direct import BESIDE, Direct
from .github_life import DAY, SECOND, Life
from .github_lives import LIVES
from .github_world import World
from .histories import START

HAPPENINGS = ("add", "late", "again", "withdraw")
POLLS = ("poll", "poll killed", "poll troubled", "poll shifted", "poll mixed up", "poll overloaded", "poll drifting")
STEPS = (*HAPPENINGS, *("add",) * 5, *("late",) * 2, *("again",) * 2, *("wait",) * 4, *("poll",) * 2, *POLLS)
STEPS = (*STEPS, "clock", "reach")

TROUBLES: Sequence[Trouble] = (
    "403",
    "429",
    "429, wait",
    "500",
    "502",
    "502",
    "hang",
    "login page",
    "truncated",
    "cut off",
    "primary limit",
    "secondary limit",
    "secondary limit, no hint",
    "graphql limit",
)


@dataclass(frozen=True)
class Step:
    what: str
    seed: int

    def __str__(self) -> str:
        return f'("{self.what}", {self.seed})'


class Killed(Exception):
    pass


@dataclass
class Stage:
    """A store and a stand-in that serve one interleaving after the other, each as a source of its own."""

    store: Store
    direct: Direct
    base: Path
    played: int = 0

    @property
    def server(self) -> GitHubStandIn:
        return self.direct.server

    def play(self, kind: str, steps: Sequence[Step]) -> None:
        """
        Raises:
            AssertionError: where the store lacks, invents or mixes up anything.
        """
        self.played += 1
        one = Interleaving(self, kind, f"{kind} {self.played}".replace(" ", "-"))
        for step in steps:
            one.take(step)
        one.end()


@contextmanager
def stage(base: Path) -> Iterator[Stage]:
    """Pages, caps and pauses are small, so that tiny worlds need many of them."""
    (base / "token").write_text(TOKEN)
    server = GitHubStandIn(World(START))
    direct = Direct(server)
    with pytest.MonkeyPatch.context() as patch, Store.open(f"sqlite:///{base / 'store.db'}") as store:
        patch.setattr(github_client, "PAUSES", (0.0, 0.0))
        patch.setattr(github_transport.Transport, "_connect", lambda *_: direct)
        patch.setattr(github_connection, "PAGE_SIZES", (4, 2, 1))
        patch.setattr(github_runs, "SAFE", 6)
        patch.setattr(github_runs, "SHOWN", 9)
        patch.setattr(standin, "CAP", 9)
        every_job = payloads.jobs
        patch.setattr(payloads, "jobs", lambda run: every_job(run)[-8:])
        yield Stage(store, direct, base)
    server._server.server_close()


@dataclass
class Interleaving:
    stage: Stage
    kind: str
    source: str
    ahead: timedelta = timedelta()
    since: datetime = START - 20 * DAY
    memo: dict[str, str] = field(default_factory=dict)
    unsure: bool = False

    def __post_init__(self) -> None:
        self.world = World(START)
        # A private repository's runs are kept for 400 days: none falls off while the steps are taken.
        repository, other = (self.world.add(name, private=True) for name in ("acme/payments", "acme/other"))
        repository.workflows = other.workflows = frozenset({"ci.yml", "deploy.yml"})
        self.life: Life = LIVES[self.kind](self.world, repository, other)
        self.stream = Stream(self.source, self.life.kind, "acme/payments", self.life.query)
        server = self.stage.server
        server.world, server.quota = self.world, standin.Quota(self.world)
        self.calm()
        self.commits: set[str] = set()
        self.happen("add", Random(0))
        self.world.now += 3600 * SECOND

    def calm(self) -> None:
        server = self.stage.server
        server.plan, server.drift, server.largest_page = {}, 1.0, 3
        server.limits = standin.Limits()
        server.asked.clear()
        self.world.impostor = None
        self.stage.direct.before = lambda number: None

    # ---- steps

    def take(self, step: Step) -> None:
        chance = Random(step.seed)
        if step.what in HAPPENINGS:
            self.happen(step.what, chance)
            self.world.now += chance.choice((0, 1, 30, 120)) * SECOND
        elif step.what == "wait":
            hours = chance.choice((1, 3, 11, 24, 26, 80, 300, 500))
            self.world.now += timedelta(hours=hours, seconds=chance.randint(0, 59))
        elif step.what == "clock":
            self.ahead = chance.choice((0, -300, -4000, -80_000, 300, 7000, 200_000, 2_000_000)) * SECOND
        elif step.what == "reach":
            self.since -= chance.randint(1, 10) * DAY
        else:
            getattr(self, step.what.replace(" ", "_"))(chance)
            self.calm()
            self.holds()

    def happen(self, what: str, chance: Random) -> None:
        getattr(self.life, what)(chance)
        self.life.changed()
        self.commits |= {one.commit for one in self.life.facts() if hasattr(one, "commit")}

    def _clock(self) -> datetime:
        return self.world.now + self.ahead

    def poll(self, chance: Random | None = None, killed: int | None = None) -> None:
        context = Context(
            source=self.source,
            http=HttpDoor(),
            clock=self._clock,
            calendar=Calendar(),
            base=self.stage.base,
            memo=self.memo,
        )
        options = {
            "api_url": self.stage.server.url,
            "token": {"file": "token"},
            "repositories": ["acme/payments"],
            "incidents": {"labels": ["incident"]},
        }
        collector = GitHub(GitHub.Options.model_validate(options), context)
        try:
            self._collect(collector, chance or Random(0), killed)
        except (CollectorError, Killed):
            pass
        finally:
            collector.close()

    def _collect(self, collector: GitHub, chance: Random, killed: int | None) -> None:
        """As a run does: gap by gap, and every batch is written as it comes."""
        store, number = self.stage.store, 0
        state = store.state(self.stream.id)
        for window in gaps(state, self.since, self._clock()):
            state = store.state(self.stream.id) if number else state
            batches = collector.collect(self.stream, window, state.cursor if state else None)
            for batch in batches:
                number += 1
                if number == killed:
                    if chance.random() < 0.5:
                        store.write(self.stream, batch, self._clock())
                    raise Killed
                store.write(self.stream, batch, self._clock())

    def poll_killed(self, chance: Random) -> None:
        self.poll(chance, killed=chance.randint(1, 4))

    def poll_troubled(self, chance: Random) -> None:
        first, many = chance.randint(1, 9), chance.choice((1, 2, 3, 20))
        self.stage.server.plan = dict.fromkeys(range(first, first + many), chance.choice(TROUBLES))
        self.poll(chance)

    def poll_shifted(self, chance: Random) -> None:
        """Something happens while it is under way, between one request and the next."""
        places = {chance.randint(2, 8) for _ in range(3)}

        def happens(number: int) -> None:
            if number in places:
                self.happen(chance.choice(("add", *HAPPENINGS)), chance)
                self.world.now += chance.choice((0, 0, 1, 90)) * SECOND

        self.stage.direct.before = happens
        self.poll(chance)

    def poll_mixed_up(self, chance: Random) -> None:
        first, many = chance.randint(2, 8), chance.choice((1, 1, 2, 30))
        # Another repository's answer looks like that of an issue moved there; the next poll tells of it anew.
        self.unsure = True

        def mixed_up(number: int) -> None:
            self.world.impostor = "acme/other" if first <= number < first + many else None

        self.stage.direct.before = mixed_up
        self.poll(chance)

    def poll_overloaded(self, chance: Random) -> None:
        limits = self.stage.server.limits
        limits.heaviest = chance.choice((0, 1, 3, 100))
        keys = [one.key for one in self.life.facts()]
        if keys:
            hidden = chance.choice(keys)
            ids = frozenset(f"{prefix}_{hidden}" for prefix in ("DE", "PR", "RE", "REF", "C", "I"))
            limits.hidden, limits.holed = chance.choice(((ids, frozenset()), (frozenset(), ids)))
        self.poll(chance)

    def poll_drifting(self, chance: Random) -> None:
        self.stage.server.drift = chance.choice((0.0, 0.8, 0.95, 1.05, 1.3, 3.0))
        self.poll(chance)

    # ---- what must hold

    def stored(self) -> dict[str, Fact]:
        columns = self.stage.store.facts(self.life.kind, [self.stream.id])
        rows = rows_of(self.life.kind)
        found = [rows.fact(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]
        return {fact.key: fact for fact in found}

    def _covered(self) -> TimeRanges:
        state = self.stage.store.state(self.stream.id)
        return state.coverage if state else TimeRanges()

    def holds(self) -> None:
        """Whatever lies in covered time is there, unless it was shown later than a list may lag; all of it is ours."""
        stored, covered = self.stored(), self._covered()
        for fact in self.life.facts():
            if self.unsure and isinstance(fact, Incident):
                continue
            if fact.at in covered and self.life.shown[fact.key] <= fact.at + SETTLES:
                assert fact.key in stored, f"{fact.key} of {fact.at} is covered and missing"
        strangers = {key for key, fact in stored.items() if fact.subject != "acme/payments" or self._is_strange(fact)}
        assert not strangers, f"facts of another repository: {strangers}"
        assert covered.end is None or covered.end <= self.world.now, f"covered up to {covered.end}, which is not yet"

    def _is_strange(self, fact: Fact) -> bool:
        if isinstance(fact, Incident):
            return int(fact.key) > BESIDE
        return getattr(fact, "commit", None) not in self.commits

    def end(self) -> None:
        """A day later one poll, which is a sweep, finds everything."""
        self.ahead = timedelta()
        self.calm()
        self.world.now += DAY + 120 * SECOND
        self.world._known.clear()
        self.poll()
        stored = {key: fact for key, fact in self.stored().items() if fact.at >= self.since}
        told = {fact.key: fact for fact in self.life.facts() if fact.at >= self.since}
        kept = {key: fact for key, fact in stored.items() if key in told or key not in self.life.cleared}
        assert kept == told, _difference(kept, told)
        until = self.world.now - SETTLES
        covered = self._covered()
        assert covered == TimeRanges.of(TimeRange(self.since, until)), f"{covered} of {self.since} to {until}"


def _difference(kept: dict[str, Fact], told: dict[str, Fact]) -> str:
    said = [f"missing {told[key]}" for key in sorted(set(told) - set(kept))]
    said += [f"invented {kept[key]}" for key in sorted(set(kept) - set(told))]
    said += [
        f"stored {kept[key]}\n told {told[key]}" for key in sorted(set(told) & set(kept)) if told[key] != kept[key]
    ]
    return "\n".join(said)
