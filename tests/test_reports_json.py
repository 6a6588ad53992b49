import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from keyresults.cli.printing import rendered
from keyresults.krs.judgement import KeptDays
from keyresults.metrics.reading import Health
from keyresults.reports import machine, markdown, terminal
from keyresults.reports.progress_report import DayValue, ProgressReport
from report_cases import (
    explanation,
    hostile_report,
    judgement,
    kept,
    key_result,
    latency,
    report,
    series,
    sources,
    told,
)

DOCS = Path(__file__).parents[1] / "docs"
SCHEMA = json.loads((DOCS / "json.schema.json").read_text())

OUTPUTS = {
    "status": lambda: machine.status(report()),
    "report": lambda: machine.full_report(told()),
    "metric": lambda: machine.metric(series()),
    "explain": lambda: machine.explanation(explanation()),
    "sources": lambda: machine.sources(sources(), "Europe/Berlin"),
}


def validator(form):
    return Draft202012Validator({"$ref": f"#/$defs/{form}", "$defs": SCHEMA["$defs"]})


@pytest.mark.parametrize("form", OUTPUTS)
def test_the_schema_describes_what_is_printed(form):
    validator(form).validate(json.loads(OUTPUTS[form]()))


@pytest.mark.parametrize("form", OUTPUTS)
def test_the_schema_notices_a_key_nobody_described(form):
    said = json.loads(OUTPUTS[form]())
    (said[0] if isinstance(said, list) else said)["surprise"] = 1
    assert not validator(form).is_valid(said)


@pytest.mark.parametrize("form", ["status", "report"])
def test_the_schema_notices_a_surprise_in_a_key_result(form):
    said = json.loads(OUTPUTS[form]())
    said["objectives"][0]["key_results"][0]["surprise"] = 1
    assert not validator(form).is_valid(said)


def test_hostile_text_is_still_valid_json():
    validator("report").validate(json.loads(machine.full_report(hostile_report())))


