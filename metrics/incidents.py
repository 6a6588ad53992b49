"""What incidents say: each counts once, when it was opened, however it ended."""

from __future__ import annotations

from datetime import datetime

from .definition import MetricDefinition
from .ledger import Ledger, each
from .table import FactTables, microseconds

INCIDENT = "incident"


def count_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Every incident opened by `as_of` counts."""
    import numpy as np

    incidents = tables.frame("incidents")
    rows = incidents[incidents["opened_at"].to_numpy() <= np.datetime64(microseconds(as_of), "us")].copy()
    rows["at"] = rows["opened_at"]
    rows["counted"] = True
    rows["role"] = INCIDENT
    rows = rows.sort_values(["at", "key"], kind="stable", ignore_index=True)
    row_of = each(rows)
    return Ledger(rows=rows, why=lambda row: row_of(row)["title"] or "an incident")
