"""The worked tables of docs/status.md, computed again."""

import re
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from keyresults.krs.comparison import cut
from keyresults.krs.judgement import Judgement, Status
from keyresults.krs.model import ChangeBy, Keep, Pace, PlanPoint, Reach, Revision, Threshold
from keyresults.krs.pace import Course, needed_pace, pace_status
from keyresults.krs.rollup import roll_up
from keyresults.metrics.calendar import ClosedPeriod
from keyresults.metrics.quantity import Quantity
from keyresults.metrics.unit import COUNT, PER_WORKDAY, Unit
from keyresults.metrics.window import WindowLength
from krs_cases import BERLIN, COUNTED, SECONDS, START, day, judged, key_result, reading, series, stated, traits

PAGE = (Path(__file__).parent.parent / "docs" / "status.md").read_text(encoding="utf-8")
METRICS = {
    "coverage": traits(better="higher"),
    "latency": traits(unit=SECONDS, better="lower"),
    "score": traits(unit=Unit.parse("points"), better=None),
    "incidents": COUNTED,
    "deployments": COUNTED,
}


def rows(heading):
    section = PAGE.split(f"### Worked: {heading}\n")[1].split("\n#")[0]
    table = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    found = [[cell.strip().strip("`") for cell in re.split(r"\s\|\s", line)] for line in table[2:]]
    assert found
    return found


def amount(text, unit):
    number = re.fullmatch(r"-?[\d.]+", text)
    return None if text == "–" else Quantity.parse(float(text) if number else text).into(unit)


def target(text, unit):
    ((kind, written), *more) = tomllib.loads(f"target = {text}")["target"].items()
    if kind == "from":
        return Reach(Quantity.parse(more[0][1]).into(unit), Quantity.parse(written).into(unit), text)
    if kind == "to":
        return Reach(Quantity.parse(written).into(unit), None, text)
    if kind == "change":
        by = Quantity.parse(written)
        return ChangeBy(by.value, by.kind == "percent", text)
    return Threshold(kind, Quantity.parse(written).into(unit), text)


@pytest.mark.parametrize("row", rows("targets"), ids=" ".join)
def test_targets(row):
    text, name, baseline, value, limit, raw, shown = row
    metric = METRICS[name]
    start = amount(baseline, metric.unit)
    judgement = judged(
        key_result(target(text, metric.unit)),
        [reading(day(23), amount(value, metric.unit))],
        day(23),
        traits={"m": metric},
        baseline=None if start is None else stated(start),
    )
    assert judgement.target_value == pytest.approx(amount(limit, metric.unit))
    assert judgement.raw_progress == pytest.approx(float(raw))
    assert f"{judgement.progress:.0%}" == shown


@pytest.mark.parametrize("row", rows("expected progress"), ids=" ".join)
def test_expected_progress(row):
    window, plan, gone, expected = row
    point = re.fullmatch(r"(\d+)% on day (\d+)", plan)
    points = () if point is None else (PlanPoint(START + timedelta(days=int(point[2]) - 1), int(point[1]) / 100),)
    course = Course(
        start=day(0),
        deadline=day(92),
        window=WindowLength(None if window == "cycle" else int(window)),
        plan=points,
        calendar=BERLIN,
    )
    assert course.expected(day(int(gone))) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("row", rows("status by pace"), ids=" ".join)
def test_status_by_pace(row):
    kind, elapsed, expected, raw, gap, needed, status = row
    progress = float(raw) / (0.70 if kind == "aspirational" else 1)
    assert float(expected) - progress == pytest.approx(float(gap), abs=1e-9)
    assert needed_pace(progress, float(expected)) == pytest.approx(float(needed), abs=1e-4)
    assert pace_status(progress, float(expected), float(elapsed), Pace()) == status


