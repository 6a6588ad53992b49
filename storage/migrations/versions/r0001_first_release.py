"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "baselines",
        sa.Column("cycle", sa.Text(), nullable=False),
        sa.Column("kr", sa.Text(), nullable=False),
        sa.Column("metric_digest", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("measured", sa.Boolean(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("pace_start", sa.BigInteger(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cycle", "kr", "metric_digest", name="pk_baselines"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "definitions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Text(), nullable=False),
        sa.Column("kr", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_definitions"),
    )
    op.create_index("ix_definitions_cycle_kr_id", "definitions", ["cycle", "kr", "id"])
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("cycle", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("config_digest", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluations"),
    )
    op.create_index("ix_evaluations_cycle_id", "evaluations", ["cycle", "id"])
    op.create_index("ix_evaluations_day", "evaluations", ["day"])
    op.create_table(
        "leases",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name="pk_leases"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "memos",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name="pk_memos"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "series",
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("across_time", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("metric", name="pk_series"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "streams",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("horizon", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("facts", sa.Integer(), nullable=False),
        sa.Column("newest_fact", sa.BigInteger(), nullable=True),
        sa.Column("open_keys", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_streams"),
        sa.UniqueConstraint("name", name="uq_streams_name"),
    )
    op.create_table(
        "series_streams",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_series_streams_stream"),
        sa.ForeignKeyConstraint(["metric"], ["series.metric"], name="fk_series_streams_metric"),
        sa.PrimaryKeyConstraint("stream", "metric", name="pk_series_streams"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "changes",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("first_commit_at", sa.BigInteger(), nullable=True),
        sa.Column("first_review_at", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("reverts", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_changes_stream"),
        sa.PrimaryKeyConstraint("stream", "at", "key", name="pk_changes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_changes_stream_key", "changes", ["stream", "key"], unique=True)
    op.create_table(
        "collections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_collections_stream"),
        sa.PrimaryKeyConstraint("id", name="pk_collections"),
    )
    op.create_index("ix_collections_stream_id", "collections", ["stream", "id"])
    op.create_index("ix_collections_stream_outcome_finished_at", "collections", ["stream", "outcome", "finished_at"])
    op.create_table(
        "coverage",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_coverage_stream"),
        sa.PrimaryKeyConstraint("stream", "start", name="pk_coverage"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deployments",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("marked_rollback", sa.Boolean(), nullable=False),
        sa.Column("statuses", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("waited_seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_deployments_stream"),
        sa.PrimaryKeyConstraint("stream", "at", "key", name="pk_deployments"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deployments_stream_key", "deployments", ["stream", "key"], unique=True)
    op.create_table(
        "incidents",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("commit", sa.Text(), nullable=True),
        sa.Column("deployment", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_incidents_stream"),
        sa.PrimaryKeyConstraint("stream", "at", "key", name="pk_incidents"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_incidents_stream_key", "incidents", ["stream", "key"], unique=True)
    op.create_table(
        "readings",
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("n", sa.Double(), nullable=False),
        sa.Column("numerator", sa.Double(), nullable=True),
        sa.Column("denominator", sa.Double(), nullable=True),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("covered", sa.Double(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["metric"], ["series.metric"], name="fk_readings_metric"),
        sa.PrimaryKeyConstraint("metric", "at", name="pk_readings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("conclusion", sa.Text(), nullable=True),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("end_estimated", sa.Boolean(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_runs_stream"),
        sa.PrimaryKeyConstraint("stream", "at", "key", name="pk_runs"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_runs_stream_key", "runs", ["stream", "key"], unique=True)
    op.create_table(
        "samples",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("n", sa.Double(), nullable=True),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_samples_stream"),
        sa.PrimaryKeyConstraint("stream", "at", "key", name="pk_samples"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_samples_stream_key", "samples", ["stream", "key"], unique=True)
    op.create_table(
        "shipments",
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("commits", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name="fk_shipments_stream"),
        sa.PrimaryKeyConstraint("stream", "at", "key", name="pk_shipments"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_shipments_stream_key", "shipments", ["stream", "key"], unique=True)
