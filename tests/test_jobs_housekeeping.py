"""What the daemon does every night: it looks through the store, and lets go of what no number rests on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.jobs.pulse import Pulse
from keyresults.jobs.routine import Failed
from keyresults.jobs.routines import Work
from sqlalchemy import text
from storage_samples import stream

DAYS = (200, 91, 90, 89, 10)


def say(one):
    """Three times on each day; that day's last word is the day itself. And one collection on each."""
    for ago in DAYS:
        at = NOW - timedelta(days=ago)
        run = one.store.start_run("exports", stream(), at)
        one.store.finish_run(run, at, "ok", None, 1, 0, 0, 0)
        for words in ("early", "later", at.date().isoformat()):
            said = {"config_digest": "c", "ground": words, "content": f'"{words}"'}
            assert one.store.put_evaluation(at=at, cycle="2026-Q4", day=at.date(), **said)


def kept(tmp_path, settings):
    """How many collections, and how often was said what, after a night under these settings of the daemon."""
    path = write_scene(tmp_path, rows(3))
    path.write_text(f"{path.read_text()}\n[daemon]\n{settings}\n")
    with workspace(path) as one:
        say(one)
        Work(one, Pulse()).check()
        said = one.store.evaluations()
        for ago in DAYS:
            day = (NOW - timedelta(days=ago)).date()
            assert one.store.said_by("2026-Q4", day).content == f'"{day}"'
        return len(one.store.runs()), {ago: sum(s.day == _day(ago) for s in said) for ago in DAYS}


def _day(ago: int) -> date:
    return (NOW - timedelta(days=ago)).date()


def test_what_was_said_is_kept_for_good_unless_the_config_says_otherwise(tmp_path):
    runs, said = kept(tmp_path, "")
    assert (runs, said) == (3, dict.fromkeys(DAYS, 3))


def test_of_days_longer_ago_is_kept_what_was_said_last(tmp_path):
    _, said = kept(tmp_path, 'keep_said = "90d"')
    assert said == {200: 1, 91: 1, 90: 3, 89: 3, 10: 3}


@pytest.mark.parametrize(("settings", "runs"), [('keep_runs = "50d"', 1), ('keep_runs = "150d"', 4)])
def test_records_of_collections_are_kept_as_long_as_the_config_says(tmp_path, settings, runs):
    assert kept(tmp_path, settings) == (runs, dict.fromkeys(DAYS, 3))


def test_nothing_is_let_go_of_in_a_damaged_store(tmp_path):
    with workspace(write_scene(tmp_path, rows(3))) as one:
        say(one)
        with one.store._writing() as conn:
            conn.execute(text("UPDATE streams SET facts = 7"))
        with pytest.raises(Failed, match="says it has 7 facts"):
            Work(one, Pulse()).check()
        assert len(one.store.runs()) == len(DAYS)
