"""Evaluating only what something is new of: the rest stands as it was said."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_rows, write_scene
from keyresults.jobs.bindings import Bindings, questions
from keyresults.jobs.checkin import check_in, named
from keyresults.jobs.collect import fetch
from keyresults.jobs.evaluate import evaluate, evaluate_all
from keyresults.jobs.record import record
from keyresults.jobs.remembered import Remembered
from keyresults.reports.progress_report import ProgressReport

HOUR = timedelta(hours=1)

SOURCE_OF = {"rollbacks": "exports", "daily": "exports", "fresh": "exports", "mood": "people"}

FRESH = """
[metrics.fresh]
source = "exports"
measure = "deployment_count"
window = "7d"
max_age = "30h"
"""
FRESH_KEY_RESULT = """
  [[objectives.key_results]]
  id = "fresh"
  title = "Deployments are seen the day they happen"
  metric = "fresh"
  target = { at_least = 7 }
"""
COLLECTED_UNTIL = datetime(2026, 11, 19, 23, tzinfo=UTC)  # the end of the 19th in Berlin
TOO_OLD = {"fresh": COLLECTED_UNTIL + 30 * HOUR, "daily": COLLECTED_UNTIL + 24 * HOUR}
TOO_OLD["rollbacks"] = TOO_OLD["daily"]


class Scene:
    """A file and a person tell what happened; time goes on."""

    def __init__(self, folder):
        self.rows = rows(120)
        self.config = write_scene(folder, self.rows, metrics=FRESH, key_results=FRESH_KEY_RESULT)
        self.file = folder / "deployments.csv"
        self.now, self.remembered, self.anew, self.stored, self.steps = NOW, Remembered(), {}, {}, 0

    def live(self, *happened):
        """Collect and evaluate; `anew` holds all key results as they are evaluated at this time by themselves."""
        self.steps += 1
        with workspace(self.config, self.now) as opened:
            for what in happened:
                what(opened)
            fetch(opened)
            self.stored = {
                state.stream.source: (state.revision, state.last_run and (state.last_run.outcome, state.last_run.error))
                for state in opened.store.states()
            }
            self.anew = key_results(evaluate(opened, as_of=self.now))
            evaluate_all(opened, self.remembered)
            report = ProgressReport.from_json(opened.store.last_evaluation("2026-Q4").content)
        assert report.as_of == self.now
        return key_results(report)

    def deploy(self, opened):
        at = (COLLECTED_UNTIL - self.steps * HOUR).isoformat()
        self.rows.append({**self.rows[-1], "key": f"more{self.steps}", "commit": f"w{self.steps}", "at": at})
        self._write(opened)

    def deploy_another(self, opened):
        self.steps += 1
        self.deploy(opened)

    def break_the_file(self, opened):
        self.file.write_text("no,such,columns\n1,2,3\n")
        self._touch()

    def mend(self, opened):
        self._write(opened)

    def say_mood(self, opened):
        record(opened, "mood", f"{40 + self.steps % 60}%", at=self.now - timedelta(minutes=1), by="me", evidence=None)

    def _write(self, opened):
        write_rows(self.file, self.rows)
        self._touch()

    def _touch(self):
        os.utime(self.file, (NOW.timestamp() + self.steps, NOW.timestamp() + self.steps))


def key_results(report):
    return {kr.id: kr for objective in report.objectives for kr in objective.key_results}


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_what_nothing_is_new_of_stands_as_it_was_said(scene):
    before = scene.live(scene.say_mood)
    scene.now += HOUR
    after = scene.live()
    assert after == before
    assert after["daily"].judgement.reading.at == NOW
    assert scene.anew["daily"].judgement.reading.at == NOW + HOUR


def test_what_is_new_of_one_stream_is_evaluated_and_nothing_else(scene):
    before = scene.live(scene.say_mood)
    scene.now += HOUR
    after = scene.live(scene.deploy)
    assert {id_ for id_ in after if after[id_] != before[id_]} == {"rollbacks", "daily", "fresh"}
    assert after["fresh"].judgement.reading.value == before["fresh"].judgement.reading.value + 1
    scene.now += HOUR
    last = scene.live(scene.say_mood)
    assert {id_ for id_ in last if last[id_] != after[id_]} == {"mood"}
    assert last["mood"].judgement.reading.value == pytest.approx(0.43)


def test_what_people_say_is_there_at_once(scene):
    scene.live(scene.say_mood)
    scene.now += HOUR

    def worry(opened):
        check_in(opened, named(opened.config, "mood"), 3, "the build is red again", by="me")

    after = scene.live(worry)["mood"]
    assert [said.confidence for said in after.check_ins] == [3]
    assert after.judgement.reading.at == NOW


def test_a_new_day_is_new_to_all(scene):
    scene.live(scene.say_mood)
    scene.now = datetime(2026, 11, 20, 23, tzinfo=UTC)  # midnight in Berlin: it closes the 20th
    assert scene.live() == scene.anew
    scene.now += timedelta(minutes=1)
    assert scene.live() == scene.anew


def test_data_that_becomes_too_old_is_noticed_at_once(scene):
    scene.now = TOO_OLD["fresh"] - HOUR
    assert scene.live()["fresh"].judgement.reading.health == "ok"
    scene.now += HOUR
    assert scene.live()["fresh"].judgement.reading.health == "ok"  # as old as it may be
    scene.now += timedelta(microseconds=1)
    after = scene.live()
    assert after["fresh"].judgement.reading.health == "stale"
    assert after["fresh"].judgement.status == "unknown"


def test_a_source_that_fails_and_works_again_is_noticed_at_once(scene):
    before = scene.live()
    scene.now += HOUR
    assert any(
        "no column" in note or "column" in note
        for note in scene.live(scene.break_the_file)["daily"].judgement.reading.notes
    )
    scene.now += HOUR
    after = scene.live(scene.mend)["daily"].judgement.reading
    assert after.notes == before["daily"].judgement.reading.notes
    assert after.at == scene.now


def test_a_backup_that_was_put_back_is_noticed_though_as_much_was_collected_since(scene):
    store = scene.config.parent / ".keyresults/store.db"
    scene.live()
    backup = store.read_bytes()
    scene.now += HOUR
    scene.live(scene.deploy)
    revisions = scene.stored
    store.write_bytes(backup)
    scene.rows.pop()
    scene.now += HOUR
    after = scene.live(scene.deploy, scene.deploy_another)
    assert scene.stored == revisions
    assert after["fresh"] == scene.anew["fresh"]


GITHUB = """
[sources.github]
type = "github"
repositories = ["acme/*"]
token = { env = "GITHUB_TOKEN" }

