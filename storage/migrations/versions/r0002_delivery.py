"""What deployments ship: files of changes, workflows of deployments, how two commits lie; budgets of requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add("deployments", "workflow", after="url")
    _add("changes", "paths", after="url")
    _add("shipments", "relation", after="method")
    op.create_table(
        "budgets",
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=True),
        sa.Column("remaining", sa.BigInteger(), nullable=True),
        sa.Column("reset", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("credential", "resource", name="pk_budgets"),
        sqlite_with_rowid=False,
    )


def _add(table: str, column: str, *, after: str) -> None:
    """A text column that may be empty. The table is rebuilt, so that its columns stand as in a new store."""
    with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_with_rowid": False}) as batch:
        batch.add_column(sa.Column(column, sa.Text(), nullable=True), insert_after=after)
