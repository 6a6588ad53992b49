"""Whatever happens on GitHub, and whatever goes wrong with reading it: after one sweep the store holds its facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from keyresults.collectors.github_cursor import Progress
from standins.github_interleaving import Stage, stage
from standins.github_seeds import check

BLOCK = 50


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("interleavings")) as one:
        yield one


@pytest.mark.parametrize("block", range(1))
def test_after_a_sweep_the_store_holds_what_github_tells(play: Stage, block: int) -> None:
    check(play, range(block * BLOCK, (block + 1) * BLOCK))


def test_a_reader_that_never_sweeps_is_found_out_in_a_few_steps(play: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "sweep_is_due", lambda *_: False)
    with pytest.raises(AssertionError, match=r"seed \d+, ") as found:
        check(play, range(300))
    assert 1 <= str(found.value).count('("') <= 6, "steps that make no difference are left out"


@pytest.mark.soak
def test_ten_thousand_interleavings_end_well(play: Stage, soak: Callable[..., int]) -> None:
    check(play, range(1000, 1000 + soak(short=500, whole=10_000)))
