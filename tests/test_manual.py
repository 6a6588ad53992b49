"""Values recorded by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from keyresults.collectors.manual import Manual, manual_sample, manual_stream
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.ranges import TimeRange
from pydantic import ValidationError

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


class TestContract(CollectorContract):
    @pytest.fixture
    def case(self, tmp_path) -> Case:
        return Case(
            collector=Manual,
            options={},
            queries=[("samples", {"metric": "engagement"})],
            window=TimeRange(NOON - timedelta(days=30), NOON),
            now=NOON,
            base=tmp_path,
            has_facts=False,
        )


def test_each_metric_has_a_stream_of_its_own():
    assert manual_stream("people", "engagement").id != manual_stream("people", "nps").id
    assert manual_stream("people", "nps").subject == "nps"


def test_a_query_names_its_metric():
    with pytest.raises(ValidationError):
        Manual.Queries["samples"].model_validate({})


def test_a_value_is_kept_under_its_instant_whatever_the_zone():
    berlin = NOON.astimezone(ZoneInfo("Europe/Berlin"))
    first, again = manual_sample("nps", 41.0, NOON), manual_sample("nps", 42.0, berlin)
    assert first.key == again.key
    assert (again.value, again.at, again.until) == (42.0, NOON, None)


def test_evidence_is_a_link_or_a_note():
    link = manual_sample("nps", 41.0, NOON, by="ana", evidence="https://example.org/survey")
    note = manual_sample("nps", 41.0, NOON, evidence="the spring survey")
    assert (link.url, link.note, link.by) == ("https://example.org/survey", None, "ana")
    assert (note.url, note.note, note.by) == (None, "the spring survey", None)
