"""What people said of key results, as it is read: by the ids of today, also where a rename is not yet stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from ..krs.checkin import CheckIn
from ..krs.model import Objective
from ..krs.names import key_results_of
from ..storage.store import Store

Said = Mapping[str, tuple[CheckIn, ...]]
"""By the key result's id, oldest first."""


def check_ins_of(store: Store, cycle: str, objectives: Iterable[Objective], until: datetime) -> Said:
    """What was said by then of each of the cycle's key results; those nobody spoke of are left out."""
    stored = store.check_ins(cycle, until)
    found = {}
    for kr in key_results_of(cycle, objectives).values():
        before = () if kr.was is None else stored.get(kr.was, ())
        said = sorted((*before, *stored.get(kr.id, ())), key=lambda one: one.at)
        if said:
            found[kr.id] = tuple(said)
    return found