def test_every_key_is_documented():
    page = (DOCS / "json.md").read_text()
    documented = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]*)`", page, re.DOTALL))))
    keys = set(_keys(SCHEMA["$defs"]))
    assert "raw_progress" in keys
    assert keys <= documented


def _keys(node):
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for child in node.values():
            yield from _keys(child)
    elif isinstance(node, list):
        for child in node:
            yield from _keys(child)


def test_a_key_result_has_the_documented_numbers():
    kr = json.loads(machine.status(report()))["objectives"][0]["key_results"][0]
    assert (kr["progress"], kr["raw_progress"], kr["expected"], kr["needs"]) == (0.35, 0.3556, 0.539, 1.41)
    assert kr["baseline"] == {"value": 0.45, "at": "2026-10-01T00:00:00+02:00", "measured": True, "provisional": True}
    assert kr["target"] == {"kind": "change", "value": 0.315, "between": None, "share": None, "text": "-30%"}
    assert kr["decides_on"] == {"start": "2026-12-25T00:00:00+01:00", "end": "2027-01-01T00:00:00+01:00"}
    assert kr["kind"] == "aspirational"
    assert kr["flags"] == ["provisional"]
    assert kr["guardrails"] == [{"metric": "rollback-rate", "holds": False, "value": 0.061, "limit": "at most 5%"}]
    assert kr["revisions"] == [{"on": "2026-11-02", "reason": "Traffic doubled"}]
    assert kr["check_ins"] == [
        {"at": "2026-11-06T09:00:00+01:00", "by": "ben", "confidence": 9, "note": ""},
        {"at": "2026-11-20T09:00:00+01:00", "by": "ana", "confidence": 7, "note": "the cache goes live next week"},
    ]


def test_each_form_says_what_the_numbers_count():
    assert json.loads(machine.status(report()))["objectives"][0]["key_results"][0]["counts"] == "requests"
    assert json.loads(machine.metric(series()))["counts"] == "requests"
    assert json.loads(machine.metric(replace(series(), counted="")))["counts"] is None
    assert json.loads(machine.explanation(explanation()))["counts"] == "deployments"


def test_a_stream_is_told_in_full():
    said = json.loads(machine.sources(sources(), "Europe/Berlin"))[0]
    assert said["stream"] == "github/deployments/acme/payments@1f0c00112233aabb"
    assert (said["kind"], said["subject"]) == ("deployments", "acme/payments")
    assert said["metrics"] == ["rollback-rate", "deploys"]


def test_missing_numbers_are_null():
    kr = json.loads(machine.status(report()))["objectives"][0]["key_results"][1]
    assert (kr["baseline"], kr["progress"], kr["reading"]["value"], kr["reading"]["interval"]) == (None,) * 4


def test_times_carry_the_offset_of_the_trackers_zone():
    said = json.loads(machine.status(report()))
    assert said["as_of"] == "2026-11-23T09:00:00+01:00"


def test_the_same_numbers_stand_in_every_form():
    page = rendered(terminal.full_report(report()), colour=False)
    text = markdown.full_report(report())
    said = json.loads(machine.full_report(report()))["objectives"][0]["key_results"][0]
    for shown in ("450 ms (provisional) → 402 ms → 315 ms", "35%, expected 37%, needs 1.4× the planned pace"):
        assert shown in " ".join(page.split())
        assert shown in text
    assert [said["baseline"]["value"], said["reading"]["value"], said["target"]["value"]] == [0.45, 0.402, 0.315]


@pytest.mark.parametrize(
    "label", ["Measures", "Reading", "Baseline", "Decides on", "Revised", "Check-in", "Initiative", "Trend"]
)
def test_terminal_and_markdown_tell_the_same_details(label):
    assert f"\n  {label}" in rendered(terminal.full_report(report()), colour=False)
    assert f"\n- {label}: " in markdown.full_report(report())


def test_a_report_comes_back_from_the_store_as_it_was():
    for one in (report(), report(key_result(), kept()), report(objectives=()), hostile_report()):
        assert ProgressReport.from_json(one.to_json()) == one


def test_the_same_report_gives_the_same_bytes():
    assert report().to_json() == report().to_json()
    assert markdown.full_report(report()) == markdown.full_report(ProgressReport.from_json(report().to_json()))


@given(
    value=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    day=st.dates(min_value=date(1970, 1, 1)),
    health=st.sampled_from(Health),
    days=st.integers(0, 10**6),
)
def test_any_value_survives_the_store(value, day, health, days):
    one = report(
        key_result(
            series=(DayValue(day, value, health),),
            judgement=judgement(
                raw_progress=value, deadline=day, kept=KeptDays(days=days, measured=days, bad=0, budget=0.1)
            ),
        )
    )
    assert ProgressReport.from_json(one.to_json()) == one


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_and_infinity_are_never_written(bad):
    one = report(replace(latency(), judgement=judgement(raw_progress=bad)))
    for write in (ProgressReport.to_json, machine.status):
        with pytest.raises(ValueError):
            write(one)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"as_of": 1}', '{"as_of": null}'])
def test_text_that_is_no_report_says_so(text):
    with pytest.raises(ValueError):
        ProgressReport.from_json(text)


def test_a_stored_report_of_another_release_stays_readable():
    stored = json.loads(report().to_json())
    del stored["notices"]
    stored["objectives"][0]["future"] = 1
    assert ProgressReport.from_json(json.dumps(stored)) == report(notices=())


def test_a_report_tells_forecasts_moves_and_the_first_screen():
    said = json.loads(machine.full_report(told()))
    kr = said["objectives"][0]["key_results"][0]
    assert kr["forecast"] == {"low": 0.318, "high": 0.402, "median": 0.36, "probability": 0.22}
    assert (kr["takes"], kr["before"]["status"]) == ("P99 at most 315 ms over 25–31 Dec", "off_track")
    assert kr["before"]["at"] == "2026-11-17T09:00:00+01:00"
    assert (kr["moved"]["start"], kr["moved"]["end"]) == ("2026-11-16", "2026-11-23")
    assert (kr["moved"]["before"], kr["moved"]["after"], len(kr["moves"])) == (0.547, 0.402, 2)
    assert [f["key"] for f in kr["evidence"]] == ["acme/payments/d-7", "acme/payments/d-6"]
    assert said["since"] == "2026-11-16"
    assert said["first_screen"]["moved"] == [
        {
            "key_result": "p99",
            "words": "off track → at risk; 547 → 402 ms since 16 Nov: ledger, #123 Cache the price list",
        }
    ]
    assert [(a["kind"], a["key_result"], a["owner"], a["link"]) for a in said["first_screen"]["asks"]] == [
        ("talk", None, None, "keyresults check"),
        ("talk", "p99", "ana", "keyresults checkin p99"),
        ("blind", None, None, "keyresults sources"),
    ]
    assert said["first_screen"]["more_asks"] == 2
