"""Definitions that changed without a revision, and key results that vanished."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple, Protocol

from ..metrics.calendar import Calendar
from ..metrics.traits import PARTED
from .model import KeyResult

_JUDGED_BY = {
    "target": "target",
    "baseline": "baseline",
    "baseline_days": "baseline window",
    "start": "start",
    "deadline": "deadline",
    "metric": "metric",
    "plan": "plan",
    "weight": "weight",
    "guardrails": "guardrails",
    "accept_partial": "acceptance of partial readings",
    "draft": "draft",
}
"""The keys that decide a judgement, in words. A title or an owner may change at any time."""

_MEASURED_BY, _ASKED, _TOLD = "measured_by", "asked", "told"
_WATCHED = {**_JUDGED_BY, _MEASURED_BY: "definition of its metric", _ASKED: "definition of its metric"}

_IN_PARTS = frozenset({_MEASURED_BY, _ASKED})


class MeasuredBy(NamedTuple):
    """A metric in words, and what it puts to its sources; of definitions stored before, the latter may be unknown.

    `told` are those parts of its words that say themselves when they were written down, and why.
    """

    definition: str
    asked: str = ""
    told: tuple[str, ...] = ()


class Defined(Protocol):
    """A key result as the file defined it from `first_seen` to `last_seen`, and how before (oldest first)."""

    @property
    def snapshot(self) -> Mapping[str, object]: ...
    @property
    def first_seen(self) -> datetime: ...
    @property
    def last_seen(self) -> datetime: ...
    @property
    def earlier(self) -> Sequence[Defined]: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    snapshot: Mapping[str, object]
    on: date


def snapshot(kr: KeyResult, metric: MeasuredBy) -> dict[str, object]:
    """All of a definition that decides a judgement, as JSON holds it."""
    kept = {key: _plain(getattr(kr, key)) for key in _JUDGED_BY}
    words = {_MEASURED_BY: metric.definition, _ASKED: metric.asked}
    return {**kept, **words, _TOLD: list(metric.told), "revisions": [_plain(r) for r in kr.revisions]}


def silent_changes(
    former: Mapping[str, Defined],
    present: Mapping[str, KeyResult],
    measured_by: Mapping[str, MeasuredBy],
    calendar: Calendar,
    as_of: datetime,
) -> tuple[str, ...]:
    """What changed without a reason in a cycle's key results, one sentence each.

    `former` holds what was stored under each id, `present` the file's key results by id and
    `measured_by` what their metrics are. A key result may change freely until it has
    started, and as long as it is a draft.
    """
    today = calendar.day_of(as_of)
    found: list[str] = []
    for id_, kr in present.items():
        before = former.get(kr.was) if kr.was is not None and kr.was not in present else None
        history = [*_history(before, calendar), *_history(former.get(id_), calendar)]
        # An evaluation of the past reads the file of today: it can't have seen a change before the newest one stored.
        now = _Seen(snapshot(kr, measured_by[id_]), max([today, *(seen.on for seen in history)]))
        found += [f"{id_}: {words}" for old, new in pairwise([*history, now]) for words in _differences(old, new)]
    renamed = {kr.was for kr in present.values()}
    for id_, last in former.items():
        gone = id_ not in present and id_ not in renamed and not _is_withdrawn(last.snapshot, today)
        if gone and _is_bound(last.snapshot, today):
            day = calendar.day_of(last.last_seen)
            found.append(f"{id_}: vanished from the file without being withdrawn, last seen on {day}")
    return tuple(found)


def target_text_before(kr: KeyResult, former: Defined, calendar: Calendar) -> str | None:
    """The target as the file once had it, where that was edited although the key result has revisions."""
    if not kr.revisions:
        return None
    now = _plain(kr.target)
    for seen in (*former.earlier, former):
        was = seen.snapshot.get("target")
        if was is not None and _is_bound(seen.snapshot, calendar.day_of(seen.last_seen)) and _differs(was, now):
            return _shown(was)
    return None


def _history(last: Defined | None, calendar: Calendar) -> list[_Seen]:
    if last is None:
        return []
    return [_Seen(d.snapshot, calendar.day_of(d.first_seen)) for d in (*last.earlier, last)]


def _differences(old: _Seen, new: _Seen) -> Iterator[str]:
    if not _is_bound(old.snapshot, new.on):
        return
    end = f"changed without a reason, first seen on {new.on}"
    told = [*_told(old.snapshot), *_told(new.snapshot)]
    for key, name in _WATCHED.items():
        if key not in old.snapshot or key not in new.snapshot:
            continue
        was, is_now = (_without(told, seen.snapshot[key]) for seen in (old, new))
        if _differs(was, is_now):
            change = _part_changed(str(was), str(is_now)) if key in _IN_PARTS else f"{_shown(was)} → {_shown(is_now)}"
            yield f"{name} {change}: {end}"
    for revision in _revisions(old.snapshot):
        in_force = str(revision["on"]) <= new.on.isoformat()
        if in_force and all(_differs(revision, r) for r in _revisions(new.snapshot)):
            yield f"revision of {revision['on']}: {end}"


def _told(definition: Mapping[str, object]) -> list[str]:
    parts = definition.get(_TOLD, [])
    assert isinstance(parts, list)
    return parts


def _without(told: Sequence[str], value: object) -> object:
    """The words of a metric but for these parts; any other value as it is."""
    if isinstance(value, str):
        for part in told:
            value = value.replace(f"{PARTED}{part}", "")
    return value


def _part_changed(old: str, new: str) -> str:
    """The parts of a definition in words that the other one lacks; all of it where only their order differs."""
    before, after = (words.split(PARTED) if words else [] for words in (old, new))
    gone = PARTED.join(part for part in before if part not in after)
    come = PARTED.join(part for part in after if part not in before)
    if gone and come:
        return f"{gone} → {come}"
    if gone or come:
        return f"no longer with {gone}" if gone else f"now with {come}"
    return f"{old} → {new}"


def _is_bound(definition: Mapping[str, object], day: date) -> bool:
    return str(definition["start"]) <= day.isoformat() and not definition.get("draft")


def _is_withdrawn(definition: Mapping[str, object], day: date) -> bool:
    return any(one.get("withdraw") and str(one["on"]) <= day.isoformat() for one in _revisions(definition))


def _revisions(definition: Mapping[str, object]) -> list[Mapping[str, object]]:
    revisions = definition.get("revisions", [])
    assert isinstance(revisions, list)
    return revisions


def _differs(a: object, b: object) -> bool:
    return _without_text(a) != _without_text(b)


def _without_text(value: object) -> object:
    """Without the wording: "85%" and 0.85 are the same target, and a reason may be put better."""
    if isinstance(value, Mapping):
        return {k: _without_text(v) for k, v in value.items() if k not in ("text", "reason")}
    return [_without_text(v) for v in value] if isinstance(value, list) else value


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value["text"])
    if isinstance(value, list):
        return f"({len(value)})"
    return "none" if value is None else str(value)


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"is": type(value).__name__, **fields}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value
