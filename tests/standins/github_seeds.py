"""Orders of things on GitHub made up from seeds, and cut down to what it takes where one of them ends badly."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .github_interleaving import STEPS, Stage, Step
from .github_lives import LIVES


def drawn(seed: int) -> tuple[str, list[Step]]:
    """The kind of life and the steps that a seed stands for."""
    chance = Random(seed)
    kind = sorted(LIVES)[seed % len(LIVES)]
    steps = [Step(chance.choice(STEPS), chance.getrandbits(32)) for _ in range(chance.randint(6, 26))]
    return kind, steps


def shrunk(play: Stage, kind: str, steps: Sequence[Step]) -> tuple[list[Step], str]:
    """The shortest list of steps found that still fails, and what it says."""
    left, said = list(steps), ""
    size = max(len(left) // 2, 1)
    while size:
        place = 0
        while place < len(left):
            fewer = left[:place] + left[place + size :]
            trouble = failure(play, kind, fewer)
            if trouble is None:
                place += size
            else:
                left, said = fewer, trouble
        size //= 2
    return left, said or (failure(play, kind, left) or "")


def failure(play: Stage, kind: str, steps: Sequence[Step]) -> str | None:
    try:
        play.play(kind, steps)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def check(play: Stage, seeds: range) -> None:
    """Plays the interleavings of these seeds.

    Raises:
        AssertionError: at the first that fails, with its seed and its steps cut down to those it takes.
    """
    for seed in seeds:
        kind, steps = drawn(seed)
        if failure(play, kind, steps) is not None:
            left, said = shrunk(play, kind, steps)
            raise AssertionError(f"seed {seed}, {kind}: {', '.join(map(str, left))}\n{said}")
