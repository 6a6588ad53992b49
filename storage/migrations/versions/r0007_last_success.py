"""When each job last went well is kept beside how its newest run ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table is rebuilt, so that its columns stand as in a new store."""
    with op.batch_alter_table("jobs", recreate="always", table_kwargs={"sqlite_with_rowid": False}) as table:
        table.add_column(sa.Column("succeeded_at", sa.BigInteger()), insert_after="finished_at")
    op.execute("UPDATE jobs SET succeeded_at = finished_at WHERE outcome = 'ok'")
