"""What a config without errors still leaves to say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import evaluate
from keyresults.jobs.notices import concerns_of

LATER = NOW + timedelta(days=1)


@pytest.fixture
def config(tmp_path):
    return write_scene(tmp_path, rows(60))


def said_after(config, old, new):
    """What `check` and the report say a day after the config was collected with and then edited."""
    with workspace(config) as one:
        collect(one)
    config.write_text(config.read_text().replace(old, new, 1))
    with workspace(config, LATER, writing=False) as edited:
        checked = concerns_of(edited)
        assert list(evaluate(edited, as_of=LATER).notices) == checked
    return checked


def test_before_the_first_collection_there_is_nothing_to_say(config):
    with workspace(config, writing=False) as one:
        assert concerns_of(one) == []
    assert not (config.parent / ".keyresults").exists()


def test_a_target_that_changed_without_a_reason_is_told_with_its_day(config):
    said = said_after(config, 'target = { below = "1%" }', 'target = { below = "9%" }')
    assert len(said) == 1
    assert said[0].startswith("rollbacks: target ")
    assert "9%" in said[0]
    assert said[0].endswith("changed without a reason, first seen on 2026-11-21")


def test_a_window_that_changed_is_told_too(config):
    said = said_after(config, 'window = "28d"', 'window = "14d"')
    assert any(s.startswith("rollbacks: definition of its metric") and "over 14 days" in s for s in said)


def test_a_vanished_key_result_is_told(config):
    old = config.read_text().split("  [[objectives.key_results]]")[3]
    said = said_after(config, f"  [[objectives.key_results]]{old}", "")
    assert said == ["mood: vanished from the file without being withdrawn, last seen on 2026-11-20"]


def test_a_renamed_key_result_is_no_change(config):
    assert said_after(config, 'id = "rollbacks"', 'id = "returns"\n  was = "rollbacks"') == []


def test_a_revision_with_a_reason_is_no_change(config):
    revised = (
        'target = { below = "1%" }\n'
        '  revisions = [{ on = 2026-11-21, reason = "Two services joined", target = { below = "2%" } }]'
    )
    assert said_after(config, 'target = { below = "1%" }', revised) == []
