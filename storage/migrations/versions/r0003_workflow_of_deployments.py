"""Deployments that were read from a workflow's runs before 0002 learn which workflow made them."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STREAMS = sa.table("streams", sa.column("id"), sa.column("kind"), sa.column("query"), sa.column("revision"))
_DEPLOYMENTS = sa.table("deployments", sa.column("stream"), sa.column("workflow"))


def upgrade() -> None:
    """A first attempt is never handed over again, so that no later collection would fill this in."""
    conn = op.get_bind()
    asked = sa.select(_STREAMS.c.id, _STREAMS.c.query).where(_STREAMS.c.kind == "deployments")
    for stream, query in conn.execute(asked).all():
        if workflow := _workflow(query):
            unknown = (_DEPLOYMENTS.c.stream == stream) & _DEPLOYMENTS.c.workflow.is_(None)
            conn.execute(sa.update(_DEPLOYMENTS).where(unknown).values(workflow=workflow))
            # Kept readings were computed without it.
            counted = _STREAMS.c.revision + 1
            conn.execute(sa.update(_STREAMS).where(_STREAMS.c.id == stream).values(revision=counted))


def _workflow(query: str) -> str | None:
    source = json.loads(query).get("deployments")
    said = source.get("workflow") if isinstance(source, dict) else None
    return str(said).rpartition("/")[2] if said else None
