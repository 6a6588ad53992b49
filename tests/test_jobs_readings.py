"""The cache of finished days: nobody can tell from a report whether a reading was kept or computed."""

from __future__ import annotations

import os
import random
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


@pytest.mark.parametrize("seed", range(4))
def test_what_is_said_is_the_same_from_a_store_with_a_past_and_from_a_new_one(tmp_path, seed):
    """The file grows, loses rows and changes its mind; after each step a store that lived through it all must agree."""
    chance = random.Random(seed)
    everything = rows(120, seed)
    config = write_scene(tmp_path / "lived", everything[:60])
    known = everything[:60]
    for step in range(1, 7):
        known = [row for row in known if chance.random() > 0.03] + everything[len(known) : len(known) + 12]
        if chance.random() < 0.5:
            changed = chance.randrange(len(known))
            known = [{**row, "commit": "v1"} if n == changed else row for n, row in enumerate(known)]
        now = NOW + timedelta(hours=7 * step)
        _write(config, known, step)
        with workspace(config, now) as lived:
            collect(lived)
            said = evaluate(lived, as_of=now).to_json()
            past = evaluate(lived, as_of=now - timedelta(days=10)).to_json()
        fresh = write_scene(tmp_path / f"fresh{step}", known)
        with workspace(fresh, now) as new:
            collect(new)
            # The file has lost its first rows only for those who saw them before.
            if known[0] == everything[0]:
                assert _without_baselines(said) == _without_baselines(evaluate(new, as_of=now).to_json())
                assert _without_baselines(past) == _without_baselines(
                    evaluate(new, as_of=now - timedelta(days=10)).to_json()
                )


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
    # Two metrics of file facts: at most the open day, and the day too young to be settled.
    assert sum(n for n in asked if n < 50) <= 12
    assert max(asked) <= 51  # the hand-recorded metric was never covered, so nothing of it is final
