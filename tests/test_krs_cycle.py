"""Cycles by their names."""

from datetime import date

import pytest
from keyresults.krs.cycle import Cycle


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-H1", date(2026, 1, 1), date(2026, 6, 30)),
        ("2026-H2", date(2026, 7, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_name_tells_the_days(name, start, end):
    assert Cycle.named(name) == Cycle(name, start, end)


@pytest.mark.parametrize("name", ["winter", "2026-Q5", "2026-13", "2026-Q", "26-Q1", "2026-H3"])
def test_other_names_tell_nothing(name):
    assert Cycle.named(name) is None
