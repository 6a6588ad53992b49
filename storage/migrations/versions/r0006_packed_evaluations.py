"""What was said is kept compressed: it is most of what a store grows by, and repeats itself."""

from __future__ import annotations

import zlib

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

AT_A_TIME = 50
"""Evaluations held in memory."""

_EVALUATIONS = sa.table(
    "evaluations", sa.column("id", sa.Integer), sa.column("content", sa.Text), sa.column("packed", sa.LargeBinary)
)


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("packed", sa.LargeBinary()))
    _pack(op.get_bind())
    with op.batch_alter_table("evaluations") as table:
        table.drop_column("content")
    with op.batch_alter_table("evaluations") as table:
        table.alter_column("packed", new_column_name="content", existing_type=sa.LargeBinary(), nullable=False)


def _pack(conn: sa.Connection) -> None:
    some = sa.select(_EVALUATIONS.c.id, _EVALUATIONS.c.content).order_by(_EVALUATIONS.c.id).limit(AT_A_TIME)
    packed = sa.update(_EVALUATIONS).where(_EVALUATIONS.c.id == sa.bindparam("number")).values(packed=sa.bindparam("p"))
    last = 0
    while rows := conn.execute(some.where(_EVALUATIONS.c.id > last)).all():
        conn.execute(packed, [{"number": row.id, "p": zlib.compress(row.content.encode())} for row in rows])
        last = rows[-1].id
