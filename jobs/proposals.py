"""Key results from what was measured: a few, each a step from where the repository stands, none met already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..metrics.calendar import Calendar
from ..metrics.reading import Health, Reading
from ..reports.numbers import amount
from . import init_sources as names
from .figures import percent, plain, raised, raised_rate, raised_share, roomy_limit, shortened
from .init_period import Period
from .init_tables import quoted
from .surroundings import Repository, Surroundings
from .trial import Trial

MOST = 4
ENOUGH = 8
"""Facts in four weeks, from which on their frequency says something."""

FEW = 3
"""Facts in thirteen weeks, from which on a total can be set for the time that is left."""

LEAST_COVERED = 21
"""Days a repository must be known for, before a total is guessed from them."""

MONTH, QUARTER = 28, 91
NOTHING_COLLECTED = "nothing was collected for this time"

AGAIN = "move keyresults.toml away and run init again"

FETCHED = timedelta(days=7)
"""How long a clone's last fetch may be ago; its metrics say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One key result. `target` and `guardrails` are TOML; `basis` says what it was derived from.

    `window` replaces the metric's.
    """

    id: str
    title: str
    metric: str
    target: str
    basis: str
    window: str | None = None
    guardrails: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What no key result is proposed for, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """`measured` says in words what each metric shows now; `windows` are those other than 28 days."""

    key_results: tuple[Proposal, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    measured: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, str] = field(default_factory=dict)


def propose(trial: Trial, found: Surroundings, period: Period, now: datetime) -> Proposals:
    """At most `MOST` key results for the period, those that say most first."""
    proposer = _Proposer(trial, found.repository, period, now)
    every = list(proposer.all())
    return Proposals(
        key_results=tuple([one for one in every if isinstance(one, Proposal)][:MOST]),
        left_out=tuple(one for one in every if isinstance(one, LeftOut)),
        measured={name: proposer.measured[name] for name in names.IN_ORDER if name in proposer.measured},
        windows=proposer.windows,
    )


class _Proposer:
    def __init__(self, trial: Trial, repository: Repository | None, period: Period, now: datetime) -> None:
        self.trial = trial
        self.repository = repository
        self.period = period
        self.branch = (repository.branch if repository else None) or ""
        self.now = now
        calendar: Calendar = trial.config.calendar
        self.start = calendar.start_of(period.start)
        self.measured: dict[str, str] = {}
        self.windows: dict[str, str] = {}

    def all(self) -> Iterator[Proposal | LeftOut]:
        trouble = self._silent()
        if trouble is None:
            yield from self._flow(self._reverts())
        else:
            yield LeftOut(names.GIT, trouble)
        yield from self._ci()
        yield from self._coverage()
        yield from self._tests()

    def _silent(self) -> str | None:
        """Why the clone's history tells too little, and what to do."""
        repository = self.repository
        if repository is None:
            return "without a repository there is no history to propose key results from"
        if repository.first is None:
            return f"there is no commit yet; once there is a history, {AGAIN}"
        if names.GIT in self.trial.troubles:
            return self.trial.troubles[names.GIT]
        if self.now - repository.known_until > FETCHED:
            since = f"{repository.known_until:%Y-%m-%d}"
            return f"the clone was last fetched on {since}: run `git fetch --tags`, {AGAIN}"
        if (self.start - repository.first).days < LEAST_COVERED:
            begins = f"history begins on {repository.first:%Y-%m-%d}"
            if repository.shallow:
                return f"the clone is shallow, its {begins}: run `git fetch --unshallow --tags`, {AGAIN}"
            return f"the {begins}, too late to set a target by it; in a few weeks {AGAIN}"
        return None

    def _flow(self, guardrail: str | None) -> Iterator[Proposal | LeftOut]:
        """How often changes reach users: by deployments, else by releases, else by merges."""
        deployed = self._deployments()
        released = self._pace(names.RELEASES, "release", "Publish {n} releases")
        merged = self._pace(names.MERGES, "merge", f"Merge {{n}} changes to {self.branch}")
        if deployed is not None:
            yield deployed
            return
        if isinstance(released, Proposal):
            yield replace(released, guardrails=guardrail)
            yield from self._merge_days(guardrail)
            return
        yield from (released,) if released else ()
        if isinstance(merged, Proposal):
            yield replace(merged, guardrails=guardrail)
        elif merged is not None:
            yield merged

    def _pace(self, metric: str, noun: str, total: str) -> Proposal | LeftOut | None:
        """A frequency where there are enough for one; a total to reach where there are few."""
        if not self.trial.has(metric):
            return None
        for days, enough in ((MONTH, ENOUGH), (7, 5)):
            reading = self.trial.reading(metric, days, self.start)
            if reading.health is Health.OK and reading.n >= enough:
                return self._frequency(metric, noun, reading, days)
        reading = self.trial.reading(metric, QUARTER, self.start)
        self.windows[metric] = f"{QUARTER}d"
        if reading.value is None or reading.health not in (Health.OK, Health.PARTIAL, Health.TOO_FEW):
            return LeftOut(f"{noun}s", _why(reading))
        covered = reading.denominator or 0.0
        seen = f"{_counted(reading.n, noun)} in the {covered:.0f} days before {self.period.start}"
        self.measured[metric] = seen
        if reading.n < FEW:
            return LeftOut(f"{noun}s", f"only {seen}: too few to set a target on")
        return self._total(metric, reading.value, seen, total)

    def _frequency(self, metric: str, noun: str, reading: Reading, days: int) -> Proposal:
        weeks = days / 7
        daily = reading.n / weeks >= 5
        before = reading.n / (5 * weeks if daily else weeks)
        target, unit = f"{raised_rate(before):g}", "workday" if daily else "week"
        seen = f"{_counted(reading.n, noun)} in the {days} days before {self.period.start}, {plain(before)} a {unit}"
        self.measured[metric] = seen
        if days != MONTH:
            self.windows[metric] = f"{days}d"
        where = f" to {self.branch}" if metric == names.MERGES else ""
        return Proposal(
            id=f"more-{metric}",
            title=f"Raise {noun}s{where} from {plain(before)} to {target} a {unit}",
            metric=metric,
            target=f'{{ at_least = "{target}/{unit}" }}',
            basis=seen,
        )

    def _total(self, metric: str, per_day: float, seen: str, total: str) -> Proposal:
        days = self.period.days
        before = self.trial.reading(metric, days, self.start).n
        at_this_pace = max(per_day * days, before)
        target = raised(at_this_pace)
        self.windows[metric] = "cycle"
        title = total.format(n=target) + f" from {_short(self.period.start)} to {_short(self.period.cycle.end)}"
        return Proposal(
            id=f"more-{metric}",
            title=title if target > 1 else title.replace("releases", "release").replace("changes", "change"),
            metric=metric,
            target=f"{{ at_least = {target} }}",
            basis=f"{seen}, {before:,.0f} in the last {days} of them",
        )

    def _merge_days(self, guardrail: str | None) -> Iterator[Proposal]:
        reading = self.trial.reading(names.MERGE_DAYS, MONTH, self.start)
        if reading.health is not Health.OK or reading.value is None:
            return
        self.measured[names.MERGE_DAYS] = f"something merged on {_share(reading)} workdays"
        if not 0.2 <= reading.value <= 0.8:
            return  # rarer, it is no habit to build on; more often, there is little left to gain
        target = raised_share(reading.value)
        yield Proposal(
            id="merge-daily",
            title=f"Merge to {self.branch} on {percent(target)} of workdays instead of {_cut(reading.value)}",
            metric=names.MERGE_DAYS,
            target=f'{{ at_least = "{percent(target)}" }}',
            basis=f"{_share(reading)} workdays",
            guardrails=guardrail,
        )

    def _reverts(self) -> str | None:
        """The guardrail beside every frequency: what is merged shall stay."""
        if not self.trial.has(names.REVERTS):
            return None
        month = self.trial.reading(names.REVERTS, MONTH, self.now)
        quarter = self.trial.reading(names.REVERTS, QUARTER, self.now)
        shown = month if month.n >= 20 else quarter
        if shown.value is None or not shown.usable(accept_partial=True):
            return None
        self.measured[names.REVERTS] = f"{_share(quarter)} merges taken back within seven days"
        if shown is quarter:
            self.windows[names.REVERTS] = f"{QUARTER}d"
        if shown.health is not Health.OK:
            return None
        limit = roomy_limit(max(shown.value, quarter.value or 0.0), shown.n)
        return f'[{{ metric = {quoted(names.REVERTS)}, at_most = "{percent(limit)}" }}]'

    def _deployments(self) -> Proposal | None:
        if not self.trial.has(names.DEPLOYMENTS) or names.GITHUB in self.trial.troubles:
            return None
        reading = self.trial.reading(names.DEPLOYMENTS, MONTH, self.start)
        if reading.health is not Health.OK or reading.n < ENOUGH:
            return None
        proposal = self._frequency(names.DEPLOYMENTS, "deployment", reading, MONTH)
        rollbacks = self.trial.reading(names.ROLLBACKS, MONTH, self.now)
        if not rollbacks.usable() or rollbacks.value is None:
            return proposal
        self.measured[names.ROLLBACKS] = f"{_share(rollbacks)} deployments rolled back"
        limit = percent(roomy_limit(rollbacks.value, rollbacks.n))
        return replace(proposal, guardrails=f'[{{ metric = {quoted(names.ROLLBACKS)}, at_most = "{limit}" }}]')

    def _ci(self) -> Iterator[Proposal | LeftOut]:
        if not self.trial.has(names.CI_DURATION):
            return
        if names.GITHUB in self.trial.troubles:
            yield LeftOut("CI", self.trial.troubles[names.GITHUB])
            return
        lasting = self.trial.reading(names.CI_DURATION, MONTH, self.start)
        green = self.trial.reading(names.CI_SUCCESS, MONTH, self.start)
        if lasting.value is None or green.value is None or not (lasting.usable() and green.usable()):
            yield LeftOut("CI", _why(lasting if not lasting.usable() else green))
            return
        took = amount(lasting.value, "s")
        self.measured[names.CI_DURATION] = f"{took} in the median of {lasting.n:.0f} green runs"
        self.measured[names.CI_SUCCESS] = f"{_share(green)} runs succeeded"
        if lasting.value >= 180:
            target = amount(shortened(lasting.value), "s")
            yield Proposal(
                id="quick-ci",
                title=f"Shorten CI from {took} to {target}",
                metric=names.CI_DURATION,
                target=f'{{ at_most = "{target.replace(" ", "")}" }}',
                basis=self.measured[names.CI_DURATION],
                guardrails=f'[{{ metric = "{names.CI_SUCCESS}", at_least = "{_floor(green.value)}" }}]',
            )
        if green.value < 0.9:
            target = percent(raised_share(green.value, 0.5))
            yield Proposal(
                id="green-ci",
                title=f"Raise CI runs that succeed from {_cut(green.value)} to {target}",
                metric=names.CI_SUCCESS,
                target=f'{{ at_least = "{target}" }}',
                basis=self.measured[names.CI_SUCCESS],
            )

    def _coverage(self) -> Iterator[Proposal | LeftOut]:
        reading = self._newest(names.LINES)
        if reading is None:
            return
        if reading.value is None or not reading.usable():
            yield LeftOut("coverage", _why(reading))
            return
        self.measured[names.LINES] = f"{_cut(reading.value)} of lines covered"
        if reading.value >= 0.93:
            return
        target = percent(raised_share(reading.value, 0.25))
        passes = self._newest(names.TEST_PASSES)
        green = passes is not None and passes.usable() and passes.value == 1
        yield Proposal(
            id="more-coverage",
            title=f"Raise line coverage from {_cut(reading.value)} to {target}",
            metric=names.LINES,
            target=f'{{ at_least = "{target}" }}',
            basis=self.measured[names.LINES],
            guardrails=f'[{{ metric = "{names.TEST_PASSES}", at_least = "100%" }}]' if green else None,
        )

    def _tests(self) -> Iterator[Proposal | LeftOut]:
        reading = self._newest(names.TEST_PASSES)
        if reading is None:
            return
        if reading.value is None or not reading.usable():
            yield LeftOut("tests", _why(reading))
            return
        self.measured[names.TEST_PASSES] = f"{_share(reading)} tests passed"
        if reading.value < 1:
            yield Proposal(
                id="green-tests",
                title=f"Have every test pass, not {_cut(reading.value)} of them",
                metric=names.TEST_PASSES,
                target='{ at_least = "100%" }',
                basis=self.measured[names.TEST_PASSES],
            )

    def _newest(self, metric: str) -> Reading | None:
        return self.trial.reading(metric, MONTH, self.now) if self.trial.has(metric) else None


def _why(reading: Reading) -> str:
    """Why a reading can't be used. A source's own words say more than that it gave nothing."""
    own = [note for note in reading.notes if note != NOTHING_COLLECTED]
    return next(iter(own or reading.notes), "nothing was found")


def _share(reading: Reading) -> str:
    return f"{reading.numerator or 0:,.0f} of {reading.denominator or 0:,.0f}"


def _counted(n: float, noun: str) -> str:
    return f"{n:,.0f} {noun}" if n == 1 else f"{n:,.0f} {noun}s"


def _cut(share: float) -> str:
    return amount(share, "ratio")


def _floor(share: float) -> str:
    """A round limit below: five points of room."""
    return percent(max(0, int((share - 0.05) * 20)) / 20)


def _short(day: object) -> str:
    return f"{day:%-d %B}"
