"""What people say of a key result, held against figures and against the rhythm that was agreed."""

from datetime import UTC, datetime

import pytest
from keyresults.krs.checkin import CheckIn, differs_from
from keyresults.krs.forecast import Forecast


def said(confidence):
    return CheckIn(at=datetime(2026, 11, 20, 9, tzinfo=UTC), by="ana", confidence=confidence)


def forecast(probability):
    return Forecast(low=1.0, high=3.0, median=2.0, probability=probability)


@pytest.mark.parametrize(
    ("confidence", "probability", "differs"),
    [(8, 0.40, True), (8, 0.41, False), (3, 0.70, True), (3, 0.69, False), (0, 0.0, False), (10, 0.0, True)],
)
def test_confidence_and_forecast_differ_from_40_points_on(confidence, probability, differs):
    assert differs_from(forecast(probability), said(confidence)) is differs


@pytest.mark.parametrize(
    ("one", "other"),
    [(None, said(10)), (forecast(0.0), None), (forecast(0.0), said(None)), (None, None)],
)
def test_nothing_differs_where_people_or_figures_say_nothing(one, other):
    assert differs_from(one, other) is False
