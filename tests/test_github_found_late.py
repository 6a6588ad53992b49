"""What once was lost, or claimed too early: each with the few steps it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from keyresults.metrics.facts import Run
from standins.github_code import Commit
from standins.github_interleaving import Interleaving, Stage, Step, stage
from standins.github_lives import LIVES

HOUR = timedelta(hours=1)
DAY = 24 * HOUR

every = pytest.mark.parametrize("kind", sorted(LIVES))


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("late")) as one:
        yield one


@pytest.fixture
def begin(play: Stage, request: pytest.FixtureRequest) -> Interleaving:
    kind = request.getfixturevalue("kind")
    return Interleaving(play, kind, request.node.name.replace(" ", "-"))


@every
def test_a_clock_ahead_of_github_s_claims_nothing_that_has_not_come(begin: Interleaving, kind: str) -> None:
    begin.ahead = 3 * DAY
    begin.poll()
    begin.holds()
    begin.ahead = timedelta()
    begin.world.now += 2 * HOUR
    begin.happen("add", Random(1))
    begin.world.now += HOUR
    begin.poll()
    begin.holds()
    begin.end()


@every
def test_what_a_reading_that_broke_off_had_told_is_taken_back_too(begin: Interleaving, kind: str) -> None:
    for seed in range(20):
        begin.happen("add", Random(seed))
        begin.world.now += HOUR
    for killed in (2, 3):
        begin.poll(Random(killed), killed=killed)
        begin.happen("withdraw", Random(killed))
        begin.world.now += HOUR
    begin.end()


@pytest.mark.parametrize("kind", ["deployments", "runs", "workflow deployments"])
def test_what_ended_during_a_pause_of_weeks_is_asked_for_once_more(begin: Interleaving, kind: str) -> None:
    for seed in range(12):
        begin.happen("add", Random(seed))
    begin.poll()
    begin.world.now += 20 * DAY
    for seed in range(12):
        begin.happen("late", Random(seed))
        begin.happen("again", Random(seed))
        begin.world.now += 60 * timedelta(seconds=1)
    begin.world.now += 25 * DAY
    begin.end()


@pytest.mark.parametrize("kind", ["runs"])
def test_a_run_that_was_not_to_be_found_for_a_moment_is_told_anew(begin: Interleaving, kind: str) -> None:
    for seed in range(20):
        begin.happen("add", Random(seed))
        begin.world.now += HOUR
    begin.poll()
    repository = begin.life.repository
    oldest = next(one for one in repository.history if isinstance(one, Run) and one.conclusion is None)
    repository.history.remove(oldest)
    begin.life.changed()
    begin.world.now += HOUR
    begin.happen("add", Random(99))
    begin.poll()
    repository.history.insert(0, oldest)
    begin.end()


@pytest.mark.parametrize("kind", ["runs"])
def test_a_run_whose_jobs_cannot_be_read_leaves_a_gap(begin: Interleaving, kind: str) -> None:
    begin.world.now += 10 * HOUR
    server = begin.stage.server
    jobs = 1 + next(n for n, path in enumerate(_asked(begin)) if path.endswith("/jobs"))
    again = Interleaving(begin.stage, kind, "jobs-again")
    again.world.now += 10 * HOUR
    server.plan = {jobs: "graphql limit"}
    again.poll()
    again.calm()
    again.holds()
    again.end()


def _asked(begin: Interleaving) -> list[str]:
    begin.poll()
    return [one.path for one in begin.stage.server.asked]


@pytest.mark.parametrize("kind", ["changes", "merges", "releases", "tags", "figures of statuses"])
def test_an_item_without_what_lies_below_it_is_not_taken_for_whole(begin: Interleaving, kind: str) -> None:
    for seed in range(9):
        begin.happen("add", Random(seed))
        begin.world.now += HOUR
    for fact in begin.life.facts():
        number = fact.key
        holed = frozenset(f"{prefix}_{number}" for prefix in ("PR", "RE", "REF", "C"))
        begin.stage.server.limits.holed = holed
        begin.poll()
        begin.holds()
        assert (stored := begin.stored().get(number)) is None or stored == fact
        begin.calm()
    begin.end()


@pytest.mark.parametrize("kind", ["merges", "figures of statuses", "figures of checks"])
def test_a_commit_dated_days_before_its_parent_is_found(begin: Interleaving, kind: str) -> None:
    begin.poll()
    code, world = begin.life.repository.code, begin.world
    world.now += DAY
    for number, back in ((501, 0 * DAY), (502, 6 * DAY), (503, 0 * DAY)):
        code.add(Commit(f"{number:040x}", world.now - back, (code.branches["main"],)))
        code.branches["main"] = f"{number:040x}"
        begin.happen("late", Random(number))
        world.now += HOUR
    begin.poll()
    begin.holds()
    begin.end()


@pytest.mark.parametrize("kind", ["deployments", "changes", "releases", "tags"])
def test_another_repository_s_empty_list_is_no_answer(begin: Interleaving, kind: str) -> None:
    begin.world.add("acme/nothing", private=True)

    def mixed_up(number: int) -> None:
        begin.world.impostor = "acme/nothing" if number > 2 else None

    begin.stage.direct.before = mixed_up
    begin.poll()
    begin.calm()
    begin.holds()
    state = begin.stage.store.state(begin.stream.id)
    assert state is None or not state.coverage
    begin.end()


@pytest.mark.parametrize("kind", ["runs"])
def test_the_end_of_a_long_run_is_not_read_from_a_part_of_its_jobs(begin: Interleaving, kind: str) -> None:
    begin.world.now += 10 * HOUR

    begin.poll()
    last = max(n for n, one in enumerate(begin.stage.server.asked, 1) if one.path.endswith("/jobs"))
    again = Interleaving(begin.stage, kind, "jobs-in-part")
    again.world.now += 10 * HOUR
    unfinished = [
        replace(run, conclusion=None, completed_at=None) for run in again.life.other.history if isinstance(run, Run)
    ]
    again.life.other.history[:] = unfinished

    def mixed_up(number: int) -> None:
        again.world.impostor = "acme/other" if number == last else None

    again.stage.direct.before = mixed_up
    again.poll()
    again.calm()
    again.holds()
    again.end()


@pytest.mark.parametrize("kind", ["runs"])
@pytest.mark.parametrize("number", [4, 6, 7, 9, 12])
def test_a_run_deleted_while_a_list_is_read_hides_no_other(begin: Interleaving, kind: str, number: int) -> None:
    for seed in range(30):
        begin.happen("add", Random(seed))
        begin.world.now += timedelta(minutes=1)
    begin.world.now += HOUR

    def deleted(request: int) -> None:
        if request == number:
            last = datetime.fromisoformat(begin.stage.server.asked[-1].query["created"].partition("..")[2])
            history = begin.life.repository.history
            gone = max((one for one in history if one.created_at <= last), key=lambda one: one.created_at)
            history.remove(gone)
            begin.life.cleared.add(gone.key)
            begin.life.changed()

    begin.stage.direct.before = deleted
    begin.poll()
    begin.calm()
    begin.holds()
    begin.end()


@pytest.mark.parametrize("kind", ["runs"])
@pytest.mark.parametrize("many", [1, 2, 30])
def test_another_repository_s_empty_list_of_jobs_makes_no_end_doubtful(
    begin: Interleaving, kind: str, many: int
) -> None:
    begin.world.now += 10 * HOUR
    jobs = 1 + next(n for n, path in enumerate(_asked(begin)) if path.endswith("/jobs"))
    again = Interleaving(begin.stage, kind, f"no-jobs-{many}")
    again.world.now += 10 * HOUR
    again.life.other.history[:] = [replace(run, attempt=9) for run in again.life.other.history if isinstance(run, Run)]

    def mixed_up(number: int) -> None:
        again.world.impostor = "acme/other" if jobs <= number < jobs + many else None

    again.stage.direct.before = mixed_up
    again.poll()
    again.calm()
    again.holds()
    again.end()


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        pytest.param(
            "runs",
            [("add", 322123607), ("poll killed", 422094321)],
            id="a first poll that was broken off is the first sweep all the same",
        ),
        pytest.param(
            "workflow deployments",
            [
                ("poll shifted", 2107716752),
                ("poll shifted", 3841608147),
                ("again", 3225519676),
                ("poll shifted", 1607090101),
            ],
            id="a repetition behind a newest page of the last minute",
        ),
    ],
)
def test_steps_that_once_ended_badly_end_well(play: Stage, kind: str, steps: list[tuple[str, int]]) -> None:
    play.play(kind, [Step(*step) for step in steps])
