"""The worked tables of docs/closing.md, computed again."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from keyresults.krs.grading import HandGrade, as_begun, grade, grade_objective
from keyresults.krs.model import Guardrail, Keep, Reach, Revision, Threshold
from keyresults.metrics.quantity import Quantity
from keyresults.metrics.unit import RATIO
from krs_cases import SECONDS, day, judged, key_result, reading, series, traits

PAGE = (Path(__file__).parent.parent / "docs" / "closing.md").read_text(encoding="utf-8")
END = day(92)
LATENCY = {"m": traits(unit=SECONDS, better="lower")}
EIGHTY = date(2026, 12, 19)
YES = {"yes": True, "no": False, "–": None}


def rows(heading):
    section = PAGE.split(f"### Worked: {heading}\n")[1].split("\n#")[0]
    table = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    found = [[cell.strip() for cell in line.split("|")] for line in table[2:]]
    assert found
    return found


def ratio(text):
    return Quantity.parse(text).into(RATIO)


def written(value):
    return "–" if value is None else f"{value:.2f}"


def reached(kind, value, errors="–"):
    guarded = () if errors == "–" else (Guardrail("errors", Threshold("at_most", 0.05, "5%")),)
    held = {} if errors == "–" else {"errors": reading(END, ratio(errors))}
    known = {"m": traits(), "errors": traits("errors")}
    at_end = None if value is None else ratio(value)
    kr = key_result(guardrails=guarded)
    return judged(kr, [reading(END, at_end)], END, kind=kind, guardrails=held, traits=known)


def kept(words):
    bad, measured = map(int, re.findall(r"\d+", words))
    keep = Keep(Threshold("at_most", 0.450, "450ms"), 0.95, "")
    readings = series(lambda days: None if days > measured else 0.5 if days <= bad else 0.4, day(80))
    return judged(key_result(keep, deadline=EIGHTY), readings, day(80), traits=LATENCY, baseline=None)


@pytest.mark.parametrize("row", rows("grades"), ids=" ".join)
def test_grades(row):
    kind, target, at_end, errors, value, success = row
    judgement = kept(at_end) if target == "95% of 80 days" else reached(kind, at_end, errors)
    found = grade(kind, judgement)
    assert (written(found.value), found.succeeded) == (value, YES[success])


@pytest.mark.parametrize("row", rows("targets that were revised"), ids=" ".join)
def test_revised_targets(row):
    first, last, at_end = (Quantity.parse(text).into(SECONDS) for text in row[:3])
    revision = Revision(on=date(2026, 11, 2), reason="Traffic doubled", target=Reach(last, 0.6, ""))
    kr = key_result(Reach(first, 0.6, ""), revisions=(revision,))
    by_last, by_first = (
        judged(one, [reading(END, at_end)], END, traits=LATENCY) for one in (kr, as_begun(kr, kr.deadline))
    )
    found = grade("committed", by_last, first=by_first)
    assert [written(found.value), found.succeeded] == [row[3], YES[row[4]]]
    assert [written(found.first.value), found.first.succeeded] == [row[5], YES[row[6]]]


@pytest.mark.parametrize("row", rows("grades of objectives"), ids=" ".join)
def test_objectives(row):
    kind, key_results, value, graded, successes, too_easy = row
    found = grade_objective(kind, [part(kind, text) for text in key_results.split(", ")])
    assert (written(found.value), f"{found.graded} of {found.total}") == (value, graded)
    assert (str(found.succeeded), found.too_easy) == (successes, YES[too_easy])


def part(kind, text):
    value, weight = text.split(" ×")
    by_hand = re.fullmatch(r"([\d.]+) by hand", value)
    measured = None if by_hand or value == "unmeasured" else value
    judgement = replace(reached(kind, measured), weight=float(weight))
    return judgement, grade(kind, judgement, hand=HandGrade(float(by_hand[1]), "by hand") if by_hand else None)
