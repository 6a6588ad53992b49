"""Which deployments a later revert took back, and how a revert names what it takes back."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from .facts import name_within
from .shipping import Shipping
from .table import MICROSECOND

if TYPE_CHECKING:
    import pandas as pd

REVERT_WITHIN = timedelta(days=7)

_SHORT = re.compile(r"[0-9a-f]{7,63}")
"""A commit as people and tools abbreviate it; a whole one has 40 digits, or 64."""


def reverted(found: Shipping, deployments: pd.DataFrame) -> dict[int, int]:
    """Rows whose change was taken back by one shipped within seven days, each with the row that did so first.

    Here the first known deployment of a service ships too: that it may also have shipped what was
    merged long before says nothing against a revert so soon after it.
    """
    at = deployments["at"].to_numpy().astype("int64").tolist()
    commits = _Commits(zip(found.changes["service"], found.changes["commit"], strict=True))
    shipped_by: dict[tuple[str, str], int] = {}
    back: dict[int, int] = {}
    columns = (found.changes[name].tolist() for name in ("service", "subject", "key", "commit", "reverts"))
    for service, subject, key, commit, reverts, shipped in zip(*columns, found.by_change, strict=True):
        if shipped is None:
            continue
        shipped_by[service, commit] = shipped_by[service, f"#{name_within(subject, key)}"] = shipped.row
        origin = shipped_by.get((service, _meant(reverts, service, subject, commits))) if reverts else None
        if origin is None or origin >= shipped.row or at[shipped.row] - at[origin] > REVERT_WITHIN // MICROSECOND:
            continue
        back[origin] = min(back.get(origin, shipped.row), shipped.row)
    return back


def _meant(reverts: str, service: str, subject: str, commits: _Commits) -> str:
    """The whole name of what is taken back: `#` and the change's, or a commit."""
    if reverts.startswith("#"):
        return f"#{name_within(subject, reverts[1:])}"
    return commits.whole(service, reverts)


class _Commits:
    """The commits of each service's changes, found by the digits that they begin with."""

    def __init__(self, known: Iterable[tuple[str, str]]) -> None:
        self._sorted = sorted(set(known))

    def whole(self, service: str, said: str) -> str:
        """The only commit that begins so; what was said, where there is none or it may be any of several."""
        if not _SHORT.fullmatch(said):
            return said
        place = bisect_left(self._sorted, (service, said))
        found = [c for s, c in self._sorted[place : place + 2] if s == service and c.startswith(said)]
        return found[0] if len(found) == 1 or said in found else said
