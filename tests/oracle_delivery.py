"""What the measures of delivery should say, computed a second time: plain loops over lists of facts.

Each returns what counts, by key: lead times in seconds, or whether a deployment failed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase

import oracle
from keyresults.metrics.definition import MetricDefinition
from keyresults.metrics.facts import Change, Deployment, Incident, Shipment

WEEK = timedelta(days=7)


def forward(definition: MetricDefinition, world: oracle.World) -> list[oracle.Placed]:
    """All forward deployments that count, by success."""
    found = [p for p in oracle.walk(definition, world) if p.role == "forward" and p.counted]
    return sorted(found, key=lambda p: (p.at, p.fact.key))


def before_in_track(definition: MetricDefinition, world: oracle.World, one: oracle.Placed) -> Deployment | None:
    """What was kept last in its track before it."""
    earlier = [
        p
        for p in oracle.walk(definition, world)
        if (p.fact.subject, p.fact.environment) == (one.fact.subject, one.fact.environment)
        and p.role != "duplicate"
        and (p.at, p.fact.key) < (one.at, one.fact.key)
    ]
    return max(earlier, key=lambda p: (p.at, p.fact.key)).fact if earlier else None


def shipments_for(world: oracle.World, previous: Deployment | None, one: Deployment) -> Shipment | None:
    """What is known of the commits between the two, best by a clone."""
    if previous is None:
        return None
    told = [
        fact
        for fact in world.facts
        if isinstance(fact, Shipment)
        and (fact.subject, fact.previous, fact.commit) == (one.subject, previous.commit, one.commit)
        and fact.method != "merge-time"
    ]
    return min(told, key=lambda fact: fact.method != "clone", default=None)


def known_changes(world: oracle.World) -> list[Change]:
    known = [f for f in world.facts if isinstance(f, Change) and f.merged_at <= world.as_of]
    return sorted(known, key=lambda c: (c.merged_at, c.key))


Shipped = dict[tuple[str, str], tuple[oracle.Placed, bool]]


def shipped_by(definition: MetricDefinition, world: oracle.World, place: str = "*") -> Shipped:
    """By the change's subject and key: what shipped it first, and whether that is the first known of its service.
    As if there were no other place (an environment)."""
    candidates = []
    for p in going_to(place, forward(definition, world)):
        previous = before_in_track(definition, world, p)
        candidates.append((p, previous, shipments_for(world, previous, p.fact)))
    found = {}
    placed = going_to(place, oracle.walk(definition, world))
    for change in known_changes(world):
        brought_it = [
            (p, previous)
            for p, previous, known in candidates
            if p.fact.subject == change.subject and brings(p.fact, known, change)
        ]
        if brought_it:
            p, previous = brought_it[0]
            ran = [q for q in placed if q.fact.subject == change.subject]
            oldest = min(ran, key=lambda q: (q.at, q.fact.key))
            found[change.subject, change.key] = (p, previous is None and p.fact.commit == oldest.fact.commit)
    return found


def going_to(place: str, placed: list[oracle.Placed]) -> list[oracle.Placed]:
    return [p for p in placed if place in ("*", p.fact.environment)]


def places(definition: MetricDefinition, world: oracle.World) -> list[str]:
    """Where what is deployed is judged by itself: all over the service, or in each environment that counts."""
    if definition.count != "each":
        return ["*"]
    return sorted({p.fact.environment for p in forward(definition, world)})


def brings(one: Deployment, known: Shipment | None, change: Change) -> bool:
    """Whether a deployment has the change, be it the first to have it or not, as far as anybody can know."""
    if known is not None:
        return change.commit in known.commits
    return one.commit == change.commit or one.created_at >= change.merged_at


def lead_times(definition: MetricDefinition, frame: oracle.Frame) -> dict[str, float]:
    shipped = shipped_by(definition, frame.world)
    values = {}
    for change in known_changes(frame.world):
        p, first_known = shipped.get((change.subject, change.key), (None, False))
        start = change.merged_at if definition.lead_time_from == "merge" else change.first_commit_at
        if p is None or first_known or change.author_kind == "bot" or start is None or start > p.at:
            continue
        if frame.counts(p.at):
            values[change.key] = (p.at - start).total_seconds()
    return values


def failed(definition: MetricDefinition, frame: oracle.Frame) -> dict[str, bool]:
    """Every settled forward deployment of the window, and whether it failed."""
    world = frame.world
    broken = {id(fact) for fact, _ in signs(definition, world)}
    going = forward(definition, world)
    return {
        p.fact.key: id(p.fact) in broken
        for p in going
        if p.at + definition.settle <= world.as_of and frame.counts(p.at)
    }


def recoveries(definition: MetricDefinition, frame: oracle.Frame) -> dict[str, float]:
    """Seconds from the success of each failed deployment of the window to its first good state, where there is one."""
    return {
        p.fact.key: (min(ends) - p.at).total_seconds() for p, told in bad(definition, frame) if (ends := known(told))
    }


def not_recovered(definition: MetricDefinition, frame: oracle.Frame) -> set[str]:
    return {p.fact.key for p, told in bad(definition, frame) if not known(told)}


def known(told: list[datetime | None]) -> list[datetime]:
    return [end for end in told if end is not None]


def bad(definition: MetricDefinition, frame: oracle.Frame) -> list[tuple[oracle.Placed, list[datetime | None]]]:
    """The failed deployments of the window, each with the ends of all that told of it."""
    told = signs(definition, frame.world)
    found = []
    for p in forward(definition, frame.world):
        ends = [end for fact, end in told if fact is p.fact]
        if ends and frame.counts(p.at):
            found.append((p, ends))
    return found


def rework(definition: MetricDefinition, frame: oracle.Frame) -> dict[str, bool]:
    """Every forward deployment and rollback of the window, and whether it is rework."""
    world = frame.world
    found = {}
    by_place = {place: shipped_by(definition, world, place) for place in ("*", *places(definition, world))}
    for p in oracle.walk(definition, world):
        shipped = by_place.get(p.fact.environment if definition.count == "each" else "*", {})
        if p.role not in ("forward", "rollback") or not p.counted or not frame.counts(p.at):
            continue
        brought = [
            change
            for change in known_changes(world)
            if (change.subject, change.key) in shipped and shipped[change.subject, change.key][0].fact is p.fact
        ]
        first = any(shipped[c.subject, c.key][1] for c in brought)
        mends = [c for c in brought if c.reverts is not None or is_hot(definition, c)]
        found[p.fact.key] = p.role == "rollback" or (bool(brought) and not first and len(mends) == len(brought))
    return found


def comes_after(one: oracle.Placed, other: oracle.Placed) -> bool:
    return (one.at, one.fact.key) > (other.at, other.fact.key)


def is_hot(definition: MetricDefinition, change: Change) -> bool:
    hot = any(label in definition.hotfix_labels for label in change.labels)
    return hot or any(fnmatchcase(change.head, glob) for glob in definition.hotfix_branches)


def signs(definition: MetricDefinition, world: oracle.World) -> list[tuple[Deployment, datetime | None]]:
    """Each thing that tells of a failed deployment, and when what it tells of was over."""
    going = forward(definition, world)
    told = [(p.fact, p.undone_at) for p in going if p.rolled_back]
    for place in places(definition, world):
        there = shipped_by(definition, world, place)
        told += taken_back(world, there)
        told += mended(definition, world, there, going_to(place, going))
    shipped = shipped_by(definition, world)
    for incident in world.facts:
        if isinstance(incident, Incident) and incident.opened_at <= world.as_of:
            for p in blamed(definition, world, incident, going, shipped):
                closed = incident.closed_at
                over = closed is not None and p.at <= closed <= world.as_of
                told.append((p.fact, closed if over else None))
    return told


def mended(
    definition: MetricDefinition, world: oracle.World, shipped: Shipped, going: list[oracle.Placed]
) -> list[tuple[Deployment, datetime | None]]:
    """What ran when a hotfix was merged, and when that hotfix was shipped."""
    told: list[tuple[Deployment, datetime | None]] = []
    for change in known_changes(world):
        if is_hot(definition, change):
            by, _ = shipped.get((change.subject, change.key), (None, False))
            ran = [p for p in going if p.fact.subject == change.subject and p.at < change.merged_at]
            if by is not None:  # nothing is mended by itself, nor by what came before it
                ran = [p for p in ran if comes_after(by, p)]
            told += [(p.fact, by and by.at) for p in ran[-1:]]
    return told


def taken_back(world: oracle.World, shipped: Shipped) -> list[tuple[Deployment, datetime | None]]:
    """What shipped a change that was reverted within a week, and when the revert was shipped."""
    told: list[tuple[Deployment, datetime | None]] = []
    changes = known_changes(world)
    for revert in changes:
        for change in changes:
            if not takes_back(revert, change, changes) or (change.merged_at, change.key) >= (
                revert.merged_at,
                revert.key,
            ):
                continue
            origin, _ = shipped.get((change.subject, change.key), (None, False))
            back, _ = shipped.get((revert.subject, revert.key), (None, False))
            if origin and back and comes_after(back, origin) and back.at - origin.at <= WEEK:
                told.append((origin.fact, back.at))
    return told


def takes_back(revert: Change, change: Change, changes: list[Change]) -> bool:
    """Whether a change names the other, by its number, its commit, or enough digits of that to mean no other's."""
    said = revert.reverts
    if said is None or revert.subject != change.subject:
        return False
    if said in (change.commit, f"#{change.key}"):
        return True
    digits = 7 <= len(said) < 64 and all(digit in "0123456789abcdef" for digit in said)
    meant = {c.commit for c in changes if c.subject == revert.subject and c.commit.startswith(said)}
    return digits and meant == {change.commit}


