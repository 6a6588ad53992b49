"""Objectives from key results."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.krs.judgement import Judgement, Status
from keyresults.krs.rollup import roll_up

UNMEASURED = (Status.UNKNOWN, Status.NOT_MEASURED)


def one(status, raw=None, weight=1.0, satisfied=None):
    return Judgement(
        status=Status(status),
        why="",
        reading=None,
        baseline=None,
        raw_progress=raw,
        satisfied=status == "met" if satisfied is None else satisfied,
        deadline=date(2026, 12, 31),
        weight=weight,
        metric="m",
    )


def rolled(*judgements):
    result = roll_up(judgements)
    return result.status.value, result.progress, result.measured, result.total


def test_progress_is_the_weighted_mean_and_status_the_worst():
    # (1 × 0.5 + 3 × 0.9) / 4
    assert rolled(one("at_risk", 0.5), one("on_track", 0.9, weight=3)) == ("at_risk", 0.80, 2, 2)


def test_progress_is_clamped_before_it_is_averaged():
    assert rolled(one("met", 3.0), one("off_track", -2.0)) == ("off_track", 0.5, 2, 2)


def test_the_mean_is_cut():
    assert rolled(*(one("on_track", p) for p in (0.6, 0.6, 0.61)))[1] == 0.60


def test_nothing_unreached_rounds_to_all():
    assert rolled(one("on_track", 1 - 1e-12))[1] == 0.99
    assert rolled(one("met", 1.0))[1] == 1.0


def test_the_order_of_statuses_from_worst_to_best():
    order = ["missed", "off_track", "held_back", "at_risk", "on_track", "landed", "met"]
    for n, worse in enumerate(order):
        for better in order[n:]:
            assert rolled(one(better, 0.5), one(worse, 0.5))[0] == worse


@pytest.mark.parametrize("aside", [one("withdrawn", 0.1), one("draft", 0.1), one("off_track", 0.1, weight=0)])
def test_withdrawn_drafts_and_weight_0_are_in_neither(aside):
    assert rolled(one("met", 1.0), aside) == ("met", 1.0, 1, 1)
    assert rolled(aside) == ("unknown", None, 0, 0)


def test_those_not_started_are_in_neither():
    assert rolled(one("met", 1.0), one("not_started")) == ("met", 1.0, 1, 1)
    assert rolled(one("not_started"), one("not_started"), one("withdrawn")) == ("not_started", None, 0, 0)


def test_nothing_at_all_is_unknown():
    assert rolled() == ("unknown", None, 0, 0)


@pytest.mark.parametrize("status", [s.value for s in UNMEASURED])
def test_unmeasured_is_never_0_and_keeps_it_from_the_best(status):
    assert rolled(one("met", 1.0), one("met", 0.8), one(status)) == ("on_track", 0.90, 2, 3)
    assert rolled(one("off_track", 0.1), one("met", 1.0), one(status))[0] == "off_track"


def test_under_half_the_weight_measured_is_unknown():
    assert rolled(one("met", 1.0), one("unknown"))[0] == "on_track"  # exactly half
    assert rolled(one("met", 1.0), one("unknown", weight=1.01)) == ("unknown", 1.0, 1, 2)
    assert rolled(one("unknown")) == ("unknown", None, 0, 1)


def test_thirds_and_tenths_of_weights_are_still_half():
    assert rolled(one("met", 1.0, 0.1), one("met", 1.0, 0.2), one("unknown", None, 0.3))[0] == "on_track"


judgements = st.builds(
    one,
    st.sampled_from([s.value for s in Status]),
    st.none() | st.floats(-2, 3),
    st.floats(0, 10),
)


@given(st.lists(judgements, max_size=7).flatmap(lambda js: st.tuples(st.just(js), st.permutations(js))))
def test_the_order_of_key_results_means_nothing(both):
    assert roll_up(both[0]) == roll_up(both[1])
