"""What samples say: measured values, counts of covered code and of tests, histograms."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .definition import MetricDefinition
from .ledger import Ledger, each
from .span import length_in_words
from .table import FactTables, microseconds

if TYPE_CHECKING:
    import pandas as pd

Words = Callable[[Mapping[str, Any]], str]
"""What a counted row says, by its columns."""

SAMPLE = "sample"
EMPTY = "no value"


def value_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Samples with a value count; their value is in the metric's base unit."""
    scale = definition.unit.scale
    words = length_in_words if definition.unit.dimension == "duration" else "{:.6g}".format
    return _ledger(tables, as_of, lambda value, parts: None if value is None else value * scale, _measured(words))


def coverage_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Samples that say how much of how much code was covered count, as (covered, coverable); or only as a share."""
    return _counts_ledger(tables, as_of, lambda parts: (parts.get("covered"), parts.get("coverable")), shares=True)


def pass_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Samples of test runs count, as (passed, passed + failed + errors)."""
    return _counts_ledger(tables, as_of, lambda parts: (parts.get("passed"), _ran(parts)))


def ran_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Samples of test runs count; their value is how many tests ran."""
    return _ledger(tables, as_of, lambda value, parts: _ran(parts), _measured("{:.6g}".format))


def histogram_ledger(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> Ledger:
    """Days with buckets count, by their `parts`: the increases by upper bound. The value is how many observations."""
    return _ledger(
        tables, as_of, lambda value, parts: parts.get("+Inf") if parts else None, _said("{:,.0f} observations")
    )


def _ran(parts: Mapping[str, float]) -> float | None:
    if not {"passed", "failed", "errors"} & parts.keys():
        return None
    return sum(parts.get(name, 0.0) for name in ("passed", "failed", "errors"))


def _ledger(
    tables: FactTables,
    as_of: datetime,
    read: Callable[[float | None, Mapping[str, float]], float | None],
    words: Words,
) -> Ledger:
    rows = _known_by(tables, as_of)
    values = [read(v, p) for v, p in zip(rows["value"], rows["parts"], strict=True)]
    rows["value"] = [math.nan if v is None else v for v in values]
    return _finished(rows, words)


def _counts_ledger(
    tables: FactTables,
    as_of: datetime,
    read: Callable[[Mapping[str, float]], tuple[float | None, float | None]],
    *,
    shares: bool = False,
) -> Ledger:
    """`shares` lets a value from 0 to 1 stand for counts that the source didn't tell."""
    rows = _known_by(tables, as_of)
    stated = [_share(v) if shares and not p else math.nan for v, p in zip(rows["value"], rows["parts"], strict=True)]
    counts = [read(p) for p in rows["parts"]]
    known = [(n, d) if n is not None and d else (math.nan, math.nan) for n, d in counts]
    rows["numerator"] = [n for n, _ in known]
    rows["denominator"] = [d for _, d in known]
    rows["value"] = [share if math.isnan(d) else n / d for (n, d), share in zip(known, stated, strict=True)]
    return _finished(rows, _said("{numerator:,.0f} of {denominator:,.0f}"))


def _share(value: float | None) -> float:
    return value if value is not None and 0 <= value <= 1 else math.nan


def _known_by(tables: FactTables, as_of: datetime) -> pd.DataFrame:
    """Samples whose time was over by `as_of`, with their parts read."""
    import numpy as np

    rows = tables.frame("samples")
    limit = np.datetime64(microseconds(as_of), "us")
    ends = rows["until"].fillna(rows["at"]).to_numpy()
    rows = rows[ends <= limit].sort_values(["at", "key"], kind="stable", ignore_index=True)
    return rows.assign(parts=rows["parts"].map(_read_parts))


def _read_parts(text: object) -> Mapping[str, float]:
    if not text or text == "{}":  # most samples have none
        return {}
    parsed: Any = json.loads(text) if isinstance(text, str) else text
    return {str(k): float(v) for k, v in parsed.items()}


def _measured(words: Callable[[float], str]) -> Words:
    return lambda row: f"measured {words(row['value'])}"


def _said(form: str) -> Words:
    """By the row's value, or by its own columns."""
    return lambda row: form.format(row["value"], **row)


def _finished(rows: pd.DataFrame, words: Words) -> Ledger:
    """`words` says a counted row in words."""
    rows["value"] = rows["value"].astype(float)
    rows["counted"] = rows["value"].notna()
    rows["role"] = [SAMPLE if counted else EMPTY for counted in rows["counted"]]

    row_of = each(rows)

    def why(row: int) -> str:
        one = row_of(row)
        if not one["counted"]:
            return "says nothing of this"
        if "denominator" in one and math.isnan(one["denominator"]):
            return f"{one['value'] * 100:.6g}%, without its counts"
        return words(one)

    return Ledger(rows=rows, why=why, refusal=None if len(rows) else "nothing was measured yet")
