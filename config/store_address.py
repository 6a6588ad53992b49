"""Where the store is: the address as written, made absolute."""

from __future__ import annotations

from pathlib import Path

DEFAULT = "sqlite:///.keyresults/store.db"
_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")


def store_url(written: str, base: Path) -> str:
    """The address for SQLAlchemy; a relative SQLite path starts at `base`.

    Raises:
        ValueError: for other kinds of store, without repeating what was written.
    """
    if written.startswith(_SQLITE):
        path = written.removeprefix(_SQLITE)
        if path in ("", ":memory:"):
            raise ValueError(f'a store in memory forgets everything: write "{DEFAULT}"')
        return _SQLITE + str((base / Path(path).expanduser()).resolve())
    for prefix in _POSTGRES:
        if written.startswith(prefix):
            return "postgresql+psycopg://" + written.removeprefix(prefix)
    raise ValueError(f'is no address of a store: write "{DEFAULT}"')
