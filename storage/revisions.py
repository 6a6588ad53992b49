"""The versions of the tables, known without reading the migrations."""

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every revision in `migrations/versions`, oldest first: known here so that opening a store needs no Alembic."""
