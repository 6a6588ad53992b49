"""How a sampled metric says what becomes of a window's samples."""

from __future__ import annotations

import re
from typing import get_args

from ..metrics.definition import Aggregate, AggregateName
from ..metrics.quantity import Quantity
from ..metrics.unit import Unit
from .amounts import into
from .findings import Findings
from .places import Key
from .problem import choices
from .schema_metrics import MetricTable

_QUANTILE = re.compile(r"^p(\d{1,2}(?:\.\d+)?)$")
_NAMED = tuple(name for name in get_args(AggregateName) if name not in ("quantile", "share_within"))


def parse_aggregate(options: MetricTable, unit: Unit, key: Key, findings: Findings) -> Aggregate:
    """`"median"`, `"p90"` or `{ share_within = { at_most = "450ms" } }`; limits into the base of `unit`."""
    written, place = options.aggregate, (*key, "aggregate")
    if isinstance(written, str):
        quantile = _QUANTILE.match(written)
        if quantile and float(quantile[1]) > 0:
            return Aggregate("quantile", quantile=float(quantile[1]) / 100)
        for name in _NAMED:
            if written == name:
                return Aggregate(name)
        known = choices(written, (*_NAMED, "p90", "{ share_within = … }"))
        findings.add(place, f"there is no such aggregate{known}")
        return Aggregate("last")
    within, place = written.share_within, (*place, "share_within")

    def limit(amount: Quantity | None, name: str) -> float | None:
        return None if amount is None else into(amount, unit, (*place, name), findings)

    return Aggregate(
        "share_within", at_most=limit(within.at_most, "at_most"), at_least=limit(within.at_least, "at_least")
    )
