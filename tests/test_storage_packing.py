"""What was said is kept compressed, also what an earlier build kept as it was; the other rows of its store stay."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from keyresults.storage import dialects, schema
from keyresults.storage.copying import copy
from keyresults.storage.store import Store
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def content(number):
    days = [{"day": f"2026-10-{day:02}", "value": day / 7, "health": "ok"} for day in range(1, 31)]
    return json.dumps({"number": number, "said": "läuft ✓", "days": days}, ensure_ascii=False)


def say(store, number):
    return store.put_evaluation(
        at=AT + timedelta(hours=number),
        cycle="2026-Q4",
        day=date(2026, 10, 1),
        config_digest="c",
        content=content(number),
        ground=str(number),
    )


@pytest.fixture
def older(store_url):
    """A store as the build before made it, with more evaluations than are packed at a time."""
    db = dialects.database(store_url, password=None, read_only=False)
    db.make_place()
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    engine = db.engine()
    insert = text(
        "INSERT INTO evaluations (at, confirmed_at, cycle, day, config_digest, ground, content) "
        "VALUES (:n, :n, '2026-Q4', '2026-10-01', 'c', :ground, :content)"
    )
    with db.upgrading(engine) as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0005")
        conn.execute(insert, [{"n": n, "ground": str(n), "content": content(n)} for n in range(120)])
        ended = "INSERT INTO jobs (name, finished_at, outcome, failures) VALUES "
        conn.exec_driver_sql(f"{ended} ('evaluate', 1000000, 'ok', 0), ('check', 2000000, 'failed', 3)")
    engine.dispose()
    return store_url


def test_what_was_said_before_is_still_said_after_the_upgrade(older):
    with Store.open(older) as store:
        assert [one.content for one in store.evaluations()] == [content(n) for n in range(120)]
        assert store.check() == []
        assert say(store, 120)
        assert store.last_evaluation("2026-Q4").content == content(120)
        assert len(store.evaluations()) == 121
        with pytest.raises(IntegrityError), store._engine.execution_options(writes=True).begin() as conn:
            conn.exec_driver_sql("UPDATE evaluations SET content = NULL")


def test_jobs_that_went_well_are_known_to_have_done_so(older):
    with Store.open(older) as store:
        jobs = store.jobs()
    assert jobs["evaluate"].succeeded_at == jobs["evaluate"].finished_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert (jobs["check"].succeeded_at, jobs["check"].failures) == (None, 3)


def test_what_is_said_takes_a_fifth_of_its_length_at_most(store_url):
    with Store.open(store_url) as store:
        say(store, 1)
        with store._reading() as conn:
            kept = conn.exec_driver_sql("SELECT length(content) FROM evaluations").scalar()
    assert kept <= len(content(1)) / 5


def test_a_copy_says_the_same(store_url, tmp_path):
    with Store.open(store_url) as store, Store.open(f"sqlite:///{tmp_path}/copy.db") as there:
        for number in range(3):
            say(store, number)
        assert copy(store, there)["evaluations"] == 3
        assert there.evaluations() == store.evaluations()
    with Store.open(f"sqlite:///{tmp_path}/back.db") as back, Store.open(f"sqlite:///{tmp_path}/copy.db") as there:
        copy(there, back)
        assert [one.content for one in back.evaluations()] == [content(n) for n in range(3)]
