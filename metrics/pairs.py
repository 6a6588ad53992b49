"""Which pairs of commits a metric has to know the relation of, or what lies between them, and how it is known."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from .definition import MetricDefinition
from .roles import FORWARD
from .shipping import MERGE_TIME, Pair, known_between
from .table import FactTables
from .tracks import TrackRules, ordered, relations_wanted
from .traits import asks_for_ancestors, asks_what_shipped


def pairs_wanted(definition: MetricDefinition, tables: FactTables, as_of: datetime) -> list[Pair]:
    """The neighbours in time of each track that the metric asks for, newest first.

    Those whose commits are stored already are among them; those whose relation the rule `ancestor`
    knows are not. Once these are known it may ask for others: how far back a rollback went.
    """
    rules = TrackRules.of(definition)
    found: list[Pair] = []
    if asks_what_shipped(definition):
        found += _neighbours(tables, rules, as_of)
    if asks_for_ancestors(definition):
        found += relations_wanted(tables, rules, as_of)
    return list(dict.fromkeys(reversed(found)))


def brought_notes(tables: FactTables, rules: TrackRules, as_of: datetime) -> tuple[str, ...]:
    """By which method it is known what each version that went forward brought beside the one before it."""
    known = known_between(tables)
    counts = Counter(known[pair][0] if pair in known else MERGE_TIME for pair in _neighbours(tables, rules, as_of))
    told = ", ".join(f"of {counts[method]} by {method}" for method in sorted(counts))
    return (f"what deployments brought is told {told}",) if told else ()


def _neighbours(tables: FactTables, rules: TrackRules, as_of: datetime) -> list[Pair]:
    """Each version that went forward with the one that ran before it: others ship nothing first."""
    deployments = ordered(tables, rules, as_of)
    columns = (deployments[name].tolist() for name in ("subject", "previous", "commit", "role"))
    return [
        (subject, previous, commit)
        for subject, previous, commit, role in zip(*columns, strict=True)
        if role == FORWARD and previous is not None
    ]
