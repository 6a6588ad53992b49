"""What every measure should say, computed a second time: plain loops over lists of facts.

Nothing here is shared with the code under test but the facts, the definition and the calendar's
fields. It is written for reading, not for speed: a rule is found here as it is stated in docs/metrics.md.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from zoneinfo import ZoneInfo

from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import MetricDefinition
from keyresults.metrics.facts import Change, Deployment, Fact, Incident, Run, Sample

RED = ("failure", "timed_out", "startup_failure")
FEW = {
    "deployment_frequency": 0,
    "deployment_days": 0,
    "deployment_count": 0,
    "change_count": 0,
    "incident_count": 0,
    "test_coverage": 0,
    "test_pass_rate": 0,
    "test_count": 0,
}


@dataclass(frozen=True)
class World:
    """Everything a reading may look at. `coverage` are (from, to) pairs that don't overlap."""

    facts: Sequence[Fact]
    coverage: Sequence[tuple[datetime, datetime]]
    calendar: Calendar
    as_of: datetime
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expected:
    value: float | None
    n: float = 0
    numerator: float | None = None
    denominator: float | None = None
    keys: frozenset[str] = frozenset()
    hits: frozenset[str] = frozenset()
    data_end: datetime | None = None
    health: str = "ok"
    covered: float = 0.0
    saturated: bool = False


