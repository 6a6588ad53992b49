"""Lengths of time beside facts: exact, in units people read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.metrics.span import length_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (280_320, "3 d 5 h 52 min"),
        (86_400, "1 d"),
        (3_605, "1 h 5 s"),
        (59.6, "1 min"),
        (47, "47 s"),
        (0.25, "0.25 s"),
        (0, "0 s"),
        (-90, "-1 min 30 s"),
    ],
)
def test_a_length_has_every_unit_there_is_some_of(seconds: float, words: str) -> None:
    assert length_in_words(seconds) == words


@given(st.integers(min_value=1, max_value=10**9))
def test_no_second_is_lost(seconds: int) -> None:
    units = {"d": "days", "h": "hours", "min": "minutes", "s": "seconds"}
    words = length_in_words(seconds).split()
    said = {units[unit]: int(number) for number, unit in zip(words[::2], words[1::2], strict=True)}
    assert timedelta(**said) == timedelta(seconds=seconds)
