"""The cache of finished days: nobody can tell from a report whether a reading was kept or computed."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_rows, write_scene
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate
from keyresults.metrics.measurement import Measurement


def _write(config, written, step):
    path = config.parent / "deployments.csv"
    write_rows(path, written)
    os.utime(path, (NOW.timestamp() + step, NOW.timestamp() + step))


WORST = """
[metrics.worst]
source = "exports"
measure = "deployment_frequency"
across = "worst"
window = "14d"
"""
WORST_KEY_RESULT = """
  [[objectives.key_results]]
  id = "worst"
  title = "No service is left behind"
  metric = "worst"
  target = { at_least = "1/day" }
"""


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.soak)])
def test_what_is_said_is_the_same_from_a_store_with_a_past_and_from_a_new_one(tmp_path, seed):
    live_and_compare(tmp_path, seed, steps=5)


@pytest.mark.soak
def test_what_is_said_is_the_same_however_often(tmp_path, soak):
    for seed in range(100, 100 + soak(short=2, whole=20)):
        live_and_compare(tmp_path / str(seed), seed, steps=8)


def live_and_compare(folder, seed, steps):
    """A file grows, loses rows and changes its mind; a store that lived through it must agree with a new one.

    Production is first seen at the second step, a second service at the fourth.
    """
    chance = random.Random(seed)
    everything = rows(60 + 12 * steps, seed)
    known = [{**row, "environment": "staging"} for row in everything[:60]]
    more = {"metrics": WORST, "key_results": WORST_KEY_RESULT}
    config = write_scene(folder / "lived", known, **more)
    for step in range(1, steps + 1):
        first, *rest = known  # what rolls off a file's beginning is kept by those who saw it
        known = [first, *(row for row in rest if chance.random() > 0.03)]
        known += [_seen_at(step, row) for row in everything[48 + 12 * step : 60 + 12 * step]]
        if chance.random() < 0.5:
            changed = chance.randrange(len(known))
            known = [{**row, "commit": "v1"} if n == changed else row for n, row in enumerate(known)]
        now = NOW + timedelta(hours=7 * step)
        _write(config, known, step)
        fresh = write_scene(folder / f"fresh{step}", known, **more)
        with workspace(config, now) as lived, workspace(fresh, now) as new:
            collect(lived)
            collect(new)
            for as_of in (now, now - timedelta(days=10)):
                said, expected = (evaluate(one, as_of=as_of).to_json() for one in (lived, new))
                assert _without_baselines(said) == _without_baselines(expected)


def _seen_at(step, row):
    environment = "production" if step >= 2 else "staging"
    subject = "ledger" if step >= 4 and int(row["key"]) % 2 else row["subject"]
    return {**row, "environment": environment, "subject": subject}


def _without_baselines(said):
    """Baselines are frozen when first measured: those of the two stores were measured from different facts."""
    import json

    report = json.loads(said)
    return [
        (kr["id"], kr["series"], kr["judgement"]["reading"])
        for objective in report["objectives"]
        for kr in objective["key_results"]
    ]


def test_finished_days_are_not_computed_again(tmp_path, monkeypatch):
    config = write_scene(tmp_path, rows(100))
    asked: list[int] = []
    real = Measurement.readings

    def counting(self, instants, start):
        instants = list(instants)
        asked.append(len(instants))
        return real(self, instants, start)

    monkeypatch.setattr(Measurement, "readings", counting)
    with workspace(config) as one:
        collect(one)
        first = sum(asked)
        asked.clear()
        evaluate(one, as_of=NOW)
    assert first > 100
    # Only the hand-recorded metric was never covered, so that nothing of it is final.
    assert sorted(asked)[-1] == 51
    assert sum(n > 5 for n in asked) == 1


def test_days_kept_under_other_rules_are_computed_again(tmp_path, monkeypatch):
    config = write_scene(tmp_path, rows(100))
    with workspace(config) as one:
        collect(one)
        said = evaluate(one, as_of=NOW).to_json()
    with closing(sqlite3.connect(config.parent / ".keyresults/store.db")) as store, store:
        assert store.execute("UPDATE readings SET value = 0.123").rowcount > 0
    with workspace(config) as one:
        assert evaluate(one, as_of=NOW).to_json() != said
        monkeypatch.setattr("keyresults.jobs.readings.RULES", 10**6)
        assert evaluate(one, as_of=NOW).to_json() == said
