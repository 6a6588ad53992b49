"""Damage to what was said: compressed, it has a sum, which shows what no database sees."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from keyresults.storage.backups import write_backup
from keyresults.storage.errors import StoreBroken
from keyresults.storage.last_said import last_said
from keyresults.storage.store import Store
from keyresults.storage.tables import evaluations
from sqlalchemy import LargeBinary, bindparam, select, type_coerce
from storage_samples import START

DAY = date(2026, 10, 1)


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        for number, cycle in enumerate(["2026-Q3", "2026-Q4"]):
            said = {"day": DAY, "config_digest": "c", "ground": str(number), "content": f'"{cycle} Größe"' * 50}
            assert opened.put_evaluation(at=START, cycle=cycle, **said)
        yield opened


def damage(store):
    """One byte of what was said of 2026-Q4 is another."""
    raw = type_coerce(evaluations.c.content, LargeBinary)
    mine = evaluations.c.cycle == "2026-Q4"
    with store._writing() as conn:
        content = bytearray(conn.execute(select(raw).where(mine)).scalar_one())
        content[-1] ^= 1
        changed = evaluations.update().where(mine).values(content=bindparam("raw", bytes(content), LargeBinary))
        conn.execute(changed)


def test_what_was_said_comes_back(store):
    assert store.last_evaluation("2026-Q4").content == '"2026-Q4 Größe"' * 50
    assert store.check() == []


def test_damage_is_found_where_it_is_and_the_rest_is_read(store):
    damage(store)
    assert store.check() == ["what was said of 2026-Q4 on 2026-10-01 can't be read"]
    with pytest.raises(StoreBroken, match="what was said is damaged"):
        store.last_evaluation("2026-Q4")
    assert store.last_evaluation("2026-Q3").content == '"2026-Q3 Größe"' * 50


@pytest.mark.parametrize("day", [DAY, date(2026, 10, 2)])
def test_damage_keeps_nothing_new_from_being_said(store, day):
    damage(store)
    said = {"cycle": "2026-Q4", "config_digest": "c", "ground": "1", "content": '"as before"'}
    assert store.put_evaluation(at=START + timedelta(hours=1), day=day, **said) == (day != DAY)
    assert store.last_evaluation("2026-Q4").content == '"as before"'


def test_a_quick_look_leaves_damage_to_who_works_it_out_anew(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    with Store.open(url) as store:
        said = {"cycle": "2026-Q4", "day": DAY, "config_digest": "c", "ground": "1", "content": '"good"'}
        store.put_evaluation(at=START, **said)
        assert last_said(url, "2026-Q4", "c") == '"good"'
        damage(store)
    assert last_said(url, "2026-Q4", "c") is None


def test_a_damaged_store_is_not_backed_up(store, tmp_path):
    damage(store)
    with pytest.raises(StoreBroken, match="can't be read"):
        write_backup(store, tmp_path / "safe.db")
    assert not (tmp_path / "safe.db").exists()
