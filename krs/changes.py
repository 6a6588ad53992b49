"""Definitions that changed without a revision, and key results that vanished."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

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


@dataclass(frozen=True, slots=True)
class Definition:
    """A key result's `snapshot` and the local day it was first seen on."""

    seen: date
    snapshot: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SilentChange:
    """A change nobody gave a reason for, in words.

    `seen` is the local day it was first seen on; for a key result that vanished, today.
    """

    key_result: str
    words: str
    seen: date


def snapshot(kr: KeyResult) -> dict[str, object]:
    """All of a definition that decides a judgement, as JSON holds it."""
    kept = {key: _plain(getattr(kr, key)) for key in _JUDGED_BY}
    return {**kept, "revisions": [_plain(r) for r in kr.revisions]}


def silent_changes(
    former: Mapping[str, Sequence[Definition]], present: Iterable[KeyResult], today: date
) -> tuple[SilentChange, ...]:
    """What changed without a reason in a cycle's key results.

    `former` holds the definitions stored under each id, oldest first. A key result may change
    freely until it has started, and as long as it is a draft.
    """
    now = {kr.id: kr for kr in present}
    renamed = {kr.was for kr in now.values() if kr.was is not None}
    found: list[SilentChange] = []
    for kr in now.values():
        before = former.get(kr.was, ()) if kr.was is not None and kr.was not in now else ()
        history = [*before, *former.get(kr.id, ()), Definition(today, snapshot(kr))]
        for old, new in pairwise(history):
            found += [SilentChange(kr.id, words, new.seen) for words in _differences(old, new)]
    for id_, history_ in former.items():
        if id_ not in now and id_ not in renamed and history_ and _is_bound(history_[-1], today):
            words = f"vanished from the file without being withdrawn; it had been there since {history_[0].seen}"
            found.append(SilentChange(id_, words, today))
    return tuple(found)


def _differences(old: Definition, new: Definition) -> Iterator[str]:
    if not _is_bound(old, new.seen):
        return
    end = f"changed without a reason, first seen on {new.seen}"
    for key, name in _JUDGED_BY.items():
        if key in old.snapshot and key in new.snapshot and _differs(old.snapshot[key], new.snapshot[key]):
            yield f"{name} {_shown(old.snapshot[key])} → {_shown(new.snapshot[key])}: {end}"
    for revision in _revisions(old):
        in_force = str(revision["on"]) <= new.seen.isoformat()
        if in_force and all(_differs(revision, r) for r in _revisions(new)):
            yield f"revision of {revision['on']}: {end}"


def _is_bound(definition: Definition, day: date) -> bool:
    return str(definition.snapshot["start"]) <= day.isoformat() and not definition.snapshot.get("draft")


def _revisions(definition: Definition) -> list[Mapping[str, object]]:
    revisions = definition.snapshot.get("revisions", [])
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
