"""What long work says while it goes on, and when those who were asked to wait come back."""

from __future__ import annotations

import io
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.cli import watched
from keyresults.collectors.contract import RetryAt, SourceError
from keyresults.jobs.progress import Course
from keyresults.jobs.verdict import GIVE_UP_AFTER, JITTER, LONGEST_JITTER, Verdict

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class TestACourse:
    def test_it_says_how_far_back_and_how_many_requests_of_how_many(self) -> None:
        course = Course()
        course.streams(2)
        course.stream("forge runs of acme/shop", "2026-07-01 to 2026-11-20")
        course.advance(100, 30, name="forge runs of acme/shop", back_to=date(2026, 8, 14), share=0.5)
        # A half of one of two streams took 30 requests: a quarter of what there is.
        assert course.words() == "forge runs of acme/shop · back to 2026-08-14 · 30 requests of about 120"
        course.advance(0, name="forge runs of acme/shop", share=1.0)
        course.advance(10, 30, name="forge runs of acme/bank", share=1.0)
        assert course.words() == "forge runs of acme/shop · back to 2026-08-14 · 60 requests"

    def test_it_guesses_nothing_from_next_to_nothing(self) -> None:
        course = Course()
        course.streams(100)
        course.advance(100, 1, name="one", share=1.0)
        assert course.expected is None

    def test_what_takes_no_requests_tells_its_facts(self) -> None:
        course = Course()
        course.stream("exports deployments")
        course.advance(250)
        assert course.words() == "exports deployments · 250 facts"

    def test_on_a_narrow_terminal_the_numbers_stay_and_the_name_gives_way(self) -> None:
        course = Course()
        course.streams(1)
        name = "forge deployments of acme/a-rather-long-name-of-a-repository"
        course.advance(1, 132, name=name, back_to=date(2026, 8, 14), share=0.25)
        assert course.words(200) == f"{name} · back to 2026-08-14 · 132 requests of about 528"
        assert course.words(68) == "forge dep…epository · back to 2026-08-14 · 132 requests of about 528"
        assert course.words(50) == "forge deplo…repository · 132 requests of about 528"

    @given(most=st.integers(30, 120), name=st.text("abc/ ", max_size=90), requests=st.integers(0, 99_999))
    def test_no_line_is_longer_than_it_may_be(self, most: int, name: str, requests: int) -> None:
        course = Course()
        course.streams(1)
        course.stream(name, "2026-07-01 to 2026-11-20")
        assert len(course.words(most)) <= most
        course.advance(1, requests, name=name, back_to=date(2026, 8, 14), share=0.5)
        line = course.words(most)
        assert len(line) <= most
        assert str(requests or 1) in line


def test_a_log_has_a_plain_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 1000, 10))
    monkeypatch.setattr(watched, "monotonic", lambda: float(next(seconds)))
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    with watched.watched() as progress:
        for n in range(1, 9):
            progress.advance(1, n, name="forge runs", back_to=date(2026, 11, n), share=n / 10)
    lines = log.getvalue().splitlines()
    assert lines[0] == "forge runs · back to 2026-11-03 · 6 requests of about 20"
    assert len(lines) == 2


class TestTheWait:
    def verdict(self, chance: float) -> Verdict:
        return Verdict(lambda: NOW, lambda: chance)

    def heard(self, verdict: Verdict, wait: timedelta) -> datetime:
        told = verdict.hear(RetryAt(NOW + wait, "enough"))
        assert isinstance(told, RetryAt)
        return told.time

    def test_an_hour_is_stretched_by_a_minute_at_most_and_a_minute_by_six_seconds(self) -> None:
        hour, minute = timedelta(hours=1), timedelta(minutes=1)
        assert self.heard(self.verdict(0.0), hour) == NOW + hour
        assert self.heard(self.verdict(1.0), hour) == NOW + hour + minute
        assert self.heard(self.verdict(0.5), minute) == NOW + minute + timedelta(seconds=3)

    @given(chance=st.floats(0, 1), seconds=st.integers(-60, 7200))
    def test_nobody_comes_back_before_the_time_that_was_said(self, chance: float, seconds: int) -> None:
        wait = timedelta(seconds=seconds)
        back = self.heard(self.verdict(chance), wait)
        assert wait <= back - NOW <= wait + min(max(wait, timedelta()) * JITTER, LONGEST_JITTER)

    def test_two_processes_come_back_apart_and_the_streams_of_one_together(self) -> None:
        one, other = self.verdict(0.2), self.verdict(0.7)
        wait = timedelta(minutes=30)
        first, second = self.heard(one, wait), self.heard(one, wait - timedelta(seconds=5))
        assert first == second != self.heard(other, wait)

    def test_the_longer_wait_counts(self) -> None:
        one = self.verdict(0.0)
        self.heard(one, timedelta(minutes=1))
        assert self.heard(one, timedelta(minutes=10)) == NOW + timedelta(minutes=10)
        assert isinstance(one.error, RetryAt)
        assert one.error.time == NOW + timedelta(minutes=10)

    def test_a_wait_with_some_requests_leaves_the_others_to_be_made(self) -> None:
        one = self.verdict(0.0)
        one.hear(RetryAt(NOW + timedelta(hours=1), "enough", "graphql"))
        one.check("core")
        one.check()
        assert one.error is None
        with pytest.raises(RetryAt, match="enough"):
            one.check("graphql")
        one.hear(RetryAt(NOW + timedelta(minutes=1), "slow down"))
        for resource in ("core", "graphql", None):
            with pytest.raises(RetryAt, match="slow down"):
                one.check(resource)

    def test_failures_in_a_row_end_it_and_one_success_between_them_does_not(self) -> None:
        one = self.verdict(0.0)
        for _ in range(GIVE_UP_AFTER - 1):
            one.hear(SourceError("down"))
        one.hear(None)
        one.hear(SourceError("down"))
        assert one.error is None
        one.check()
        for _ in range(GIVE_UP_AFTER - 1):
            one.hear(SourceError("down for good"))
        assert isinstance(one.error, SourceError)
        one.check()  # those under way may end what they are at
