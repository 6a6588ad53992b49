"""Key results on how often changes reach users, each beside a guardrail on how many are taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ..metrics.reading import Health, Reading
from . import init_sources as names
from .figures import percent, plain, raised, raised_rate, roomy_limit
from .init_period import Period
from .init_tables import quoted
from .proposal import MONTH, QUARTER, LeftOut, Measured, Proposal, counted, part, why_not
from .surroundings import Surroundings
from .trial import Trial

ENOUGH = {MONTH: 8, 7: 5}
"""By window: with how many facts in it a frequency says something."""

FEW = 3
"""With how many facts in a quarter a total can be set for the time that is left."""

SURE = 20
"""With how many merges in the window a share of them is no accident."""

LEAST_HISTORY = timedelta(days=21)
FETCHED = timedelta(days=7)
"""How long a clone's last fetch may be ago; its metrics say the same."""

AGAIN = "move keyresults.toml away and run init again"


def silence(trial: Trial, found: Surroundings, start: datetime, now: datetime) -> str | None:
    """Why a clone's history tells too little, and what to do."""
    repository = found.repository
    if repository is None:
        return f"{found.no_repository}; once that is mended, {AGAIN}"
    if repository.first is None:
        return f"there is no commit yet; once there is a history, {AGAIN}"
    trouble = trial.trouble(names.GIT, "deployments")
    if trouble is not None:
        return trouble.error
    if now - repository.known_until > FETCHED:
        return f"the clone was last fetched on {repository.known_until:%Y-%m-%d}: run `git fetch --tags`, {AGAIN}"
    if start - repository.first < LEAST_HISTORY:
        begins = f"history begins on {repository.first:%Y-%m-%d}"
        if repository.shallow:
            return f"the clone is shallow, its {begins}: run `git fetch --unshallow --tags`, {AGAIN}"
        return f"the {begins}, too late to set a target by it; in a few weeks {AGAIN}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Proposes by what a repository shows up to `start`, the day's beginning, and for guardrails up to `now`."""

    trial: Trial
    branch: str
    period: Period
    start: datetime
    now: datetime
    measured: Measured

    def proposals(self) -> Iterator[Proposal | LeftOut]:
        """Deployments where they are known, else releases; merges beside them, or in their place."""
        guardrail = self._reverts()
        deployed = self._deployments()
        released = self._pace(names.RELEASES, "release", "{n} releases reach those who wait for them")
        merged = self._pace(names.MERGES, "merge", f"Merge {{n}} changes to {self.branch}")
        self._merge_days()
        if deployed is not None:
            yield deployed
            return
        if released is not None:
            yield _beside(released, guardrail)
        # A total of merges says little beside one of releases.
        if merged is not None and not (isinstance(released, Proposal) and self._is_total(merged)):
            yield _beside(merged, guardrail)

    def _is_total(self, one: Proposal | LeftOut) -> bool:
        return isinstance(one, LeftOut) or self.measured.windows.get(one.metric) == "cycle"

    def _pace(self, metric: str, noun: str, total: str) -> Proposal | LeftOut | None:
        """A frequency where there are enough for one; a total to reach where there are few."""
        if not self.trial.has(metric):
            return None
        for days, enough in ENOUGH.items():
            reading = self.trial.reading(metric, days, self.start)
            if reading.health is Health.OK and reading.n >= enough:
                return self._frequency(metric, noun, reading, days)
        return self._few(metric, noun, total)

    def _frequency(self, metric: str, noun: str, reading: Reading, days: int) -> Proposal:
        weeks = days / 7
        daily = reading.n / weeks >= 5
        unit, before = ("workday", reading.n / (5 * weeks)) if daily else ("week", reading.n / weeks)
        target = f"{raised_rate(before):g}"
        seen = f"{counted(reading.n, noun)} in the {days} days before {self.period.start}, {plain(before)} a {unit}"
        self.measured.words[metric] = seen
        if days != MONTH:
            self.measured.windows[metric] = f"{days}d"
        where = f" to {self.branch}" if metric == names.MERGES else ""
        return Proposal(
            id=f"more-{metric}",
            title=f"Raise {noun}s{where} from {plain(before)} to {target} a {unit}",
            metric=metric,
            target=f'{{ at_least = "{target}/{unit}" }}',
            basis=seen,
        )

    def _few(self, metric: str, noun: str, total: str) -> Proposal | LeftOut:
        reading = self.trial.reading(metric, QUARTER, self.start)
        self.measured.windows[metric] = f"{QUARTER}d"
        if reading.value is None or reading.health not in (Health.OK, Health.PARTIAL):
            return LeftOut(f"{noun}s", why_not(reading))
        seen = f"{counted(reading.n, noun)} in the {reading.denominator or 0:.0f} days before {self.period.start}"
        self.measured.words[metric] = seen
        if reading.n < FEW:
            return LeftOut(f"{noun}s", f"only {seen}: too few to set a target on")
        self.measured.windows[metric] = "cycle"
        return self._total(metric, reading.value, seen, total)

    def _total(self, metric: str, per_day: float, seen: str, total: str) -> Proposal:
        days = self.period.days
        before = self.trial.reading(metric, days, self.start).n
        target = raised(max(per_day * days, before))
        what = total.format(n=target)
        if target == 1:
            what = what.replace("releases", "release").replace("changes", "change")
        return Proposal(
            id=f"more-{metric}",
            title=f"{what} from {_short(self.period.start)} to {_short(self.period.cycle.end)}",
            metric=metric,
            target=f"{{ at_least = {target} }}",
            basis=f"{seen}, {before:,.0f} in the last {days} of them",
        )

    def _merge_days(self) -> None:
        if self.trial.has(names.MERGE_DAYS):
            reading = self.trial.reading(names.MERGE_DAYS, MONTH, self.start)
            if reading.usable():
                self.measured.words[names.MERGE_DAYS] = f"something merged on {part(reading)} workdays"

    def _reverts(self) -> str | None:
        """What is merged shall stay."""
        if not self.trial.has(names.REVERTS):
            return None
        month = self.trial.reading(names.REVERTS, MONTH, self.now)
        quarter = self.trial.reading(names.REVERTS, QUARTER, self.now)
        if not quarter.usable(accept_partial=True):
            return None
        self.measured.words[names.REVERTS] = f"{part(quarter)} merges taken back within seven days"
        shown = month if month.n >= SURE else quarter
        if shown is quarter:
            self.measured.windows[names.REVERTS] = f"{QUARTER}d"
        return _at_most(names.REVERTS, shown, quarter) if shown.usable() else None

    def _deployments(self) -> Proposal | None:
        if not self.trial.has(names.DEPLOYMENTS) or self.trial.trouble(names.GITHUB, "deployments"):
            return None
        reading = self.trial.reading(names.DEPLOYMENTS, MONTH, self.start)
        if reading.health is not Health.OK or reading.n < ENOUGH[MONTH]:
            return None
        proposal = self._frequency(names.DEPLOYMENTS, "deployment", reading, MONTH)
        rollbacks = self.trial.reading(names.ROLLBACKS, MONTH, self.now)
        if not rollbacks.usable():
            return proposal
        self.measured.words[names.ROLLBACKS] = f"{part(rollbacks)} deployments rolled back"
        return replace(proposal, guardrails=_at_most(names.ROLLBACKS, rollbacks))


def _at_most(metric: str, *readings: Reading) -> str:
    """A guardrail with room above the worst of the readings; the first is the one it will be held against."""
    limit = roomy_limit(max(reading.value or 0.0 for reading in readings), readings[0].n)
    return f'[{{ metric = {quoted(metric)}, at_most = "{percent(limit)}" }}]'


def _beside(one: Proposal | LeftOut, guardrail: str | None) -> Proposal | LeftOut:
    return replace(one, guardrails=guardrail) if isinstance(one, Proposal) else one


def _short(day: date) -> str:
    return f"{day.day} {day:%B}"
