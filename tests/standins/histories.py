"""Histories of deployments and runs, made up from a seed: with everything that makes counting hard.

They are plain facts with every instant in whole seconds, so they serve the truth tests of metrics as
they are, and a stand-in can tell of them as far as they are known at any moment (`known_by`).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from keyresults.metrics.facts import Deployment, Run, StatusChange

START = datetime(2026, 9, 7, tzinfo=UTC)
ENVIRONMENTS = ("production", "production", "production", "staging", "eu-production")


def deployments(
    seed: int,
    *,
    subject: str = "acme/payments",
    start: datetime = START,
    days: int = 40,
    per_day: float = 3.0,
    first_key: int = 1000,
) -> list[Deployment]:
    """Forward deployments, failures, redeployments, duplicates, rollbacks over several versions, A B A B, re-run
    workflows that roll back, approvals, attempts that end late or never, several environments and tasks."""
    teller = _Teller(random.Random(seed), subject, first_key)
    at = start
    while True:
        at += timedelta(seconds=int(teller.random.expovariate(per_day / 86400)) + 1)
        if at >= start + timedelta(days=days):
            return sorted(teller.told, key=lambda d: (d.created_at, int(d.key)))
        teller.something_happens(teller.random.choice(ENVIRONMENTS), at)


def runs(
    seed: int,
    *,
    subject: str = "acme/payments",
    start: datetime = START,
    days: int = 40,
    per_day: float = 6.0,
    first_run: int = 50000,
    workflows: tuple[str, ...] = ("ci.yml", "deploy.yml"),
    branches: tuple[str, ...] = ("main", "main", "feature"),
) -> list[Run]:
    """Runs of every conclusion, up to three attempts, some of them days later; some last for days."""
    chance = random.Random(seed)
    told: list[Run] = []
    at, number = start, first_run
    while True:
        at += timedelta(seconds=int(chance.expovariate(per_day / 86400)) + 1)
        if at >= start + timedelta(days=days):
            return told
        number += 1
        told += _attempts(chance, subject, str(number), at, chance.choice(workflows), chance.choice(branches))


def known_by(facts: Iterable[Deployment | Run], now: datetime) -> list[Deployment | Run]:
    """What had happened by then: later statuses, attempts and ends are not known yet."""
    known: list[Deployment | Run] = []
    for fact in facts:
        if isinstance(fact, Deployment):
            if fact.created_at <= now:
                known.append(replace(fact, statuses=tuple(s for s in fact.statuses if s.at <= now)))
        elif fact.started_at is not None and fact.started_at <= now:
            ended = fact.completed_at is not None and fact.completed_at <= now
            unfinished = replace(fact, completed_at=None, conclusion=None, end_estimated=False)
            known.append(fact if ended else unfinished)
    return known


@dataclass
class _Teller:
    random: random.Random
    subject: str
    next_key: int
    told: list[Deployment] = field(default_factory=list)
    versions: dict[str, list[str]] = field(default_factory=dict)
    next_run: int = 7000

    def something_happens(self, environment: str, at: datetime) -> None:
        past = self.versions.setdefault(environment, [])
        kinds = ["forward"] * 10 + ["failure"] * 2
        if past:
            kinds += ["duplicate", "redeploy", "never ends", "ends late", "approval", "other task"]
        if len(past) > 1:
            kinds += ["rollback", "rollback", "far rollback", "to and fro", "re-run"]
        getattr(self, "_" + self.random.choice(kinds).replace(" ", "_").replace("-", "_"))(environment, at)

    def _forward(self, environment: str, at: datetime) -> None:
        self._deploy(environment, self._new_commit(), at)

    def _failure(self, environment: str, at: datetime) -> None:
        commit = self._new_commit()
        end = self.random.choice(["failure", "error"])
        self._deploy(environment, commit, at, [("in_progress", 20), (end, 200)], succeeds=False)
        if self.random.random() < 0.5:
            self._deploy(environment, commit, at + timedelta(minutes=30))

    def _duplicate(self, environment: str, at: datetime) -> None:
        commit = self._new_commit()
        self._deploy(environment, commit, at)
        self._deploy(environment, commit, at + timedelta(minutes=self.random.randint(1, 8)))

    def _redeploy(self, environment: str, at: datetime) -> None:
        self._deploy(environment, self.versions[environment][-1], at)

    def _never_ends(self, environment: str, at: datetime) -> None:
        self._deploy(environment, self._new_commit(), at, [("queued", 1), ("in_progress", 9)], succeeds=False)

    def _ends_late(self, environment: str, at: datetime) -> None:
        late = int(timedelta(days=self.random.uniform(1, 20)).total_seconds())
        self._deploy(environment, self._new_commit(), at, [("in_progress", 30), ("success", late)])

    def _approval(self, environment: str, at: datetime) -> None:
        waits = self.random.randint(600, 80000)
        history = [("waiting", 2), ("queued", waits), ("in_progress", waits + 5), ("success", waits + 300)]
        self._deploy(environment, self._new_commit(), at, history)

    def _other_task(self, environment: str, at: datetime) -> None:
        self._deploy(environment, self._new_commit(), at, task="deploy:migrations")

    def _rollback(self, environment: str, at: datetime) -> None:
        self._deploy(environment, self.versions[environment][-2], at)

    def _far_rollback(self, environment: str, at: datetime) -> None:
        past = self.versions[environment]
        self._deploy(environment, past[-self.random.randint(2, min(6, len(past)))], at, payload={"rollback": True})

    def _to_and_fro(self, environment: str, at: datetime) -> None:
        a, b = self.versions[environment][-1], self._new_commit()
        for place, commit in enumerate((b, a, b)):
            self._deploy(environment, commit, at + timedelta(hours=place))

    def _re_run(self, environment: str, at: datetime) -> None:
        """Someone re-runs the workflow of an older version: the same run, its next attempt."""
        ran = [
            d
            for d in self.told
            if d.environment == environment and d.run and d.commit != self.versions[environment][-1]
        ]
        if not ran:
            return self._rollback(environment, at)
        old = self.random.choice(ran[-8:])
        run = old.run.partition("/")[0] if old.run else ""
        attempt = 1 + max(int(d.run.partition("/")[2]) for d in self.told if d.run and d.run.startswith(run + "/"))
        self._deploy(environment, old.commit, at, run=f"{run}/{attempt}")
        return None

    def _deploy(
        self,
        environment: str,
        commit: str,
        at: datetime,
        history: list[tuple[str, int]] | None = None,
        *,
        succeeds: bool = True,
        task: str = "deploy",
        run: str | None = None,
        payload: dict[str, object] | None = None,
    ) -> None:
        end = self.random.randint(40, 900)
        steps = history or [("queued", 1), ("in_progress", self.random.randint(2, 30)), ("success", end)]
        if history is None and self.random.random() < 0.3:
            steps.append(("inactive", end + self.random.randint(1, 500000)))
        self.next_key += 1
        self.next_run += 1
        self.told.append(
            Deployment(
                key=str(self.next_key),
                subject=self.subject,
                environment=environment,
                commit=commit,
                created_at=at,
                statuses=tuple(StatusChange(state, at + timedelta(seconds=after)) for state, after in steps),
                task=task,
                ref="main",
                run=run or f"{self.next_run}/1",
                marked_rollback=bool(payload),
                payload=payload or {},
                url=f"https://github.com/{self.subject}/deployments/{environment}",
            )
        )
        if succeeds and self.versions[environment][-1:] != [commit]:
            self.versions[environment].append(commit)

    def _new_commit(self) -> str:
        return f"{self.random.getrandbits(160):040x}"


CONCLUSIONS = ("success",) * 6 + ("failure", "failure", "timed_out", "cancelled", "skipped", "startup_failure")


def _attempts(
    chance: random.Random, subject: str, run: str, created: datetime, workflow: str, branch: str
) -> Iterable[Run]:
    commit = f"{chance.getrandbits(160):040x}"
    started = created
    for attempt in range(1, chance.choice((1, 1, 1, 1, 2, 3)) + 1):
        lasts = timedelta(seconds=chance.randint(20, 4000))
        if chance.random() < 0.05:
            lasts = timedelta(seconds=chance.randint(25000, 400000))
        ended = started + lasts
        yield Run(
            key=f"{run}/{attempt}",
            subject=subject,
            workflow=workflow,
            run=run,
            attempt=attempt,
            branch=branch,
            commit=commit,
            created_at=created,
            started_at=started,
            completed_at=ended,
            conclusion=chance.choice(CONCLUSIONS),
            event="push",
            # GitHub's own end is an estimate, except for the long ones, whose jobs are asked.
            end_estimated=lasts <= timedelta(hours=6),
            url=f"https://github.com/{subject}/actions/runs/{run}/attempts/{attempt}",
        )
        started = ended + timedelta(seconds=chance.choice((60, 3600, 90000, 500000)))
