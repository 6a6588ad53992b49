"""Quotas in the store: what may still be taken, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.storage.account import Quota
from keyresults.storage.store import Store

SECOND = 1_000_000
NOW = 1_800_000_000 * SECOND
RESET = NOW + 3600 * SECOND


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


def takes(store: Store, *, now: int = NOW, reserve: float = 0.0, resource: str = "core") -> bool:
    turn = store.spend("mark", resource, 1, reserve=reserve, per_minute=None, now=now, paced_at=now)
    return turn.until is None


def hears(
    store: Store, remaining: int | None, *, limit: int = 100, reset: int = RESET, now: int = NOW, free: bool = False
) -> None:
    quota = None if remaining is None else Quota(limit=limit, remaining=remaining, reset=reset)
    store.hear("mark", "core", quota, free=free, now=now)


def taken(store: Store, **said: float) -> int:
    """How many can be taken on end."""
    return next(n for n in range(1000) if not takes(store, **said))


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(11, 30),
    reserve=st.sampled_from([0.0, 0.1, 0.25, 0.5]),
    steps=st.lists(st.tuples(st.sampled_from(["send", "arrive", "free", "read"]), st.integers(0, 9)), max_size=120),
)
def test_however_two_processes_interleave_no_more_is_used_than_the_limit_less_the_reserve(
    limit: int, reserve: float, steps: list[tuple[str, int]]
) -> None:
    with TemporaryDirectory() as folder:
        handles = [Store.open(f"sqlite:///{folder}/store.db") for _ in range(2)]
        under_way, used = 0, 0
        answers: list[tuple[int, bool]] = []
        hears(handles[0], limit, limit=limit)
        for step, which in steps:
            store = handles[which % 2]
            if step == "send":
                under_way += takes(store, reserve=reserve)
            elif step in ("arrive", "free") and under_way:
                under_way -= 1
                used += step == "arrive"
                answers.append((limit - used, step == "free"))
            elif step == "read" and answers:
                remaining, free = answers.pop(which % len(answers))
                hears(store, remaining, limit=limit, free=free)
            assert used + under_way <= limit - reserve * limit
        for store in handles:
            store.close()


def test_the_reserve_is_left_and_the_next_window_opens_the_account(store: Store) -> None:
    hears(store, 100)
    assert taken(store, reserve=0.2) == 80
    turn = store.spend("mark", "core", 1, reserve=0.2, per_minute=None, now=NOW, paced_at=NOW)
    assert turn.until == RESET
    assert takes(store, reserve=0.1), "another source may leave less to others"
    assert takes(store, reserve=0.2, now=RESET)


def test_what_others_use_is_heard_of(store: Store) -> None:
    hears(store, 100)
    assert takes(store)
    hears(store, 40)
    hears(store, 60)
    assert taken(store) == 40


def test_answers_that_cost_nothing_give_back(store: Store) -> None:
    hears(store, 100)
    for _ in range(300):
        assert takes(store)
        hears(store, 100, free=True)
    assert taken(store) == 100


def test_before_anything_is_heard_few_may_be_under_way(store: Store) -> None:
    assert taken(store) == 10
    hears(store, 99)
    # Nine others are under way, of which the answer may not know.
    assert taken(store) == 90


def test_requests_whose_answers_are_lost_block_for_a_minute_at_most(store: Store) -> None:
    assert taken(store) == 10
    assert takes(store, now=NOW + 60 * SECOND)


def test_a_source_that_counts_nothing_is_never_used_up(store: Store) -> None:
    for _ in range(200):
        assert takes(store)
        hears(store, None)


def test_a_later_window_replaces_an_earlier_one_and_its_late_answers_do_not_count(store: Store) -> None:
    hears(store, 3)
    hears(store, 90, reset=RESET + 3600 * SECOND)
    hears(store, 1)
    assert taken(store) == 90


def test_a_window_of_a_clock_ahead_of_the_sources_is_kept(store: Store) -> None:
    hears(store, 20, reset=NOW - 30 * SECOND)
    assert taken(store, reserve=0.2) == 0
    assert takes(store, reserve=0.2, now=NOW + 60 * SECOND)


def test_resources_and_credentials_are_counted_apart(store: Store) -> None:
    hears(store, 0)
    assert not takes(store)
    assert takes(store, resource="graphql")
    assert store.spend("other", "core", 1, reserve=0, per_minute=None, now=NOW, paced_at=NOW).until is None


# ---- the pace


def waits(store: Store, now: int, per_minute: int = 900) -> float | None:
    """Seconds; None where nothing was taken."""
    turn = store.spend("mark", "core", 1, reserve=0, per_minute=per_minute, now=NOW, paced_at=now)
    return None if turn.until is not None else turn.wait / SECOND


@pytest.mark.parametrize("per_minute", [900, 2000])
def test_no_minute_sees_more_requests_than_allowed(store: Store, per_minute: int) -> None:
    hears(store, 100_000, limit=100_000)
    sent: list[float] = []
    now = 0.0
    while now < 90:
        wait = waits(store, NOW + int(now * SECOND), per_minute)
        assert wait is not None
        now += wait
        sent.append(now)
    within = max(sum(start <= other < start + 60 for other in sent) for start in sent[:: per_minute // 20])
    assert within <= per_minute
    assert within > 0.97 * per_minute, "and not far fewer"


def test_a_turn_that_comes_later_than_in_seconds_is_the_schedulers(store: Store) -> None:
    hears(store, 5000, limit=5000)
    found = [waits(store, NOW) for _ in range(200)]
    assert found[:60] == [0.0] * 60
    # 60 go at once, and 840 in the minute after: 70 in five seconds.
    assert found.index(None) in (129, 130)
    turn = store.spend("mark", "core", 1, reserve=0, per_minute=900, now=NOW, paced_at=NOW)
    assert turn.paced
    assert turn.until is not None
    assert 5 < (turn.until - NOW) / SECOND < 5.2


@pytest.mark.parametrize("back", [1, 20, 86_400])
def test_a_clock_set_back_holds_nothing_up(store: Store, back: int) -> None:
    hears(store, 5000, limit=5000)
    while waits(store, NOW) is not None:
        pass
    earlier = NOW - back * SECOND
    turn = store.spend("mark", "core", 1, reserve=0, per_minute=900, now=earlier, paced_at=earlier)
    assert (turn.until or earlier + turn.wait) <= earlier + 60 * SECOND


def test_a_window_is_forgotten_when_the_clock_is_set_far_back(store: Store) -> None:
    hears(store, 0)
    assert takes(store, now=NOW - 86_400 * SECOND)
