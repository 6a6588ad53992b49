"""What deployments say: how often, how many came back, how long they took, how many attempts failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from . import roles
from .definition import MetricDefinition
from .ledger import FactRow, Ledger, each
from .ownership import ownership_notes
from .service import rests
from .shipping import relations
from .span import length_in_words
from .table import FactTables, from_microseconds, microseconds
from .tracks import NEVER_RETURNS, TrackRules, ordered

if TYPE_CHECKING:
    import pandas as pd

UNSETTLED = "unsettled"
IN_DOUBT = "in doubt"
NO_START = "no start"
UNFINISHED = "unfinished"
ATTEMPT = "attempt"

DOUBTFUL = {IN_DOUBT: "how their commits lie to those around them is not known, as the rule 'ancestor' needs"}
"""What the role of forward deployments that may be rollbacks, or may have been taken back, is worth noting as."""

_BACK = {
    "version_return": "which had run before",
    "ancestor": "an ancestor of what it replaced",
    "marked": "as the platform says",
}

_NOTHING_MORE: Mapping[str, str] = MappingProxyType({})


def forward_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Forward deployments count; all else is named and left out."""
    rows = ordered(tables, TrackRules.of(definition), as_of).copy(deep=False)
    rows["counted"] = rows["role"] == roles.FORWARD
    return Ledger(
        rows=rows,
        why=_explain(rows),
        notes=lambda counted: _of_no_service(definition, counted),
        refusal=never_seen(rows, definition),
    )


def _of_no_service(definition: MetricDefinition, counted: pd.DataFrame) -> tuple[str, ...]:
    nobodys = int(counted["service"].isin(rests(definition.split, set(counted["service"]))).sum())
    return (f"of no service: {nobodys} of these deployments",) if nobodys else ()


def rollback_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Settled forward deployments count, and those rolled back by `as_of` are hits.

    Where the rule `ancestor` lacks how two commits lie to each other, those it may concern are in neither side.
    """
    rules = TrackRules.of(definition)
    rows = ordered(tables, rules, as_of).copy(deep=False)
    leave_out_doubtful(rows)
    forward = rows["role"] == roles.FORWARD
    unsettled = forward & (rows["at"].to_numpy() > _instant(as_of - definition.settle))
    rows["counted"] = forward & ~unsettled
    rows["hit"] = rows["undone_by"] >= 0
    rows["role"] = rows["role"].mask(unsettled, UNSETTLED)
    hours = f"younger than {definition.settle / timedelta(hours=1):g} h"
    return Ledger(
        rows=rows,
        why=_explain(rows, {UNSETTLED: f"{hours}: too early to say"}),
        left_out={UNSETTLED: hours, **DOUBTFUL},
        notes=lambda counted: (*_reach(rows), *_other_rules(rules, counted, tables), *_whose_reverts(definition)),
        refusal=never_seen(rows, definition) or _cannot_return(rows, rules),
    )


def _whose_reverts(definition: MetricDefinition) -> tuple[str, ...]:
    listens = "revert" in definition.rollback_rules
    return ownership_notes(definition.split, definition.services) if listens else ()


def leave_out_doubtful(rows: pd.DataFrame) -> None:
    """Gives forward deployments another role where the rule `ancestor` can't tell if they, or one after, went back."""
    rows["role"] = rows["role"].mask((rows["role"] == roles.FORWARD) & rows["in_doubt"], IN_DOUBT)


def duration_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Every successful deployment counts that has a known start; its value is start to first success, in seconds."""
    rows = ordered(tables, TrackRules.of(definition), as_of).copy(deep=False)
    successful = rows["role"].isin([roles.FORWARD, roles.ROLLBACK, roles.REDEPLOY, roles.ELSEWHERE])
    start = rows["started_at"].fillna(rows["created_at"])
    rows["value"] = (rows["succeeded_at"] - start).dt.total_seconds()
    # A record made only once all was done has its creation at (or after) its success: that is no start.
    unknown = successful & ((rows["value"] < 0) | (rows["started_at"].isna() & (rows["value"] <= 0)))
    rows["counted"] = successful & ~unknown
    rows["role"] = rows["role"].mask(unknown, NO_START)
    return Ledger(
        rows=rows,
        why=_explain(rows, {NO_START: "its start is not known"}, timed=True),
        left_out={NO_START: "without a known start"},
        notes=_waiting,
        refusal=never_seen(rows, definition),
    )


def attempt_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Attempts with a final status count, at that status; failures and errors are hits."""
    import numpy as np

    rows = ordered(tables, TrackRules.of(definition), as_of).copy(deep=False)
    ours = ~rows["role"].isin(roles.OUTSIDE)
    final = ours & rows["finished_at"].notna()
    rows["hit"] = final & rows["outcome"].isin(["failure", "error"])
    rows["counted"] = final
    rows["role"] = np.where(final, ATTEMPT, np.where(ours, UNFINISHED, rows["role"]))
    rows["at"] = rows["finished_at"].fillna(rows["created_at"])
    rows = rows.sort_values(["at", "key"], kind="stable", ignore_index=True)
    refusal = never_seen(rows, definition)
    return Ledger(rows=rows, why=_explain(rows, {UNFINISHED: "no final status yet"}), refusal=refusal)


