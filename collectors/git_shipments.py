"""What lies between two deployed commits, as a clone knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from ..metrics.facts import Shipment, key_between
from .git_clone import Clone

Pair = tuple[str, str, str]
"""Subject, previous commit, commit."""

Relation = Literal["ahead", "behind", "diverged", "identical"]

_WHOLE_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def shipments(clone: Clone, pairs: Sequence[Pair], now: datetime) -> Iterator[Shipment]:
    """One for each pair the clone knows all of: those it lacks a commit of, or the history between them, have none."""
    known = _commits_of(clone, {commit for _, *both in pairs for commit in both})
    for subject, previous, commit in pairs:
        if {previous, commit} <= known:
            found = _between(clone, subject, previous, commit, now)
            if found is not None:
                yield found


def _commits_of(clone: Clone, ids: set[str]) -> set[str]:
    """Those of the ids that the clone has a commit of."""
    asked = sorted(one for one in ids if _WHOLE_ID.fullmatch(one))
    if not asked:
        return set()
    told = (line.split() for line in clone.git.text("cat-file", "--batch-check", given="\n".join(asked)).splitlines())
    return {words[0] for words in told if words[1] == "commit"}


def _between(clone: Clone, subject: str, previous: str, commit: str, now: datetime) -> Shipment | None:
    told = clone.git.lines("rev-list", "--left-right", f"{previous}...{commit}", "--")
    if any(line[1:] in clone.cut_off for line in told):
        return None
    ahead = tuple(line[1:] for line in told if line.startswith(">"))
    return Shipment(
        key=key_between(previous, commit),
        subject=subject,
        previous=previous,
        commit=commit,
        found_at=now,
        commits=ahead,
        method="clone",
        relation=relation(ahead=len(ahead), behind=len(told) - len(ahead)),
    )


def relation(*, ahead: int, behind: int) -> Relation:
    """How a commit lies to another that it has `ahead` commits more than, and `behind` fewer."""
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"