def blamed(definition, world, incident, going, shipped) -> list[oracle.Placed]:
    if incident.environment is not None and not fnmatchcase(incident.environment, definition.environment):
        return []
    until = [p for p in going if p.fact.subject == incident.subject and p.at <= incident.opened_at]
    if incident.commit is None and incident.deployment is None:
        return [p for p in until[-1:] if incident.opened_at - p.at <= definition.failure_window]
    if incident.deployment is not None:
        return [
            one
            for p in oracle.walk(definition, world)
            if (p.fact.subject, p.fact.key) == (incident.subject, incident.deployment) and p.at <= incident.opened_at
            for one in counted_for(definition, world, p)
        ]
    same = [p for p in until if p.fact.commit == incident.commit]
    if same:
        return same[-1:]
    brought = [
        shipped[c.subject, c.key][0]
        for c in known_changes(world)
        if (c.subject, c.commit) == (incident.subject, incident.commit) and (c.subject, c.key) in shipped
    ]
    return [p for p in brought[-1:] if p.at <= incident.opened_at]


def counted_for(definition: MetricDefinition, world: oracle.World, one: oracle.Placed) -> list[oracle.Placed]:
    """The forward deployment that counts for one: itself, that which it repeats, or that of another environment."""
    placed = oracle.walk(definition, world)
    track = [
        p
        for p in placed
        if (p.fact.subject, p.fact.environment) == (one.fact.subject, one.fact.environment)
        and p.role != "duplicate"
        and (p.at, p.fact.key) <= (one.at, one.fact.key)
    ]
    meant = max(track, key=lambda p: (p.at, p.fact.key))
    if meant.role != "forward":
        return []
    pushes = [p for p in placed if p.role == "forward" and p.fact.subject == one.fact.subject]
    pushes = [p for p in pushes if p.fact.commit == one.fact.commit]

    def nth(p: oracle.Placed) -> int:
        return sum(q.fact.environment == p.fact.environment and not comes_after(q, p) for q in pushes)

    if definition.count == "each":
        return [meant]
    return [p for p in forward(definition, world) if any(p.fact is q.fact and nth(q) == nth(meant) for q in pushes)]
