"""More orders of what happens on GitHub and of what goes wrong; some of them drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standins.github_interleaving import STEPS, Stage, Step, stage
from standins.github_lives import LIVES
from standins.github_seeds import check

pytestmark = pytest.mark.soak  # many orders of what happens: in CI, and not for every change

BLOCK = 50


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("interleavings")) as one:
        yield one


@pytest.mark.parametrize("block", range(1, 2))
def test_after_a_sweep_the_store_holds_what_github_tells(play: Stage, block: int) -> None:
    check(play, range(block * BLOCK, (block + 1) * BLOCK))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(LIVES)),
    steps=st.lists(st.builds(Step, st.sampled_from(sorted(set(STEPS))), st.integers(0, 2**20)), max_size=15),
)
def test_orders_that_hypothesis_thinks_of_end_well(play: Stage, kind: str, steps: list[Step]) -> None:
    play.play(kind, steps)
