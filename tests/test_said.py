"""What was said on a day stays what was said, whatever becomes of facts and config."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from job_scenes import NOW, rows, workspace, write_rows, write_scene
from keyresults.cli.main import main
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.planned import with_planned
from keyresults.jobs.said import NothingSaid, said_on
from keyresults.jobs.workspace import Workspace
from keyresults.reports.dates import Dates
from keyresults.reports.details import details

DAY = date(2026, 11, 20)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(120))


def collected(config, at=NOW):
    with workspace(config, at) as one:
        collect(one)


def said(config, day, now=NOW + timedelta(days=3), **more):
    with workspace(config, now, writing=False) as one:
        return said_on(one, day=day, **more)


def judged(config, as_of, now):
    with workspace(config, now, writing=False) as one:
        return evaluate(one, as_of=as_of)


def without_rollbacks(config):
    """A correction of the file: the fact that a version came back is gone, and with it every rollback."""
    whole = rows(120)
    write_rows(config.parent / "deployments.csv", [row | {"commit": f"c{row['key']}"} for row in whole])


def value(report, id_="rollbacks"):
    return next(kr for o in report.objectives for kr in o.key_results if kr.id == id_).judgement.reading.value


class TestWhatWasSaid:
    def test_facts_that_were_corrected_later_change_what_is_true_and_not_what_was_said(self, config):
        collected(config)
        then = judged(config, NOW, NOW)
        without_rollbacks(config)
        collected(config, NOW + timedelta(days=3))
        assert value(then) > 0
        assert value(said(config, DAY)) == value(then)
        assert value(judged(config, NOW, NOW + timedelta(days=3))) == 0
        assert said(config, DAY).objectives == then.objectives

    def test_it_holds_what_each_number_rested_on(self, config):
        collected(config)
        reading = said(config, DAY).objectives[0].key_results[0].judgement.reading
        assert reading.numerator / reading.denominator == reading.value
        assert reading.window.end <= NOW
        assert said(config, DAY).sources

    def test_an_edited_config_is_told_apart(self, config):
        collected(config)
        assert said(config, DAY).said.same_config
        config.write_text(config.read_text().replace('below = "1%"', 'below = "9%"'))
        told = said(config, DAY)
        assert not told.said.same_config
        assert told.objectives[0].key_results[0].target.text == "below 1%"

    def test_the_last_words_of_a_day_stand_at_its_end(self, config):
        collected(config, NOW - timedelta(hours=3))
        without_rollbacks(config)
        collected(config, NOW)
        told = said(config, DAY)
        assert (told.as_of, told.said.first_at) == (NOW, NOW)
        assert value(told) == 0

    def test_what_was_said_again_is_told_with_its_first_time(self, config):
        collected(config, NOW - timedelta(minutes=3))
        collected(config, NOW)
        told = said(config, DAY)
        assert (told.as_of, told.said.first_at) == (NOW, NOW - timedelta(minutes=3))

    def test_on_a_day_without_a_collection_the_words_before_it_stand(self, config):
        collected(config)
        assert said(config, DAY + timedelta(days=2)).as_of == NOW

    def test_an_evaluation_at_midnight_belongs_to_the_day_it_closes(self, config):
        collected(config, NOW)
        midnight = datetime(2026, 11, 22, tzinfo=BERLIN)
        collected(config, midnight)
        assert said(config, date(2026, 11, 20)).as_of == NOW
        assert said(config, date(2026, 11, 21)).as_of == midnight

    def test_before_anything_was_said_it_says_since_when_there_is_something(self, config):
        collected(config)
        with pytest.raises(
            NothingSaid, match=r"nothing was said of 2026-Q4 by the end of 2026-11-19: the first time was"
        ):
            said(config, date(2026, 11, 19))

    def test_of_the_future_nothing_was_said(self, config):
        collected(config)
        with pytest.raises(NothingSaid, match="2026-12-24 lies in the future"):
            said(config, date(2026, 12, 24))


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def there(self, config, monkeypatch):
        collected(config)
        monkeypatch.chdir(config.parent)
        monkeypatch.delenv("KEYRESULTS_CONFIG", raising=False)
        whole, now = Workspace.__init__, NOW + timedelta(days=3)
        monkeypatch.setattr(
            Workspace, "__init__", lambda self, config, writing=False: whole(self, config, writing, lambda: now)
        )

    def test_it_names_the_time_and_what_to_ask_beside_it(self, capsys):
        assert main(["status", "--said-on", "2026-11-21"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert shown.startswith("This was said at 20 Nov 13:00, and nothing else up to 21 Nov, under today's config (")
        assert "`keyresults status --as-of 2026-11-21` tells what today's facts say of that day." in shown
        assert "as of 20 Nov 2026 13:00" in shown

    def test_the_report_and_json_have_it_too(self, capsys):
        assert main(["report", "--format", "markdown", "--said-on", "2026-11-20"]) == 0
        assert "\n> This was said at 20 Nov 13:00, under today's config" in capsys.readouterr().out
        assert main(["status", "--json", "--said-on", "2026-11-20"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["as_of"] == "2026-11-20T13:00:00+01:00"
        assert told["said"]["on"] == "2026-11-20"
        assert told["said"]["same_config"] is True

    def test_what_today_s_facts_say_is_another_question(self, capsys):
        assert main(["status", "--said-on", "2026-11-20", "--as-of", "2026-11-20"]) == 2
        assert "ask for one after the other" in capsys.readouterr().err
        assert main(["report", "--said-on", "2026-11-20", "--since", "2026-11-13"]) == 2
        assert "--said-on shows a report as it was" in capsys.readouterr().err

    def test_where_nothing_was_said_it_ends_with_a_wrong_usage_s_code(self, capsys):
        assert main(["status", "--said-on", "2026-11-01"]) == 2
        assert "`keyresults status --as-of 2026-11-01` says what today's facts say" in capsys.readouterr().err


class TestAnotherMetric:
    def test_the_target_it_began_with_is_not_shown_in_the_unit_of_the_metric_now(self, config):
        """One deployment a day was asked for; of rollbacks, which judge since, that is no 100 %."""
        rate = '{ on = 2026-11-02, reason = "Often enough", metric = "rollbacks", target = { at_most = "30%" } }'
        before = '  metric = "often"\n'
        config.write_text(config.read_text().replace(before, f"{before}  revisions = [{rate}]\n"))
        collected(config)
        (kr,) = (kr for o in judged(config, NOW, NOW).objectives for kr in o.key_results if kr.id == "daily")
        dates = Dates.seen_at(NOW, "Europe/Berlin")
        row = next(row.words for row in details(kr, dates) if row.label == "Target")
        assert row == "≤ 30%, by 31 Dec, began with at least 1/day"
        assert kr.measured_since == date(2026, 11, 2)
        assert kr.judgement.baseline is None

    def test_what_was_planned_under_another_config_is_not_drawn_by_that_of_today(self, config):
        collected(config)
        then = said(config, DAY)
        config.write_text(config.read_text().replace('{ from = "40%", to = "80%" }', '{ from = "40%", to = "90%" }'))
        now = said(config, DAY)
        planned = [
            [bool(kr.planned) for o in found.objectives for kr in o.key_results] for found in drawn(config, then, now)
        ]
        assert planned == [[True] * 3, [False] * 3]


def drawn(config, *reports):
    with workspace(config, NOW, writing=False) as one:
        return [with_planned(one.config, report) for report in reports]
