"""One table per kind of fact. A row belongs to a stream and lies in the order of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table

from ..metrics.facts import FactKind
from .columns import FLAG, INSTANT, NUMBER, OBJECT, PARTS, STATUSES, TEXT, TEXTS, WHOLE, maybe, needed
from .tables import metadata


def _facts(kind: FactKind, *columns: Column[Any]) -> Table:
    return Table(
        kind,
        metadata,
        Column("stream", Integer, ForeignKey("streams.id"), nullable=False),
        needed("at", INSTANT),
        needed("key", TEXT),
        needed("subject", TEXT),
        *columns,
        # Clustered by time, because readers want a stream's facts in order; found by key when written.
        PrimaryKeyConstraint("stream", "at", "key"),
        Index(None, "stream", "key", unique=True),
        sqlite_with_rowid=False,
    )


FACT_TABLES: Mapping[FactKind, Table] = {
    "deployments": _facts(
        "deployments",
        needed("environment", TEXT),
        needed("commit", TEXT),
        needed("task", TEXT),
        maybe("ref", TEXT),
        maybe("run", TEXT),
        needed("origin", TEXT),
        needed("marked_rollback", FLAG),
        needed("statuses", STATUSES),
        needed("payload", OBJECT),
        maybe("url", TEXT),
        maybe("workflow", TEXT),
        maybe("started_at", INSTANT),
        maybe("succeeded_at", INSTANT),
        maybe("finished_at", INSTANT),
        maybe("outcome", TEXT),
        needed("waited_seconds", NUMBER),
    ),
    "runs": _facts(
        "runs",
        needed("workflow", TEXT),
        needed("run", TEXT),
        needed("attempt", WHOLE),
        needed("branch", TEXT),
        needed("commit", TEXT),
        maybe("started_at", INSTANT),
        maybe("completed_at", INSTANT),
        maybe("conclusion", TEXT),
        maybe("event", TEXT),
        needed("end_estimated", FLAG),
        maybe("url", TEXT),
    ),
    "changes": _facts(
        "changes",
        needed("commit", TEXT),
        maybe("opened_at", INSTANT),
        maybe("first_commit_at", INSTANT),
        maybe("first_review_at", INSTANT),
        needed("title", TEXT),
        needed("base", TEXT),
        needed("head", TEXT),
        needed("labels", TEXTS),
        needed("author_kind", TEXT),
        maybe("reverts", TEXT),
        maybe("url", TEXT),
        maybe("paths", TEXTS),
    ),
    "incidents": _facts(
        "incidents",
        maybe("closed_at", INSTANT),
        needed("title", TEXT),
        needed("labels", TEXTS),
        maybe("environment", TEXT),
        maybe("commit", TEXT),
        maybe("deployment", TEXT),
        maybe("url", TEXT),
    ),
    "shipments": _facts(
        "shipments",
        needed("commit", TEXT),
        needed("previous", TEXT),
        needed("commits", TEXTS),
        needed("method", TEXT),
        maybe("relation", TEXT),
    ),
    "samples": _facts(
        "samples",
        maybe("until", INSTANT),
        maybe("value", NUMBER),
        maybe("n", NUMBER),
        needed("parts", PARTS),
        needed("final", FLAG),
        maybe("commit", TEXT),
        maybe("note", TEXT),
        maybe("by", TEXT),
        maybe("url", TEXT),
    ),
}

OWN_INSTANT: Mapping[FactKind, str] = {
    "deployments": "created_at",
    "runs": "created_at",
    "changes": "merged_at",
    "incidents": "opened_at",
    "shipments": "found_at",
    "samples": "at",
}
"""The field of each kind that is its `at`: stored once, in the column `at`."""
