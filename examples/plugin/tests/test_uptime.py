from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from keyresults.collectors.contract import ConfigError, SourceError
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.ranges import TimeRange
from keyresults_uptime.collector import Uptime

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
DAYS = {
    "2026-11-01": {"up": 86400, "of": 86400},
    "2026-11-02": {"up": 43200, "of": 86400},
    "2026-11-03": {"up": 0, "of": 0},
    "2026-11-04": {"up": 32400, "of": 32400},
}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    (tmp_path / "uptime.json").write_text(json.dumps({"components": {"api": DAYS}}))
    return Case(
        collector=Uptime,
        options={"file": "uptime.json"},
        queries=[("samples", {"component": "api"})],
        window=TimeRange(datetime(2026, 11, 1, tzinfo=UTC), NOW),
        now=NOW,
        base=tmp_path,
    )


class TestUptimeKeepsTheContract(CollectorContract):
    """All that every collector promises, tried on `case`."""


def test_only_finished_and_measured_days_are_told(case: Case) -> None:
    (stream,) = case.known_streams()
    (batch,) = case.batches(stream)
    assert [(fact.key, fact.value) for fact in batch.facts] == [("2026-11-01", 1.0), ("2026-11-02", 0.5)]
    assert batch.covered.end == datetime(2026, 11, 3, tzinfo=UTC)


def test_an_unknown_component_lists_those_there_are(case: Case) -> None:
    (stream,) = replace(case, queries=[("samples", {"component": "web"})]).known_streams()
    with pytest.raises(ConfigError, match="it has: api"):
        case.batches(stream)


@pytest.mark.parametrize("text", ["", "[]", "{}", "<html>"])
def test_a_file_of_something_else_is_a_source_error(case: Case, text: str) -> None:
    (stream,) = case.known_streams()
    (case.base / "uptime.json").write_text(text)
    with pytest.raises(SourceError, match="no status page"):
        case.batches(stream)
