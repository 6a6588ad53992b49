"""What is kept besides facts: streams and how far they reach, collections, readings, what was said."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from .columns import PLAIN, PackedText

# Every constraint has a name, so that a later migration can speak of it.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Alembic's own table. Here too, so that making a new store needs no Alembic.
version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

streams = Table(
    "streams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", PLAIN, nullable=False, unique=True),
    Column("source", PLAIN, nullable=False),
    Column("kind", PLAIN, nullable=False),
    Column("subject", PLAIN, nullable=False),
    Column("query", PLAIN, nullable=False),
    Column("cursor", PLAIN),
    Column("horizon", BigInteger),
    Column("revision", Integer, nullable=False),
    Column("changed_at", BigInteger),
    Column("facts", Integer, nullable=False),
    Column("newest_fact", BigInteger),
    Column("open_keys", PLAIN, nullable=False),
    Column("problems", PLAIN, nullable=False),
)

coverage = Table(
    "coverage",
    metadata,
    Column("stream", Integer, ForeignKey("streams.id"), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    PrimaryKeyConstraint("stream", "start"),
    sqlite_with_rowid=False,
)

collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", PLAIN, nullable=False),
    Column("stream", Integer, ForeignKey("streams.id")),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("outcome", PLAIN),
    Column("error", PLAIN),
    Column("requests", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("retry_at", BigInteger),
    Index(None, "stream", "id"),
    Index(None, "stream", "outcome", "finished_at"),
)

leases = Table(
    "leases",
    metadata,
    Column("stream", PLAIN, primary_key=True),
    Column("holder", PLAIN, nullable=False),
    Column("until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

budgets = Table(
    "budgets",
    metadata,
    # A digest of the credential; nothing can be learned from it.
    Column("credential", PLAIN, nullable=False),
    Column("resource", PLAIN, nullable=False),
    Column("limit", BigInteger),
    Column("remaining", BigInteger),
    Column("reset", BigInteger),
    Column("next_at", BigInteger),
    PrimaryKeyConstraint("credential", "resource"),
    sqlite_with_rowid=False,
)

memos = Table(
    "memos",
    metadata,
    Column("source", PLAIN, nullable=False),
    Column("key", PLAIN, nullable=False),
    Column("value", PLAIN, nullable=False),
    PrimaryKeyConstraint("source", "key"),
    sqlite_with_rowid=False,
)

series = Table(
    "series",
    metadata,
    Column("metric", PLAIN, primary_key=True),
    Column("digest", PLAIN, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("across_time", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

series_streams = Table(
    "series_streams",
    metadata,
    Column("stream", Integer, ForeignKey("streams.id"), nullable=False),
    Column("metric", PLAIN, ForeignKey("series.metric"), nullable=False),
    PrimaryKeyConstraint("stream", "metric"),
    sqlite_with_rowid=False,
)

readings = Table(
    "readings",
    metadata,
    Column("metric", PLAIN, ForeignKey("series.metric"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("day", PLAIN, nullable=False),
    Column("value", Double),
    Column("unit", PLAIN, nullable=False),
    Column("low", Double),
    Column("high", Double),
    Column("n", Double, nullable=False),
    Column("numerator", Double),
    Column("denominator", Double),
    Column("health", PLAIN, nullable=False),
    Column("covered", Double, nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("window_end", BigInteger, nullable=False),
    Column("notes", PLAIN, nullable=False),
    PrimaryKeyConstraint("metric", "at"),
    sqlite_with_rowid=False,
)

baselines = Table(
    "baselines",
    metadata,
    Column("cycle", PLAIN, nullable=False),
    Column("kr", PLAIN, nullable=False),
    Column("metric_digest", PLAIN, nullable=False),
    Column("value", Double, nullable=False),
    Column("at", BigInteger),
    Column("measured", Boolean, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("pace_start", BigInteger, nullable=False),
    Column("reading", PLAIN),
    Column("evidence", PLAIN, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("cycle", "kr", "metric_digest"),
    sqlite_with_rowid=False,
)

definitions = Table(
    "definitions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cycle", PLAIN, nullable=False),
    Column("kr", PLAIN, nullable=False),
    Column("snapshot", PLAIN, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Index(None, "cycle", "kr", "id"),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),
    Column("cycle", PLAIN, nullable=False),
    Column("day", PLAIN, nullable=False, index=True),
    Column("config_digest", PLAIN, nullable=False),
    Column("ground", PLAIN, nullable=False),
    Column("content", PackedText, nullable=False),
    Index(None, "cycle", "id"),
)

check_ins = Table(
    "check_ins",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cycle", PLAIN, nullable=False),
    Column("kr", PLAIN, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", PLAIN, nullable=False),
    Column("confidence", Integer),
    Column("note", PLAIN, nullable=False),
    Index(None, "cycle", "kr", "at"),
)

# Appended to only: closing, grading by hand and reopening are rows, the newest of which holds.
closings = Table(
    "closings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cycle", PLAIN, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", PLAIN, nullable=False),
    Column("action", PLAIN, nullable=False),
    Column("content", PLAIN, nullable=False),
    Index(None, "cycle", "id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("name", PLAIN, nullable=False),
    Column("due", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("succeeded_at", BigInteger),
    Column("outcome", PLAIN),
    Column("error", PLAIN),
    Column("failures", Integer, nullable=False),
    Column("next_due", BigInteger),
    PrimaryKeyConstraint("name"),
    sqlite_with_rowid=False,
)

told = Table(
    "told",
    metadata,
    Column("topic", PLAIN, nullable=False),
    Column("said", PLAIN, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("topic"),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    # Stable over attempts and restarts, so that a receiver can tell a repetition.
    Column("key", PLAIN, nullable=False),
    Column("channel", PLAIN, nullable=False),
    Column("occasion", PLAIN, nullable=False),
    Column("title", PLAIN, nullable=False),
    Column("body", PLAIN, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", PLAIN),
    Column("ended_at", BigInteger),
    Column("outcome", PLAIN),
    UniqueConstraint("key", "channel"),
    Index(None, "ended_at", "due"),
)
