"""What is told of changes: a status that held, a source that went blind, each once and to those who answer for it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.collectors.contract import RetryAt, SourceError
from keyresults.collectors.file import FactFiles
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate_all
from keyresults.jobs.tell import tell_changes
from keyresults.krs.judgement import Status
from keyresults.metrics.ranges import TimeRange, TimeRanges
from report_cases import judgement, key_result, report
from sqlalchemy import text

DAY = timedelta(days=1)
ON, RISK, OFF, UNSEEN = Status.ON_TRACK, Status.AT_RISK, Status.OFF_TRACK, Status.UNKNOWN

CHANNELS = """
[notify.chat]
url = { env = "CHAT" }

[notify.payers]
url = { env = "PAYERS" }

[notify.hook]
url = { env = "HOOK" }
tell = ["status"]

[teams.payments]
people = ["cho"]
notify = ["payers"]

[teams.search]
notify = ["chat"]
"""


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path, rows(30))
    path.write_text(
        path.read_text().replace('title = "Releases nobody fears"', 'title = "Calm"\nowner = "cho"') + CHANNELS
    )
    return path


def end_of(day):
    """In Berlin's winter."""
    return datetime(2026, 11, day, 23, tzinfo=UTC)


def say(one, day, *, at=None, **statuses):
    """What an evaluation says of key results at a time of that day in November; at its end, unless told."""
    key_results = [key_result(id=name, title=name, judgement=judgement(status=s)) for name, s in statuses.items()]
    said = report(*key_results, as_of=at or end_of(day))
    one.store.put_evaluation(
        at=said.as_of,
        cycle="2026-Q4",
        day=date(2026, 11, day),
        config_digest="0",
        content=said.to_json(),
        ground=f"{said.as_of}",
    )


def look(one, day, hour=1):
    """That long after the local day began."""
    tell_changes(one, datetime(2026, 11, day - 1, 23, tzinfo=UTC) + timedelta(hours=hour))


def told(one):
    return [(w.notice.key, w.notice.channel) for w in one.store.unsent() if w.notice.occasion == "status"]


def keys(one):
    return list(dict.fromkeys(key for key, _ in told(one)))


@pytest.fixture
def one(config):
    with workspace(config) as opened:
        yield opened


def course(one, *days, first=2, name="daily"):
    """One status a day; it is looked after each evaluation, and after each midnight."""
    for n, status in enumerate(days):
        say(one, first + n, **{name: status})
        look(one, first + n, hour=20)
        look(one, first + n + 1)


def test_damage_to_what_was_said_keeps_nothing_else_from_being_told(config):
    with workspace(config) as one:
        say(one, 20, rollbacks=ON)
        with one.store._writing() as conn:
            conn.execute(text("UPDATE evaluations SET content = :junk"), {"junk": b"junk"})
        tell_changes(one, end_of(20) + DAY)
        say(one, 21, rollbacks=OFF)
        tell_changes(one, end_of(21) + DAY)
        assert one.store.told()["status/2026-Q4/rollbacks"] == "off_track"


def test_the_first_status_ever_seen_is_not_told(one):
    course(one, OFF, OFF, OFF)
    assert told(one) == []


def test_a_status_is_told_once_after_it_held_on_two_finished_days(one):
    course(one, ON, RISK)
    assert told(one) == []
    course(one, RISK, first=4)
    assert keys(one) == ["status/2026-Q4/daily/2026-11-03/at_risk"]
    course(one, RISK, RISK, first=5)
    assert len(keys(one)) == 1


def test_a_day_that_is_not_over_counts_for_nothing(one):
    course(one, ON, RISK)
    say(one, 4, at=end_of(4) - timedelta(hours=1), daily=RISK)
    look(one, 4, hour=23)
    assert told(one) == []


def test_what_flaps_is_not_told(one):
    course(one, ON, RISK, ON, OFF, RISK, ON, RISK, ON)
    assert told(one) == []


def test_within_a_day_its_end_counts(one):
    course(one, ON)
    for day in (3, 4):
        say(one, day, at=end_of(day) - timedelta(hours=9), daily=OFF)
        say(one, day, daily=ON)
        look(one, day + 1)
    assert told(one) == []


def test_the_way_back_is_told_too(one):
    course(one, ON, RISK, RISK, ON, ON)
    assert keys(one) == ["status/2026-Q4/daily/2026-11-03/at_risk", "status/2026-Q4/daily/2026-11-05/on_track"]


def test_what_was_passed_on_the_way_is_left_out(one):
    course(one, ON, RISK, OFF, OFF)
    assert keys(one) == ["status/2026-Q4/daily/2026-11-04/off_track"]
    (waiting, *_) = one.store.unsent()
    assert waiting.notice.title == "daily: on track → off track"
    assert waiting.notice.body.splitlines()[0] == "✖ **off track** since 4 Nov, was on track"


def test_days_on_which_nothing_was_said_are_passed_over(one):
    course(one, ON, RISK)
    look(one, 12)
    assert told(one) == []
    course(one, RISK, first=20)
    assert keys(one) == ["status/2026-Q4/daily/2026-11-03/at_risk"]


