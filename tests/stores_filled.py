"""Stores with rows in every table, whatever tables there are: drawn by hypothesis, or many at once."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from keyresults.metrics.stream import Batch
from keyresults.storage.columns import PackedText
from keyresults.storage.copying import TABLES, as_stored
from keyresults.storage.fact_tables import FACT_TABLES
from keyresults.storage.packing import packed
from keyresults.storage.store import Store
from sqlalchemy import BigInteger, Boolean, Double, Integer, String, select
from storage_samples import ONE_OF_EACH, START, covered, deployment, hours, stream

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def _values(column):
    if column.name == "kind":
        made = st.sampled_from(sorted(FACT_TABLES))
    elif isinstance(column.type, Boolean):
        made = st.booleans()
    elif isinstance(column.type, BigInteger):
        made = st.integers(-(2**63), 2**63 - 1)
    elif isinstance(column.type, Integer):
        made = st.integers(1, 2**31 - 1)
    elif isinstance(column.type, Double):
        made = st.floats(allow_nan=False, allow_infinity=False) | st.just(-0.0)
    elif isinstance(column.type, PackedText):
        made = TEXTS.map(packed)
    else:
        assert isinstance(column.type, String), column
        made = TEXTS
    return st.none() | made if column.nullable else made


@st.composite
def everything(draw):
    """Rows for each table, as many as fit: keys are single, and what rows refer to is there."""
    made = {}
    for table in TABLES:
        kept = {}
        seen = [set() for _ in _unique(table)]
        for _ in range(draw(st.integers(0, 3))):
            row = tuple(draw(_referring(column, made)) for column in table.columns)
            named = dict(zip(table.columns.keys(), row, strict=True))
            keys = [tuple(named[name] for name in names) for names in _unique(table)]
            if not any(key in there for key, there in zip(keys, seen, strict=True)) and _refers(table, row):
                for key, there in zip(keys, seen, strict=True):
                    there.add(key)
                kept[keys[0]] = row
        made[table.name] = list(kept.values())
    return made


def _unique(table):
    names = [[column.name for column in table.primary_key.columns]]
    names += [[c.name for c in one.columns] for one in table.constraints if type(one).__name__ == "UniqueConstraint"]
    return names + [[c.name for c in index.columns] for index in table.indexes if index.unique]


def _referring(column, made):
    for key in column.foreign_keys:
        other = key.column
        place = list(other.table.columns).index(other)
        there = [row[place] for row in made[other.table.name]]
        return st.sampled_from(there) if there else st.none()
    return _values(column)


def _refers(table, row):
    return not any(value is None and not column.nullable for column, value in zip(table.columns, row, strict=True))


def put(store, rows_by_table):
    with store._writing() as conn:
        for table in TABLES:
            store._db.add_rows(conn, table, rows_by_table[table.name])
            if "id" in table.columns:
                store._db.renumber(conn, table)


def rows_of(url):
    """Every row of every table."""
    with Store.open(url, read_only=True) as store, store._reading() as conn:
        return {
            table.name: [
                tuple(row)
                for row in conn.execute(select(*map(as_stored, table.columns)).order_by(*table.primary_key.columns))
            ]
            for table in TABLES
        }


def fill(url, facts=300):
    """A sound store with facts of each kind, in batches, and records of their collections."""
    with Store.open(url) as store:
        for fact in ONE_OF_EACH:
            kind = type(fact).__name__.lower() + "s"
            store.write(stream(kind, "others"), Batch(facts=(fact,)), START)
        for first in range(0, facts, 5000):
            many = tuple(deployment(n) for n in range(first, min(facts, first + 5000)))
            run = store.start_run("github", stream(), hours(first))
            store.write(stream(), Batch(facts=many, covered=covered((first, first + 5000))), START)
            store.finish_run(run, hours(first) + timedelta(minutes=1), "ok", None, 1, len(many), 0, 0)
        store.memo("github")["größe"] = "漢字 🎉"
        assert store.check() == []
