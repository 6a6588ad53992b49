"""The newest evaluation of a store in a file, read with the standard library alone.

Importing SQLAlchemy takes longer than all else that `status` does; this one row needs none of it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import quote

from .errors import StoreBroken
from .packing import unpacked
from .revisions import REVISIONS

_PREFIX = "sqlite:///"

_NEWEST = """
SELECT config_digest, content,
  EXISTS (SELECT 1 FROM check_ins AS c WHERE c.cycle = e.cycle AND c.at > e.confirmed_at)
FROM evaluations AS e WHERE cycle = ? ORDER BY id DESC LIMIT 1
"""


def planned_jobs(url: str) -> dict[str, int]:
    """When the daemon's jobs are due next (microseconds since 1970 UTC), by name; nothing where it can't be read so."""
    if not url.startswith(_PREFIX):
        return {}
    planned = "SELECT name, next_due FROM jobs WHERE next_due IS NOT NULL ORDER BY next_due, name"
    try:
        with closing(_connected(url)) as connection:
            return dict(connection.execute(planned))
    except sqlite3.Error:
        return {}


def _connected(url: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(url.removeprefix(_PREFIX))}?mode=ro", uri=True)


def last_said(url: str, cycle: str, config_digest: str) -> str | None:
    """What was last said of the cycle under this config, as JSON text.

    None where nothing was, where somebody checked in since, where it is damaged, and where the store is none that can
    be read so: then `Store` has the answer, or the words for what is wrong.
    """
    if not url.startswith(_PREFIX):
        return None
    try:
        with closing(_connected(url)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if found != (REVISIONS[-1],):
                return None
            said = connection.execute(_NEWEST, (cycle,)).fetchone()
        return unpacked(said[1]) if said is not None and said[0] == config_digest and not said[2] else None
    except (sqlite3.Error, StoreBroken):
        return None
