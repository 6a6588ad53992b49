"""Scores by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.forecast import forecast
from keyresults.krs.scoring import Place, brier, interval_score, is_covered
from keyresults.krs.trials import Trial, track_record

ORIGIN = datetime(2026, 9, 1, tzinfo=UTC)


def trial(**fields: Any) -> Trial:
    given: dict[str, Any] = {
        "subject": "shop",
        "series": "releases",
        "kind": "count",
        "unit": "count",
        "origin": ORIGIN,
        "deadline": ORIGIN + timedelta(days=30),
        "days_left": 30,
        "known": 5.0,
        "low": 4.0,
        "high": 8.0,
        "median": 6.0,
        "probability": 0.7,
        "target": 5.0,
        "direction": "above",
        "outcome": 6.0,
        "satisfied": True,
        "below": 0.4,
        "not_above": 0.6,
        "chance": 0.5,
        "pit": 0.5,
        "rival_low": 2.0,
        "rival_high": 10.0,
        "rival_probability": 0.5,
        "past_frequency": 0.4,
        "no_forecast": "",
    }
    return Trial(**{**given, **fields})


SILENT = {"low": None, "high": None, "median": None, "probability": None, "below": None, "not_above": None, "pit": None}


@pytest.mark.parametrize(
    ("outcome", "score"),
    [(6.0, 4.0), (4.0, 4.0), (8.0, 4.0), (3.0, 4.0 + 10), (10.0, 4.0 + 20)],
)
def test_an_interval_costs_its_width_and_ten_times_what_it_missed_by(outcome: float, score: float) -> None:
    assert interval_score(4.0, 8.0, outcome) == pytest.approx(score)


def test_a_probability_costs_the_square_of_its_error() -> None:
    assert brier(0.7, True) == pytest.approx(0.09)
    assert brier(0.7, False) == pytest.approx(0.49)


def test_an_outcome_takes_its_place_among_the_draws() -> None:
    assert Place.among([3, 1, 2, 2, 5], 2) == Place(0.2, 0.6)
    assert Place.among([3, 1, 2, 2, 5], 4) == Place(0.8, 0.8)
    assert Place.among([3, 1, 2, 2, 5], 0) == Place(0.0, 0.0)
    # 0.7 × 0.3 is 0.21, though not to the last bit.
    assert Place.among([0.7 * 0.3, 0.3], 0.21) == Place(0.0, 0.5)


def test_chance_places_an_outcome_between_its_equals() -> None:
    assert Place(0.2, 0.6).randomised(0.25) == pytest.approx(0.3)
    assert [is_covered(pit) for pit in (0.05, 0.1, 0.5, 0.9, 0.95)] == [False, True, True, True, False]


def test_a_range_ends_at_values_that_were_drawn() -> None:
    found = forecast(np.array([1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 5.0, 9.0]), lambda value: value >= 4)
    assert found is not None
    # The smallest values that at least 1, 5 and 9 of the ten don't exceed.
    assert (found.low, found.median, found.high) == (1.0, 3.0, 5.0)
    assert found.probability == pytest.approx(0.4)


def test_draws_that_leave_nothing_to_measure_count_for_nothing() -> None:
    values = np.array([np.nan, 1.0, 3.0, np.nan])
    found = forecast(values, lambda value: value > 2)
    assert found is not None
    assert found.probability == pytest.approx(0.5)
    told = forecast(values, np.array([True, True, True, False]))
    assert told is not None
    assert told.probability == pytest.approx(1.0)
    assert forecast(np.array([np.nan]), lambda value: True) is None


def test_cells_count_what_lay_in_the_middle() -> None:
    record = track_record(
        [trial(), trial(pit=0.95), trial(days_left=7, outcome=9.0), trial(kind="rate", satisfied=False, outcome=3.0)]
    )
    cells = {(cell.kind, cell.days_left): cell for cell in record.cells}
    assert (cells["count", 30].n, cells["count", 30].covered) == (2, 0.5)
    assert (cells["count", 7].inside, cells["count", 7].covered) == (0.0, 1.0)
    assert cells["all", None].n == 4
    assert cells["all", None].satisfied == pytest.approx(0.75)


def test_scores_are_means_beside_those_of_rivals() -> None:
    record = track_record([trial(), trial(satisfied=False, outcome=3.0, rival_low=3.0, rival_high=9.0)])
    (count, everything) = record.scores
    # Ranges: 4, and 4 + 10 × 1. The rival's: 8, and 6.
    assert count.interval == count.interval_added == pytest.approx((4 + 14) / (8 + 6))
    assert count.probability == pytest.approx((0.09 + 0.49) / 2)
    assert count.rival == pytest.approx(0.25)
    assert count.past_frequency == pytest.approx((0.36 + 0.16) / 2)
    assert count.constant == pytest.approx(0.25)
    assert everything.interval_added is None


def test_no_series_outweighs_another_by_its_unit() -> None:
    big = trial(series="gaps", low=4e6, high=8e6, outcome=6e6, rival_low=0.0, rival_high=16e6)
    everything = track_record([trial(), big]).scores[-1]
    assert everything.interval == pytest.approx((4 / 8 + 4 / 16) / 2)


def test_a_rival_that_never_erred_is_left_out_of_the_comparison() -> None:
    record = track_record([trial(low=6.0, high=6.0, rival_low=6.0, rival_high=6.0)])
    assert record.scores[-1].interval is None


def test_probabilities_fall_into_five_bins() -> None:
    said = [trial(probability=p, satisfied=s) for p, s in ((0.1, False), (0.19, True), (0.2, False), (1.0, True))]
    bins = track_record(said).bins
    assert [one.n for one in bins] == [2, 1, 0, 0, 1]
    assert bins[0].said == pytest.approx(0.145)
    assert bins[0].came_true == pytest.approx(0.5)
    assert bins[2].said is None


def test_what_has_no_forecast_or_no_outcome_is_counted_and_not_scored() -> None:
    gone = trial(outcome=None, satisfied=None, below=None, not_above=None, pit=None)
    record = track_record([trial(), trial(**SILENT, no_forecast="too young"), gone])
    assert (record.asked, record.abstained, record.unmeasured) == (3, 1, 1)
    assert record.reasons == (("too young", 1),)
    assert record.scores[-1].n == 1


@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    limit=st.floats(-1e6, 1e6, width=32),
    rising=st.booleans(),
)
def test_the_probability_is_the_share_of_draws_that_satisfy(values, limit, rising):
    def satisfied(value):
        return value >= limit if rising else value < limit

    found = forecast(np.array(values), satisfied)
    assert found.probability == sum(satisfied(value) for value in values) / len(values)
