"""The columns these tests make of facts are those a store gives back."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import histories
import pytest
from columns import columns
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.facts import Fact
from keyresults.metrics.table import TIMES, USED
from keyresults.storage.fact_rows import rows_of

BEGIN = datetime(2026, 9, 20, tzinfo=UTC)


def made(kind: str) -> list[Fact]:
    rng = random.Random(kind)
    return {
        "deployments": lambda: histories.deployments(rng, BEGIN, 60, ("acme/pay",)),
        "runs": lambda: histories.runs(rng, BEGIN, 40),
        "samples": lambda: histories.day_samples(rng, BEGIN, 20, Calendar()),
    }[kind]()


@pytest.mark.parametrize("kind", ["deployments", "runs", "samples"])
def test_columns_are_those_of_a_store(kind) -> None:
    facts = made(kind)
    ours = columns(kind, facts)
    stored = rows_of(kind)
    rows = stored.rows(1, stored.columns(facts))
    for place, fact in enumerate(facts):
        row = dict(zip(stored.names, rows[fact.key], strict=True))
        for name in (*TIMES[kind], *USED[kind]):
            # A fact's own instant has one column in a store, whatever its field is called.
            if name in row:
                assert said(ours[name][place]) == said(row[name]), (name, fact)


def said(value):
    return json.loads(value) if isinstance(value, str) and value.startswith(("{", "[")) else value
