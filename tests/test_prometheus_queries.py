"""What a metric may ask of Prometheus."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.collectors.prometheus_days import AskedDays
from keyresults.collectors.prometheus_queries import SamplesQuery
from pydantic import ValidationError

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "either `query` or `histogram`"),
        ({"query": "x", "histogram": "x_bucket"}, "either `query` or `histogram`"),
        ({"query": "  "}, "asks nothing"),
        ({"query": "rate(x[$days])"}, "only \\$day"),
        ({"query": "x", "by": "service"}, "select"),
        ({"query": "x", "by": "service", "select": "a", "across": "max"}, "either"),
        ({"query": "x", "across": "max"}, "need `by`"),
        ({"query": "x", "select": "a"}, "need `by`"),
        ({"query": "x", "min_count": 5}, "needs `count`"),
        ({"query": "x", "count": "y", "min_count": 0}, "greater than 0"),
        ({"histogram": "rate(x_bucket[5m])"}, "only the selector"),
        ({"histogram": "x_bucket", "by": "service"}, "leave out by"),
        ({"query": "x", "across": "median"}, "'max', 'min', 'sum' or 'mean'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(asked, words):
    with pytest.raises(ValidationError, match=words):
        SamplesQuery.model_validate(asked)


def test_a_histogram_is_increased_over_the_day():
    query = SamplesQuery(histogram=' x_bucket{service="a"} ')
    assert query.value_promql(timedelta(hours=25)) == 'sum by (le) (increase(x_bucket{service="a"}[90000s]))'


def test_the_day_is_replaced_in_the_count_as_well():
    query = SamplesQuery(query="a[$day]", count="b[$day] + c[$day]")
    assert query.count_promql(timedelta(hours=23)) == "b[82800s] + c[82800s]"


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_a_cursor_keeps_which_days_were_asked(done, silent):
    first = date(2026, 9, 1)
    asked = AskedDays(TODAY, {first + timedelta(n) for n in done}, {first + timedelta(n) for n in silent})
    assert AskedDays.read(asked.cursor(), TODAY) == asked
    tomorrow = AskedDays.read(asked.cursor(), TODAY + timedelta(1))
    assert tomorrow.done == asked.done
    assert tomorrow.silent == set()