def test_the_beginning_of_a_key_result_is_no_change(one):
    course(one, Status.NOT_STARTED, Status.NOT_STARTED, OFF, OFF)
    assert told(one) == []
    course(one, Status.DRAFT, Status.DRAFT, OFF, OFF, first=6)
    assert told(one) == []


def test_a_renamed_key_result_is_known_by_its_old_id(config):
    with workspace(config) as one:
        course(one, ON)
    config.write_text(config.read_text().replace('id = "daily"', 'id = "often"\n  was = "daily"'))
    with workspace(config) as one:
        course(one, RISK, RISK, first=3, name="often")
        assert keys(one) == ["status/2026-Q4/often/2026-11-03/at_risk"]


def test_the_old_id_need_not_be_named_once_the_new_one_is_known(config):
    before = config.read_text()
    with workspace(config) as one:
        course(one, ON, ON)
    config.write_text(before.replace('id = "daily"', 'id = "often"\n  was = "daily"'))
    with workspace(config) as one:
        course(one, ON, first=4, name="often")
    config.write_text(before.replace('id = "daily"', 'id = "often"'))
    with workspace(config) as one:
        course(one, RISK, RISK, first=5, name="often")
        assert keys(one) == ["status/2026-Q4/often/2026-11-05/at_risk"]


def test_what_has_left_the_config_is_told_to_nobody(one):
    course(one, ON, RISK, RISK, name="gone")
    assert told(one) == []


def test_what_another_release_said_is_passed_over(one):
    course(one, ON)
    one.store.put_evaluation(
        at=end_of(3), cycle="2026-Q4", day=date(2026, 11, 3), config_digest="0", content="{}", ground="?"
    )
    look(one, 4)
    course(one, RISK, first=4)
    assert told(one) == []
    course(one, RISK, first=5)
    assert keys(one) == ["status/2026-Q4/daily/2026-11-04/at_risk"]


def test_a_status_is_told_to_its_team_and_to_channels_that_are_no_team_s(one):
    course(one, ON, RISK, RISK)
    assert {channel for _, channel in told(one)} == {"payers", "hook"}


def test_without_channels_it_is_noted_and_nobody_is_flooded_later(config):
    text = config.read_text()
    config.write_text(text.replace(CHANNELS, ""))
    with workspace(config) as one:
        course(one, ON, RISK, RISK)
    config.write_text(text)
    with workspace(config) as one:
        course(one, RISK, RISK, first=5)
        assert told(one) == []