def _instant(at: datetime) -> object:
    import numpy as np

    return np.datetime64(microseconds(at), "us")


def never_seen(rows: pd.DataFrame, definition: MetricDefinition) -> str | None:
    """Why there is no reading, where no deployment to the environment is known."""
    rules = TrackRules.of(definition)
    places = {(s, e) for s, e in zip(rows["service"], rows["environment"], strict=True) if rules.counts(s)}
    if any(rules.covers(e, service) for service, e in places):
        return None
    known = sorted({e for _, e in places})
    if definition.services and not known:
        return f"no deployment of {', '.join(definition.services)} is known"
    if not known and _knows_no_environments(definition):
        return None
    seen = f"known are {', '.join(known)}" if known else "no deployment is known at all"
    return f"environment {definition.environment!r} was never seen; {seen}"


def _knows_no_environments(definition: MetricDefinition) -> bool:
    """Whether tags, releases, merges or runs of a workflow are what deploys: without one there is none to be seen."""
    return bool(definition.queries.get("deployments", {}).get("deployments"))


def _cannot_return(rows: pd.DataFrame, rules: TrackRules) -> str | None:
    origins = set(rows.loc[rows["role"] == roles.FORWARD, "origin"]) & NEVER_RETURNS
    if origins and "version_return" in rules.rules:
        return (
            f"a {' or '.join(sorted(origins))} never comes back, so the rule 'version_return' can't see a rollback; "
            'say rollback = { rules = ["revert"] }'
        )
    return None


def _reach(rows: pd.DataFrame) -> tuple[str, ...]:
    """How far back the order of versions is known: a rollback to anything older looks like a new version."""
    if rows.empty:
        return ()
    first = from_microseconds(int(rows["at"].to_numpy()[0].astype("int64")))
    return (f"the order of versions is known since {first:%Y-%m-%d}",)


def _other_rules(rules: TrackRules, counted: pd.DataFrame, tables: FactTables) -> tuple[str, ...]:
    """What the platform's own marks and the order of commits say, where the rules in force don't listen to them."""
    would = {"ancestor": _to_ancestors(tables, counted), "marked": int(counted["marked_rollback"].astype(bool).sum())}
    return tuple(
        f"the rule {rule!r} would take {n} of these for rollbacks"
        for rule, n in would.items()
        if n and rule not in rules.rules
    )


def _to_ancestors(tables: FactTables, counted: pd.DataFrame) -> int:
    known = relations(tables)
    pairs = zip(counted["subject"], counted["previous"], counted["commit"], strict=True)
    return sum(known.get(pair) == "behind" for pair in pairs)


def _waiting(counted: pd.DataFrame) -> tuple[str, ...]:
    seconds = counted["waited_seconds"].fillna(0).astype(float)
    waited = seconds[seconds > 0]
    if waited.empty:
        return ()
    return (f"{len(waited)} deployments waited for approval, {length_in_words(waited.median())} in the median",)


def _explain(
    rows: pd.DataFrame, more: Mapping[str, str] = _NOTHING_MORE, *, timed: bool = False
) -> Callable[[int], str]:
    words: dict[str, Callable[[FactRow], str]] = {
        roles.FORWARD: lambda r: "a new version",
        roles.ROLLBACK: lambda r: f"went back to {r['commit'][:12]}, {_BACK[r['rule']]}",
        roles.REDEPLOY: lambda r: f"{r['commit'][:12]} already ran",
        roles.DUPLICATE: lambda r: "the same deployment, told twice",
        roles.ELSEWHERE: lambda r: "its commit counts once, in another environment",
        roles.UNSUCCESSFUL: lambda r: "no success in its history",
        roles.OTHER_ENVIRONMENT: lambda r: f"environment {r['environment']}",
        roles.OTHER_TASK: lambda r: f"task {r['task']}",
        roles.OTHER_SERVICE: lambda r: f"of {r['service']}",
        IN_DOUBT: lambda r: DOUBTFUL[IN_DOUBT],
        ATTEMPT: lambda r: f"first final status: {r['outcome']}",
    }

    row_of = each(rows)

    def why(row: int) -> str:
        one = row_of(row)
        role = one["role"]
        said = more[role] if role in more else words[role](one)
        if role in (roles.FORWARD, UNSETTLED) and one["undone_by"] >= 0:
            undone = row_of(int(one["undone_by"]))
            said += f", taken back by {undone['key']} ({undone['commit'][:12]})"
        if timed and one["counted"]:
            said += f", took {length_in_words(one['value'])}"
        return said

    return why
