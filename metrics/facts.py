"""The facts: what happened or was measured, as every source tells it.

Instants are timezone-aware. `key` is a fact's natural key: unique within its stream, the same
each time the source tells of it, so that writing a fact twice leaves one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import ClassVar, Literal

FactKind = Literal["deployments", "runs", "changes", "incidents", "shipments", "samples"]

FINAL_STATES = frozenset({"success", "failure", "error"})
"""The deployment states that end an attempt. `inactive` only says that a newer one took over."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One line of a deployment's history; `state` in lower case: `queued`, `in_progress`, `success`, …"""

    state: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One attempt to bring a commit into an environment.

    `origin` says what kind of source told of it: versions from a `tag`, `release` or `merge`
    never come back, so a return to an older version can't be seen there. `run` names the CI run
    and attempt (`"981/2"`) that deployed, `workflow` its file (`deploy.yml`). `marked_rollback` is
    the platform's own word for it.
    """

    kind: ClassVar[FactKind] = "deployments"
    key: str
    subject: str
    environment: str
    commit: str
    created_at: datetime
    statuses: tuple[StatusChange, ...] = ()
    task: str = "deploy"
    ref: str | None = None
    run: str | None = None
    origin: Literal["deployment", "workflow", "release", "tag", "merge"] = "deployment"
    marked_rollback: bool = False
    payload: Mapping[str, object] = field(default_factory=dict)
    url: str | None = None
    workflow: str | None = None

    @property
    def at(self) -> datetime:
        return self.created_at

    @property
    def started_at(self) -> datetime | None:
        """The first `in_progress`; None where the source never said it."""
        return min((s.at for s in self.statuses if s.state == "in_progress"), default=None)

    @property
    def succeeded_at(self) -> datetime | None:
        """The first `success`: the instant the deployment counts at."""
        return min((s.at for s in self.statuses if s.state == "success"), default=None)

    @property
    def first_final(self) -> StatusChange | None:
        """The first status that ended the attempt."""
        return min((s for s in self.statuses if s.state in FINAL_STATES), key=lambda s: s.at, default=None)

    @property
    def waited_seconds(self) -> float:
        """Time spent in `waiting` (an approval), up to the status after it."""
        if all(status.state != "waiting" for status in self.statuses):
            return 0.0
        ordered = sorted(self.statuses, key=lambda s: s.at)
        return sum(
            (after.at - before.at).total_seconds() for before, after in pairwise(ordered) if before.state == "waiting"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt of a CI run. `run` is the id that re-runs share; `attempt` counts from 1.

    `created_at` is the run's own creation, the same for all its attempts. `conclusion` is None
    until the attempt completed. `end_estimated` marks an end that the source did not state.
    """

    kind: ClassVar[FactKind] = "runs"
    key: str
    subject: str
    workflow: str
    run: str
    attempt: int
    branch: str
    commit: str
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    conclusion: str | None = None
    event: str | None = None
    end_estimated: bool = False
    url: str | None = None

    @property
    def at(self) -> datetime:
        return self.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A merged change. `commit` is the commit it became on the base branch.

    `author_kind` serves only to tell bots apart; names of authors are not facts here.
    `reverts` is the commit (or `"#12"`, the change) that this one takes back. `paths` are the files
    it touched, from the repository's root; None where nobody asked for them.
    """

    kind: ClassVar[FactKind] = "changes"
    key: str
    subject: str
    commit: str
    merged_at: datetime
    opened_at: datetime | None = None
    first_commit_at: datetime | None = None
    first_review_at: datetime | None = None
    title: str = ""
    base: str = ""
    head: str = ""
    labels: tuple[str, ...] = ()
    author_kind: Literal["person", "bot", "unknown"] = "unknown"
    reverts: str | None = None
    url: str | None = None
    paths: tuple[str, ...] | None = None

    @property
    def at(self) -> datetime:
        return self.merged_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something broke for users. `commit` or `deployment` (its key) name the cause where it is known."""

    kind: ClassVar[FactKind] = "incidents"
    key: str
    subject: str
    opened_at: datetime
    closed_at: datetime | None = None
    title: str = ""
    labels: tuple[str, ...] = ()
    environment: str | None = None
    commit: str | None = None
    deployment: str | None = None
    url: str | None = None

    @property
    def at(self) -> datetime:
        return self.opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What a deployment brought beside the one before: `commits` after `previous`, up to `commit`.

    `key` is `"previous..commit"`. `relation` is how `commit` lies to `previous`: `behind` is a strict
    ancestor of it; None where the source can't say. Where it can't list the commits, `commits` is
    empty and `method` is `merge-time`: only the order of time tells what was shipped.
    """

    kind: ClassVar[FactKind] = "shipments"
    key: str
    subject: str
    commit: str
    previous: str
    found_at: datetime
    commits: tuple[str, ...] = ()
    method: Literal["clone", "compare", "merge-time"] = "clone"
    relation: Literal["ahead", "behind", "diverged", "identical"] | None = None

    @property
    def at(self) -> datetime:
        return self.found_at


def key_between(previous: str, commit: str) -> str:
    """The key of the shipment from one commit to the other."""
    return f"{previous}..{commit}"


def full_key(subject: str, name: str) -> str:
    """The key of what one subject calls so, in a stream that many subjects share."""
    return f"{subject}/{name}"


def name_within(subject: str, key: str) -> str:
    """What the subject, in whatever case, itself calls the fact of this key: so facts of other sources may name it."""
    prefix = full_key(subject, "")
    return key[len(prefix) :] if key.lower().startswith(prefix.lower()) else key


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Something measured. `value` is in the source's unit, None where only `parts` were measured.

    A daily sample describes `[at, until)`: `at` is the start of its day in the tracker's zone and
    `until` the end of what it covers, before the day's end while `final` is False. Other samples
    (a coverage file, a value recorded by hand) describe the instant `at` and have no `until`.

    `parts` holds what a value is made of: `{"covered", "coverable"}` (counts), `{"passed",
    "failed", "errors", "skipped"}` (counts), or a histogram's increases by upper bound
    (`{"0.1": 12, "+Inf": 20}`, cumulative as Prometheus has them). `n` is how many observations
    stand behind it, where known.
    """

    kind: ClassVar[FactKind] = "samples"
    key: str
    subject: str
    at: datetime
    until: datetime | None = None
    value: float | None = None
    n: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    final: bool = True
    commit: str | None = None
    note: str | None = None
    by: str | None = None
    url: str | None = None


Fact = Deployment | Run | Change | Incident | Shipment | Sample

FACT_TYPES: Mapping[FactKind, type[Fact]] = {
    "deployments": Deployment,
    "runs": Run,
    "changes": Change,
    "incidents": Incident,
    "shipments": Shipment,
    "samples": Sample,
}