[metrics.green]
source = "github"
measure = "ci_success_rate"
workflow = "tests"
repositories = ["acme/shop"]
"""
GREEN = """
  [[objectives.key_results]]
  id = "green"
  title = "Builds pass"
  metric = "green"
  target = { at_least = "95%" }
"""


def test_a_source_that_turns_out_to_have_nothing_of_it_is_noticed_at_once(tmp_path):
    config, remembered = write_scene(tmp_path, rows(9), metrics=GITHUB, key_results=GREEN), Remembered()

    def said(now, asked):
        with workspace(config, now) as opened:
            opened.make_store()
            if asked:
                (question,) = questions(opened.config.metrics["green"])
                Bindings(opened.config, opened.store).remember(question, [])
            evaluate_all(opened, remembered)
            report = ProgressReport.from_json(opened.store.last_evaluation("2026-Q4").content)
            return key_results(report)["green"].judgement.why

    assert "not collected" in said(NOW, asked=False)
    assert "has nothing of acme/shop" in said(NOW + HOUR, asked=True)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 8))])
def test_it_says_what_was_said_when_something_was_last_new(tmp_path, seed):
    chance = random.Random(seed)
    scene, said, stored, last = Scene(tmp_path), {}, {}, None
    for _ in range(14):
        happening = [scene.deploy, scene.break_the_file, scene.mend, scene.say_mood]
        found = scene.live(*chance.sample(happening, chance.choice([0, 1, 1])))
        before, stored = stored, scene.stored
        for id_, one in found.items():
            too_old = last is not None and id_ in TOO_OLD and last <= TOO_OLD[id_] < scene.now
            new = before.get(SOURCE_OF[id_]) != stored.get(SOURCE_OF[id_])
            if last is None or new or too_old or _day(last) != _day(scene.now):
                said[id_] = scene.anew[id_]
            assert one == said[id_]
        last = scene.now
        scene.now += timedelta(minutes=chance.choice([7, 60, 245, 600]))


def _day(instant):
    return (instant + HOUR).date()  # Berlin, in winter