# ---- time ------------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=100_000)
def midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day, found by walking in quarters of an hour."""
    instant = datetime.combine(day, time(), UTC) - timedelta(hours=16)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += timedelta(minutes=15)
    return instant


def day_of(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def days_from(start: datetime, end: datetime, zone: str) -> list[tuple[date, datetime, datetime]]:
    """The local days that `[start, end)` touches, with their instants."""
    days = []
    day = day_of(start, zone)
    while midnight(day, zone) < end:
        days.append((day, midnight(day, zone), midnight(day + timedelta(days=1), zone)))
        day += timedelta(days=1)
    return days


def window_start(definition: MetricDefinition, world: World, at: datetime, start: datetime) -> datetime:
    if definition.window.days is None:
        return start
    zone = world.calendar.timezone
    local = at.astimezone(ZoneInfo(zone))
    if midnight(local.date(), zone) == at:
        return midnight(local.date() - timedelta(days=definition.window.days), zone)
    earlier = datetime.combine(
        local.date() - timedelta(days=definition.window.days), local.time().replace(fold=0), ZoneInfo(zone)
    )
    return earlier.astimezone(UTC)


def is_open(day: date, calendar: Calendar) -> bool:
    closed = any(period.start <= day <= period.end for period in calendar.closed)
    return day.weekday() in calendar.workdays and day not in calendar.holidays and not closed


def is_excluded(day: date, definition: MetricDefinition) -> bool:
    return any(e.start <= day <= e.end for e in definition.exclude)


@dataclass
class Frame:
    """One window over one metric's coverage: where the data ends, and which instants count."""

    definition: MetricDefinition
    world: World
    start: datetime
    at: datetime
    end: datetime | None = None
    pieces: list[tuple[date, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        limit = min(self.at, self.world.as_of)
        ends = [min(b, limit) for a, b in self.world.coverage if a < limit]
        self.end = max(ends, default=None)
        if self.end is None or self.end <= self.start:
            return
        for day, opens, closes in days_from(self.start, self.end, self.world.calendar.timezone):
            if is_excluded(day, self.definition):
                continue
            inside = (min(closes, self.end) - max(opens, self.start)) / (closes - opens)
            overlaps = [
                (min(b, closes, self.end) - max(a, opens, self.start)) / (closes - opens)
                for a, b in self.world.coverage
            ]
            self.pieces.append((day, inside, sum(o for o in overlaps if o > 0)))

    def counts(self, instant: datetime) -> bool:
        if self.end is None or not self.start <= instant < self.end:
            return False
        if is_excluded(day_of(instant, self.world.calendar.timezone), self.definition):
            return False
        return any(a <= instant < b for a, b in self.world.coverage)

    @property
    def days(self) -> float:
        whole = self.end == self.at and all(abs(share - inside) < 1e-12 for _, inside, share in self.pieces)
        left_out = any(
            is_excluded(day, self.definition)
            for day, _, _ in days_from(self.start, self.at, self.world.calendar.timezone)
        )
        if self.definition.window.days and whole and not left_out and self.pieces:
            return float(self.definition.window.days)
        return sum(share for _, _, share in self.pieces)

    @property
    def open_days(self) -> float:
        return sum(share for day, _, share in self.pieces if is_open(day, self.world.calendar))

    @property
    def covered(self) -> float:
        whole = sum(inside for _, inside, _ in self.pieces)
        return sum(share for _, _, share in self.pieces) / whole if whole else 0.0

    @property
    def finished_open_days(self) -> list[date]:
        return [day for day, _, share in self.pieces if is_open(day, self.world.calendar) and share > 1 - 1e-12]


# ---- deployments -----------------------------------------------------------------------------------------------------
def is_seen(d: Deployment, as_of: datetime) -> bool:
    return d.created_at <= as_of


def of_tracks(definition: MetricDefinition, world: World) -> list[Deployment]:
    found = []
    for fact in world.facts:
        if not isinstance(fact, Deployment) or not is_seen(fact, world.as_of):
            continue
        if fact.task == definition.task and fnmatchcase(fact.environment, definition.environment):
            found.append(fact)
    return found


def success(d: Deployment, as_of: datetime) -> datetime | None:
    """The first success, where it was known by `as_of`."""
    for status in sorted(d.statuses, key=lambda s: s.at):
        if status.state == "success":
            return status.at if status.at <= as_of else None
    return None


@dataclass
class Placed:
    """A successful deployment and what the walk over its track took it for."""

    fact: Deployment
    at: datetime
    role: str = ""
    rolled_back: bool = False
    counted: bool = True
    undone_at: datetime | None = None


def walk(definition: MetricDefinition, world: World) -> list[Placed]:
    """Every successful deployment of every track, in its role."""
    tracks: dict[tuple[str, str], list[Placed]] = {}
    for d in of_tracks(definition, world):
        when = success(d, world.as_of)
        if when is not None:
            tracks.setdefault((d.subject, d.environment), []).append(Placed(d, when))
    placed = []
    for track in tracks.values():
        placed += walk_track(definition, sorted(track, key=lambda p: (p.at, p.fact.created_at, p.fact.key)))
    return once_per_commit(definition, placed)


def walk_track(definition: MetricDefinition, track: list[Placed]) -> list[Placed]:
    kept: Placed | None = None
    stack: list[Placed] = []
    for p in track:
        if kept is not None and p.fact.commit == kept.fact.commit:
            soon = p.at - kept.at <= definition.duplicates_within
            same_run = p.fact.run is not None and p.fact.run == kept.fact.run
            if soon or same_run:
                p.role = "duplicate"
                continue
            p.role = "redeploy"
            kept = p
            continue
        kept = p
        place(definition, p, stack)
    return track


def place(definition: MetricDefinition, p: Placed, stack: list[Placed]) -> None:
    commits = [s.fact.commit for s in stack]
    if "version_return" in definition.rollback_rules and p.fact.commit in commits:
        above = stack[commits.index(p.fact.commit) + 1 :]
        del stack[commits.index(p.fact.commit) + 1 :]
        for replaced in above if definition.rollback_mark == "between" else above[-1:]:
            replaced.rolled_back, replaced.undone_at = True, p.at
        p.role = "rollback"
    elif "marked" in definition.rollback_rules and p.fact.marked_rollback and stack:
        replaced = stack.pop()
        replaced.rolled_back, replaced.undone_at = True, p.at
        stack.append(p)
        p.role = "rollback"
    else:
        stack.append(p)
        p.role = "forward"


def once_per_commit(definition: MetricDefinition, placed: list[Placed]) -> list[Placed]:
    """The n-th pushes of a commit in the environments of a service are one deployment, taken back if any was, when
    the last of them was; and the n-th returns to it are one rollback."""
    if definition.count == "each":
        return placed
    pushes: dict[tuple[str, str, str, int], list[Placed]] = {}
    for p in sorted(placed, key=lambda p: (p.at, p.fact.key)):
        if p.role in ("forward", "rollback"):
            nth = 0
            here = (p.role, p.fact.subject, p.fact.commit)
            while any(q.fact.environment == p.fact.environment for q in pushes.get((*here, nth), [])):
                nth += 1
            pushes.setdefault((*here, nth), []).append(p)
    for group in pushes.values():
        chosen = group[0] if definition.count == "first" else group[-1]
        chosen.rolled_back = any(p.rolled_back for p in group)
        chosen.undone_at = max((p.undone_at for p in group if p.undone_at), default=None)
        for p in group:
            p.counted = p is chosen
    return placed


def forward(definition: MetricDefinition, frame: Frame) -> list[Placed]:
    placed = walk(definition, frame.world)
    return [p for p in placed if p.role == "forward" and p.counted and frame.counts(p.at)]


def frequency(definition: MetricDefinition, frame: Frame) -> Expected:
    found = forward(definition, frame)
    divisor = frame.open_days if definition.unit.dimension == "per_workday" else frame.days
    if not divisor:
        return Expected(None)
    if definition.across == "worst":
        services = frame.world.subjects
        fewest = min(services, key=lambda s: sum(p.fact.subject == s for p in found))
        found = [p for p in found if p.fact.subject == fewest]
    return Expected(len(found) / divisor, len(found), len(found), divisor, keys_of(found))


def deployment_days(definition: MetricDefinition, frame: Frame) -> Expected:
    found = forward(definition, frame)
    days = frame.finished_open_days
    shipped = {day_of(p.at, frame.world.calendar.timezone) for p in found}
    hits = [day for day in days if day in shipped]
    return share(len(hits), len(days), keys_of(found))


def deployment_count(definition: MetricDefinition, frame: Frame) -> Expected:
    found = forward(definition, frame)
    if not frame.days:
        return Expected(None)
    return Expected(len(found), len(found), keys=keys_of(found))


def rollback_rate(definition: MetricDefinition, frame: Frame) -> Expected:
    settled = [p for p in forward(definition, frame) if p.at + definition.settle <= frame.world.as_of]
    back = [p for p in settled if p.rolled_back]
    return share(len(back), len(settled), keys_of(settled), keys_of(back))


def deployment_duration(definition: MetricDefinition, frame: Frame) -> Expected:
    values = {}
    for p in walk(definition, frame.world):
        if p.role == "duplicate" or not frame.counts(p.at):
            continue
        started = [s.at for s in p.fact.statuses if s.state == "in_progress" and s.at <= frame.world.as_of]
        seconds = (p.at - min(started, default=p.fact.created_at)).total_seconds()
        # Without a start of its own, a record created once all was done says nothing of how long it took.
        if seconds > 0 or (started and seconds == 0):
            values[p.fact.key] = seconds
    return quantile_of(definition.quantile, values)


def attempt_failures(definition: MetricDefinition, frame: Frame) -> Expected:
    ended, failed = set(), set()
    for d in of_tracks(definition, frame.world):
        finals = sorted((s for s in d.statuses if s.state in ("success", "failure", "error")), key=lambda s: s.at)
        if not finals or finals[0].at > frame.world.as_of or not frame.counts(finals[0].at):
            continue
        ended.add(d.key)
        if finals[0].state != "success":
            failed.add(d.key)
    return share(len(failed), len(ended), frozenset(ended), frozenset(failed))


# ---- CI --------------------------------------------------------------------------------------------------------------
def latest_attempts(definition: MetricDefinition, world: World) -> list[Run]:
    """Of each run the latest attempt that had completed by `as_of`."""
    latest: dict[tuple[str, str], Run] = {}
    for run in world.facts:
        if (
            not isinstance(run, Run)
            or run.completed_at is None
            or run.conclusion is None
            or run.completed_at > world.as_of
        ):
            continue
        best = latest.get((run.subject, run.run))
        if best is None or run.attempt > best.attempt:
            latest[run.subject, run.run] = run
    return list(latest.values())


def ci_success(definition: MetricDefinition, frame: Frame) -> Expected:
    runs = [r for r in latest_attempts(definition, frame.world) if frame.counts(r.created_at)]
    green = {r.key for r in runs if r.conclusion == "success"}
    red = {r.key for r in runs if r.conclusion in RED}
    return share(len(green), len(green | red), frozenset(green | red), frozenset(green))


def ci_duration(definition: MetricDefinition, frame: Frame) -> Expected:
    values = {}
    for r in latest_attempts(definition, frame.world):
        if r.conclusion == "success" and frame.counts(r.created_at) and r.started_at and r.completed_at:
            seconds = (r.completed_at - r.started_at).total_seconds()
            if seconds >= 0:
                values[r.key] = seconds
    return quantile_of(definition.quantile, values)


def ci_flaky(definition: MetricDefinition, frame: Frame) -> Expected:
    """A green run is flaky once any attempt before its latest failed, and stable once all of them are known not to."""
    stable, flaky = set(), set()
    for r in latest_attempts(definition, frame.world):
        if r.conclusion != "success" or not frame.counts(r.created_at):
            continue
        ended = {
            f.attempt: f.conclusion
            for f in frame.world.facts
            if isinstance(f, Run)
            and (f.subject, f.run) == (r.subject, r.run)
            and f.conclusion is not None
            and f.completed_at is not None
            and f.completed_at <= frame.world.as_of
        }
        if any(ended.get(n) in RED for n in range(1, r.attempt)):
            flaky.add(r.key)
        elif all(n in ended for n in range(1, r.attempt)):
            stable.add(r.key)
    return share(len(flaky), len(stable | flaky), frozenset(stable | flaky), frozenset(flaky))


# ---- changes and incidents -------------------------------------------------------------------------------------------
def merged_changes(frame: Frame) -> list[Change]:
    known = [f for f in frame.world.facts if isinstance(f, Change) and f.merged_at <= frame.world.as_of]
    return [c for c in known if frame.counts(c.merged_at)]


def tally(frame: Frame, keys: Sequence[str]) -> Expected:
    return Expected(len(keys), len(keys), keys=frozenset(keys)) if frame.days else Expected(None)


def change_count(definition: MetricDefinition, frame: Frame) -> Expected:
    return tally(frame, [c.key for c in merged_changes(frame)])


def change_cycle_time(definition: MetricDefinition, frame: Frame) -> Expected:
    values = {}
    for c in merged_changes(frame):
        if c.author_kind == "bot" or c.first_commit_at is None or c.first_commit_at > c.merged_at:
            continue
        values[c.key] = (c.merged_at - c.first_commit_at).total_seconds()
    return quantile_of(definition.quantile, values)


def change_review_time(definition: MetricDefinition, frame: Frame) -> Expected:
    values = {}
    for c in merged_changes(frame):
        reviewed = c.first_review_at
        if c.author_kind == "bot" or c.opened_at is None or reviewed is None or reviewed > frame.world.as_of:
            continue
        if reviewed >= c.opened_at:
            values[c.key] = (reviewed - c.opened_at).total_seconds()
    return quantile_of(definition.quantile, values)


def incident_count(definition: MetricDefinition, frame: Frame) -> Expected:
    known = [f for f in frame.world.facts if isinstance(f, Incident) and f.opened_at <= frame.world.as_of]
    return tally(frame, [i.key for i in known if frame.counts(i.opened_at)])


# ---- samples ---------------------------------------------------------------------------------------------------------
def known_samples(definition: MetricDefinition, world: World) -> list[Sample]:
    """Samples whose time was over by `as_of`, in order."""
    found = []
    for s in world.facts:
        if isinstance(s, Sample) and (s.until or s.at) <= world.as_of:
            found.append(s)
    return sorted(found, key=lambda s: (s.at, s.key))


def newest(
    definition: MetricDefinition, frame: Frame, number: Callable[[Sample], tuple[float, float] | None]
) -> Expected:
    """The newest sample before the window's end, however far back, where it lies in counted time."""
    zone = frame.world.calendar.timezone
    for s in reversed(known_samples(definition, frame.world)):
        covered = any(a <= s.at < b for a, b in frame.world.coverage)
        if s.at >= frame.at or not covered or is_excluded(day_of(s.at, zone), definition):
            continue
        pair = number(s)
        if pair is None or not pair[1]:
            continue
        return Expected(pair[0] / pair[1], pair[1], pair[0], pair[1], frozenset({s.key}), data_end=s.until or s.at)
    return Expected(None)


def covered_lines(s: Sample) -> tuple[float, float] | None:
    return (s.parts["covered"], s.parts["coverable"]) if "coverable" in s.parts else None


def ran(s: Sample) -> float:
    return s.parts.get("passed", 0) + s.parts.get("failed", 0) + s.parts.get("errors", 0)


def share_alone(s: Sample) -> tuple[float, float] | None:
    """What a service states without saying how much code it is a share of."""
    return (s.value, 1.0) if not s.parts and s.value is not None and 0 <= s.value <= 1 else None


def test_coverage(definition: MetricDefinition, frame: Frame) -> Expected:
    found = newest(definition, frame, lambda s: covered_lines(s) or share_alone(s))
    alone = any(s.key in found.keys and not s.parts for s in known_samples(definition, frame.world))
    return Expected(found.value, keys=found.keys, data_end=found.data_end) if alone else found


def test_pass_rate(definition: MetricDefinition, frame: Frame) -> Expected:
    return newest(definition, frame, lambda s: (s.parts["passed"], ran(s)) if "passed" in s.parts else None)


def test_count(definition: MetricDefinition, frame: Frame) -> Expected:
    found = newest(definition, frame, lambda s: (ran(s), 1.0) if "passed" in s.parts else None)
    return Expected(found.value, found.value or 0, keys=found.keys, data_end=found.data_end)


def sampled(definition: MetricDefinition, frame: Frame) -> Expected:
    aggregate = definition.aggregate
    scale = definition.unit.scale
    values: dict[str, float] = {}
    last: Sample | None = None
    for s in known_samples(definition, frame.world):
        if s.value is not None and math.isfinite(s.value) and frame.counts(s.at):
            values[s.key] = s.value * scale
            last = s
    if not values or last is None:
        return Expected(None)
    numbers = list(values.values())
    if aggregate.name == "last":
        return Expected(numbers[-1], len(values), keys=frozenset({last.key}), data_end=last.until or last.at)
    if aggregate.name == "share_within":
        good = [k for k, v in values.items() if is_within(v, aggregate.at_least, aggregate.at_most)]
        return share(len(good), len(values), frozenset(values), frozenset(good))
    if aggregate.name in ("median", "quantile"):
        return quantile_of(0.5 if aggregate.name == "median" else aggregate.quantile or 0.0, values)
    results = {
        "mean": math.fsum(numbers) / len(numbers),
        "sum": math.fsum(numbers),
        "min": min(numbers),
        "max": max(numbers),
    }
    return Expected(results[aggregate.name], len(values), keys=frozenset(values))


def is_within(value: float, low: float | None, high: float | None) -> bool:
    """Both limits inclusive, with the tolerance all comparisons have."""

    def same(limit: float) -> bool:
        return abs(value - limit) <= 1e-9 * max(abs(value), abs(limit))

    return (low is None or value > low or same(low)) and (high is None or value < high or same(high))


def histogram(definition: MetricDefinition, frame: Frame) -> Expected:
    """The days' buckets added up, over the bounds that every day has."""
    found = {
        s.key: {float(bound): count for bound, count in s.parts.items()}
        for s in known_samples(definition, frame.world)
        if "+Inf" in s.parts and frame.counts(s.at)
    }
    bounds = [b for b in {b for day in found.values() for b in day} if all(b in day for day in found.values())]
    merged = {bound: sum(day[bound] for day in found.values()) for bound in sorted(bounds)}
    for lower, upper in itertools.pairwise(merged):
        merged[upper] = max(merged[lower], merged[upper])
    total = merged.get(math.inf, 0)
    if not total or len(merged) < 2:
        return Expected(None)
    value, saturated = prometheus_quantile(definition.quantile, merged)
    return Expected(value * definition.unit.scale, total, keys=frozenset(found), saturated=saturated)


def prometheus_quantile(q: float, cumulative: dict[float, float]) -> tuple[float, bool]:
    """As PromQL has it: linear inside a bucket, from 0 in the first; the top bucket gives its lower bound."""
    bounds = sorted(cumulative)
    rank = q * cumulative[math.inf]
    lower, below = 0.0, 0.0
    for bound in bounds:
        if cumulative[bound] >= rank:
            break
        lower, below = bound, cumulative[bound]
    if bound == math.inf:
        return lower, True
    if bound == bounds[0] and bound <= 0:
        return bound, False
    if cumulative[bound] == below:  # only for q = 0, where PromQL divides nothing by nothing
        return lower, False
    return lower + (bound - lower) * (rank - below) / (cumulative[bound] - below), False


# ---- readings --------------------------------------------------------------------------------------------------------
def keys_of(placed: Sequence[Placed]) -> frozenset[str]:
    return frozenset(p.fact.key for p in placed)


def share(hits: int, total: int, keys: frozenset[str], hit_keys: frozenset[str] = frozenset()) -> Expected:
    if not total:
        return Expected(None)
    return Expected(hits / total, total, hits, total, keys, hit_keys)


def quantile_of(q: float, values: dict[str, float]) -> Expected:
    """Hyndman and Fan's definition 7: linear between the order statistics at (n - 1)q."""
    if not values:
        return Expected(None)
    ordered = sorted(values.values())
    position = (len(ordered) - 1) * q
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    value = ordered[low] + (ordered[high] - ordered[low]) * (position - low)
    return Expected(value, len(values), keys=frozenset(values))


def wilson80(hits: float, n: float) -> tuple[float, float]:
    """Wilson's two roots of (p - share)² = z² p (1 - p) / n, with z = 1.2815515655446004 (80 %)."""
    z = 1.2815515655446004
    a, b, c = 1 + z * z / n, -(2 * hits / n + z * z / n), (hits / n) ** 2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


MEASURES: dict[str, Callable[[MetricDefinition, Frame], Expected]] = {
    "deployment_frequency": frequency,
    "deployment_days": deployment_days,
    "deployment_count": deployment_count,
    "rollback_rate": rollback_rate,
    "deployment_duration": deployment_duration,
    "deployment_attempt_failure_rate": attempt_failures,
    "ci_success_rate": ci_success,
    "ci_duration": ci_duration,
    "ci_flaky_rate": ci_flaky,
    "change_count": change_count,
    "change_cycle_time": change_cycle_time,
    "change_review_time": change_review_time,
    "incident_count": incident_count,
    "test_coverage": test_coverage,
    "test_pass_rate": test_pass_rate,
    "test_count": test_count,
    "sampled": sampled,
    "histogram_quantile": histogram,
}


def few(definition: MetricDefinition, frame: Frame) -> float:
    """How much a reading needs unless the definition says."""
    if definition.min_samples is not None:
        return definition.min_samples
    if definition.measure == "sampled":
        if definition.aggregate.name == "last":
            return 0
        zone = frame.world.calendar.timezone
        whole = [
            (min(closes, frame.at) - max(opens, frame.start)) / (closes - opens)
            for _, opens, closes in days_from(frame.start, frame.at, zone)
        ]
        return sum(whole) / 2
    if definition.measure in (
        "deployment_duration",
        "ci_duration",
        "change_cycle_time",
        "change_review_time",
        "histogram_quantile",
    ):
        return 20 if definition.quantile >= 0.9 else 5
    return FEW.get(definition.measure, 5)


def is_carried(definition: MetricDefinition) -> bool:
    last = definition.measure == "sampled" and definition.aggregate.name == "last"
    return last or definition.measure in ("test_coverage", "test_pass_rate", "test_count")


def reading(definition: MetricDefinition, world: World, at: datetime, start: datetime) -> Expected:
    """The reading at `at`; `start` is where a window of `"cycle"` begins."""
    frame = Frame(definition, world, window_start(definition, world, at, start), at)
    found = MEASURES[definition.measure](definition, frame)
    if not is_known(definition, world):
        found = Expected(None)
    end = found.data_end or frame.end
    return Expected(
        found.value,
        found.n,
        found.numerator,
        found.denominator,
        found.keys,
        found.hits,
        end,
        health(definition, frame, found, end),
        frame.covered,
        found.saturated,
    )


def is_known(definition: MetricDefinition, world: World) -> bool:
    """Whether the environment (for deployments) or any run was ever seen."""
    if definition.measure.startswith("ci_"):
        return any(isinstance(f, Run) and f.created_at <= world.as_of for f in world.facts)
    if definition.measure.startswith("deployment") or definition.measure == "rollback_rate":
        return any(
            isinstance(f, Deployment) and is_seen(f, world.as_of) and fnmatchcase(f.environment, definition.environment)
            for f in world.facts
        )
    return True


def health(definition: MetricDefinition, frame: Frame, found: Expected, end: datetime | None) -> str:
    if found.value is None or end is None:
        return "no_data"
    if frame.at - end > definition.max_age:
        return "stale"
    if found.n < few(definition, frame):
        return "too_few"
    if not is_carried(definition) and frame.covered < definition.min_covered:
        return "partial"
    return "ok"