@pytest.mark.parametrize("row", rows("days to keep"), ids=" ".join)
def test_days_to_keep(row):
    days, share, gone, bad, budget, raw, status = row
    limit = Threshold("at_most", 0.45, "450ms")
    kr = key_result(
        Keep(limit, amount(share, METRICS["coverage"].unit), ""), deadline=START + timedelta(days=int(days) - 1)
    )
    readings = series(lambda n: 0.5 if n <= int(bad) else 0.4, day(int(gone)))
    judgement = judged(kr, readings, day(int(gone)), traits={"m": METRICS["latency"]}, baseline=None)
    assert judgement.kept.budget == pytest.approx(float(budget))
    assert judgement.raw_progress == pytest.approx(float(raw))
    assert judgement.status == status


@pytest.mark.parametrize("row", rows("objectives"), ids=" ".join)
def test_objectives(row):
    key_results, progress, status, measured = row
    result = roll_up(_judgement(text) for text in key_results.split(", "))
    assert result.status == status
    assert ("–" if result.progress is None else f"{result.progress:.0%}") == progress
    assert f"{result.measured} of {result.total}" == measured


def _judgement(text):
    status, raw, weight = text.split(" ")
    return Judgement(
        status=Status(status),
        why="",
        reading=None,
        baseline=None,
        raw_progress=amount(raw, COUNT),
        satisfied=status == "met",
        deadline=date(2026, 12, 31),
        weight=float(weight.removeprefix("×")),
        metric="m",
    )


DECEMBER = replace(BERLIN, closed=(ClosedPeriod(date(2026, 12, 19), date(2026, 12, 31), "Change freeze"),))
WITHDRAWAL = Revision(on=date(2026, 11, 16), reason="The product is sold", withdraw=True)


def _story(name, number, value):
    """The key result of a story, with its readings up to the end of a day, and how it is judged."""
    at = day(number)
    steady = [reading(day(n), 0.60 + ((value or 0.60) - 0.60) * n / number) for n in range(1, number + 1)]
    match name:
        case "clocks":
            return key_result(), steady, {}
        case "late start":
            first = date(2026, 11, 1)
            own = [reading(day(31 + n), 0.60 + (value - 0.60) * n / (number - 31)) for n in range(1, number - 30)]
            return key_result(start=first), own, {"baseline": stated(0.60, first)}
        case "freeze":
            first = date(2026, 12, 1)
            kr = key_result(Threshold("at_least", 1.0, "1/workday"), start=first)
            ends = [BERLIN.end_of(first + timedelta(days=n)) for n in range(number)]
            # What comes in the freeze is no longer looked at: until then the rate was 1.
            readings = [
                reading(end, value if end == ends[min(number, 18) - 1] and number <= 18 else 1.0) for end in ends
            ]
            metric = traits(unit=PER_WORKDAY, days=7)
            return kr, readings, {"calendar": DECEMBER, "traits": {"m": metric}, "baseline": stated(0.5, first)}
        case "outage":
            seen = [reading(day(n), None) if 40 <= n <= 46 else one for n, one in enumerate(steady, 1)]
            return key_result(), seen, {}
        case "stuck":
            return key_result(), series(lambda n: 0.60 + 0.25 * min(n, 35) / 92, at), {}
        case "withdrawn":
            return key_result(revisions=(WITHDRAWAL,)), steady, {}
    raise AssertionError(name)


@pytest.mark.parametrize("row", rows("whole stories"), ids=" ".join)
def test_whole_stories(row):
    name, number, value, raw, expected, status, flags = row
    shown = (
        None if value == "–" else Quantity.parse(value if "%" in value else float(value)).into(METRICS["coverage"].unit)
    )
    kr, readings, more = _story(name, int(number), shown)
    at = BERLIN.end_of(date(2026, 12, int(number))) if name == "freeze" else day(int(number))
    judgement = judged(kr, readings, at, **more)
    assert judgement.status == status
    assert judgement.raw_progress == (None if raw == "–" else pytest.approx(float(raw), abs=5e-5))
    assert judgement.expected == (None if expected == "–" else pytest.approx(float(expected), abs=5e-5))
    assert [flag.code for flag in judgement.flags] == ([] if flags == "–" else [flags])


def test_the_page_names_every_status():
    assert {status.value for status in Status} - set(re.findall(r"`(\w+)`", PAGE)) == set()


def test_the_cut_of_the_page():
    assert cut(0.849) == 0.84