def test_killed_before_the_store_has_it_nothing_is_lost(one, monkeypatch):
    course(one, ON, RISK)
    say(one, 4, daily=RISK)
    with monkeypatch.context() as dying:
        dying.setattr("keyresults.storage.outbox._row", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            look(one, 5)
    assert told(one) == []
    look(one, 6)
    assert keys(one) == ["status/2026-Q4/daily/2026-11-03/at_risk"]


class TestSight:
    """The file covers days up to the 19th; what it tells may be as old as `max_age` says."""

    @pytest.fixture
    def config(self, config):
        text = config.read_text()
        text = text.replace('measure = "rollback_rate"', 'measure = "rollback_rate"\nmax_age = "3d"')
        text = text.replace('measure = "deployment_frequency"', 'measure = "deployment_frequency"\nmax_age = "6d"')
        config.write_text(text.replace('facts = "deployments"', 'facts = "deployments"\nowner = "search"'))
        return config

    def told(self, one):
        found = [w.notice for w in one.store.unsent() if w.notice.occasion == "blind"]
        return [(n.key, n.channel, n.title) for n in found]

    def test_a_source_that_was_not_collected_yet_is_not_blind(self, one):
        tell_changes(one, NOW)
        assert self.told(one) == []

    def look(self, config, at, *, collected=True):
        with workspace(config, at) as one:
            if collected:
                collect(one)
            tell_changes(one, at)
            return self.told(one)

    def test_it_is_told_once_that_it_went_blind_and_once_that_it_sees(self, config):
        old = datetime(2026, 11, 19, 23, tzinfo=UTC) + 3 * DAY
        first = [("blind/exports/2026-11-22T23:00:01+00:00/blind", "chat", "exports is blind")]
        for hours in range(-24, 48, 6):
            found = self.look(config, old + timedelta(hours=hours, seconds=1))
            assert found == (first if hours >= 0 else [])
        config.write_text(config.read_text().replace("to = 2026-11-19", "to = 2026-11-26"))
        later = datetime(2026, 11, 27, 12, tzinfo=UTC)
        sees = ("blind/exports/2026-11-27T12:00:00+00:00/sees", "chat", "exports sees again")
        for hours in (0, 1, 2):
            assert self.look(config, later + timedelta(hours=hours)) == [*first, sees]

    def test_after_a_rest_old_data_is_no_blindness_until_it_was_tried_to_renew_it(self, config):
        back = NOW + 21 * DAY
        assert self.look(config, NOW) == []
        assert self.look(config, back, collected=False) == []
        assert len(self.look(config, back)) == 1

    def test_what_was_blind_before_a_rest_does_not_see_for_it(self, config):
        assert len(self.look(config, NOW + 5 * DAY)) == 1
        assert len(self.look(config, NOW + 26 * DAY, collected=False)) == 1

    def test_while_the_past_is_fetched_it_is_not_blind(self, one, monkeypatch):
        """The first collection is under way: a batch of long ago is stored, and its run has not ended."""
        real = FactFiles.collect

        def slow(self, stream, window, cursor):
            batch = next(iter(real(self, stream, window, cursor)))
            start = window.start
            yield replace(batch, covered=TimeRanges.of(TimeRange(start, start + 10 * DAY)))
            tell_changes(one, NOW)
            raise RetryAt(NOW + timedelta(hours=1), "the quota is used up")

        monkeypatch.setattr(FactFiles, "collect", slow)
        collect(one)
        (state,) = one.store.states("exports")
        assert state.coverage.ranges[-1].end < NOW - 30 * DAY
        tell_changes(one, NOW)
        assert self.told(one) == []

    def test_that_its_streams_could_be_listed_again_is_no_try_to_renew_it(self, config, monkeypatch):
        """The streams themselves are under way while another source's evaluation looks."""

        def refuse(self, wanted):
            raise SourceError("it does not answer")

        assert self.look(config, NOW) == []
        with monkeypatch.context() as failing:
            failing.setattr(FactFiles, "streams", refuse)
            assert self.look(config, NOW + timedelta(hours=1)) == []
        seen, back, real = [], NOW + 21 * DAY, FactFiles.collect

        def slow(self, stream, window, cursor):
            with workspace(config, back) as other:
                tell_changes(other, back)
                seen.extend(w.notice.title for w in other.store.unsent())
            return real(self, stream, window, cursor)

        monkeypatch.setattr(FactFiles, "collect", slow)
        assert len(self.look(config, back)) == 1
        assert seen == []

    def test_one_that_no_metric_asks_any_more_does_not_see_for_it(self, config):
        text, late = config.read_text(), NOW + 10 * DAY
        assert [title for _, _, title in self.look(config, late)] == ["exports is blind"]
        config.write_text(re.sub(r"(?s)(\[metrics\.rollbacks\].*?)(?=\[notify)", "", text))
        assert [title for _, _, title in self.look(config, late + DAY)] == ["exports is blind"]
        config.write_text(text)
        again = self.look(config, late + 2 * DAY)
        assert [title for _, _, title in again] == ["exports is blind"] * 2, "and is blind anew when it is asked again"

    def test_it_says_what_suffers(self, config, one):
        self.look(config, datetime(2026, 11, 27, tzinfo=UTC))
        (waiting,) = [w for w in one.store.unsent() if w.notice.occasion == "blind"]
        assert waiting.notice.body.splitlines() == [
            "Its data is 7 days old; rollbacks, often can do with 3 days.",
            "",
            "- search · `keyresults sources`",
        ]

    def test_without_an_owner_everybody_is_told_who_wants_it(self, config):
        config.write_text(config.read_text().replace('\nowner = "search"', ""))
        assert {channel for _, channel, _ in self.look(config, NOW + 4 * DAY)} == {"chat", "payers"}

    def test_one_that_fails_from_the_start_is_blind(self, config):
        (config.parent / "deployments.csv").write_text("nonsense\n1\n")
        with workspace(config) as one:
            collect(one)
            tell_changes(one, NOW)
            assert [title for _, _, title in self.told(one)] == ["exports is blind"]

    def test_a_failure_alone_is_not_blindness(self, config, one):
        collect(one)
        (config.parent / "deployments.csv").write_text("nonsense\n1\n")
        collect(one)
        tell_changes(one, NOW)
        assert self.told(one) == []

    def test_values_recorded_by_hand_are_blind_once_the_last_is_too_old(self, one):
        from keyresults.jobs.record import record

        record(one, "mood", "55%", at=NOW, by="ana", evidence=None)
        tell_changes(one, NOW + 15 * DAY)
        assert self.told(one) == []
        tell_changes(one, NOW + 15 * DAY + timedelta(seconds=1))
        assert [title for _, _, title in self.told(one)] == ["people is blind"] * 2


def test_real_evaluations_are_told_of(one, config):
    """No hand-made reports: collected, evaluated at two days' ends, told."""
    collect(one)
    for days in range(1, 4):
        at = datetime(2026, 11, 20 + days, 22, 59, tzinfo=UTC)
        with workspace(config, at) as then:
            evaluate_all(then)
            tell_changes(then, at + timedelta(minutes=2))
    topics = one.store.told()
    assert topics["said/2026-Q4"] == "2026-11-23"
    assert {t for t in topics if t.startswith("status/")} == {
        f"status/2026-Q4/{n}" for n in ("rollbacks", "daily", "mood")
    }
