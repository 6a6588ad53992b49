"""What people say of key results, in what is said of them: from the store to the report."""

from datetime import UTC, datetime, time, timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.config.load import load
from keyresults.jobs import status
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate, evaluate_all
from keyresults.jobs.routines import Asking
from keyresults.krs.checkin import CheckIn
from keyresults.krs.rhythm import Rhythm

CYCLE = "2026-Q4"


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path, rows(60))
    with workspace(path) as one:
        collect(one)
    return path


def said(hours, confidence=7, note=""):
    return CheckIn(at=NOW + timedelta(hours=hours), by="ana", confidence=confidence, note=note)


def check_ins(report):
    return {kr.id: kr.check_ins for o in report.objectives for kr in o.key_results if kr.check_ins}


def numbers(report):
    return [(kr.judgement, kr.series) for o in report.objectives for kr in o.key_results]


def test_a_report_has_what_was_said_by_its_time_oldest_first(config):
    with workspace(config) as one:
        for check_in in (said(-1), said(-30), said(1)):
            one.store.put_check_in(CYCLE, "rollbacks", check_in)
        assert check_ins(evaluate(one, as_of=NOW)) == {"rollbacks": (said(-30), said(-1))}
        assert check_ins(evaluate(one, as_of=NOW - timedelta(hours=1))) == {"rollbacks": (said(-30), said(-1))}
        assert check_ins(evaluate(one, as_of=NOW - timedelta(hours=2))) == {"rollbacks": (said(-30),)}


def test_a_check_in_alters_no_number(config):
    with workspace(config) as one:
        before = evaluate(one, as_of=NOW)
        one.store.put_check_in(CYCLE, "rollbacks", said(-1, 0, "hopeless"))
        after = evaluate(one, as_of=NOW)
    assert numbers(after) == numbers(before)
    assert after != before


def test_it_is_part_of_what_was_said_and_makes_a_new_stored_evaluation(config):
    with workspace(config) as one:
        stored = len(one.store.evaluations())
        evaluate_all(one)
        assert len(one.store.evaluations()) == stored
        one.store.put_check_in(CYCLE, "rollbacks", said(0))
        evaluate_all(one)
        evaluate_all(one)
        assert len(one.store.evaluations()) == stored + 1


def test_a_renamed_key_result_keeps_them_before_and_after_the_rename_is_stored(config):
    with workspace(config) as one:
        one.store.put_check_in(CYCLE, "rollbacks", said(-2))
    config.write_text(config.read_text().replace('id = "rollbacks"', 'id = "fewer"\n  was = "rollbacks"'))
    with workspace(config, writing=False) as one:
        assert check_ins(evaluate(one, as_of=NOW)) == {"fewer": (said(-2),)}
    with workspace(config) as one:
        one.store.put_check_in(CYCLE, "fewer", said(-1))
        evaluate_all(one)
        assert one.store.check_ins(CYCLE) == {"fewer": (said(-2), said(-1))}
        assert check_ins(evaluate(one, as_of=NOW)) == {"fewer": (said(-2), said(-1))}


def test_status_does_not_show_an_evaluation_from_before_a_check_in(config, monkeypatch):
    monkeypatch.setattr(status, "now", lambda: NOW + timedelta(hours=2))
    assert check_ins(status.stored_report(config, CYCLE)) == {}
    with workspace(config) as one:
        one.store.put_check_in("2026-Q3", "rollbacks", said(1))
        assert status.stored_report(config, CYCLE) is not None
        one.store.put_check_in(CYCLE, "rollbacks", said(1))
    assert status.stored_report(config, CYCLE) is None
    with workspace(config, NOW + timedelta(hours=2)) as one:
        evaluate_all(one)
    assert check_ins(status.stored_report(config, CYCLE)) == {"rollbacks": (said(1),)}


@pytest.mark.parametrize("weeks_before", [0, 1, 2, 30])
def test_people_are_asked_in_the_cycle_s_rounds_however_long_before_it_the_daemon_began(config, weeks_before):
    """The quarter begins on Thursday, 1 October; before it nobody is asked."""
    every_other_friday = Asking(Rhythm(timedelta(weeks=2), time(10), 4), load(config))
    at, asked = datetime(2026, 9, 30, tzinfo=UTC) - timedelta(weeks=weeks_before), []
    for _ in range(3):
        asked.append(at := every_other_friday.after(at, at))
    # At ten in Berlin; on 30 October the clocks have gone back.
    assert [f"{at:%d %b %H}" for at in asked] == ["02 Oct 08", "16 Oct 08", "30 Oct 09"]
