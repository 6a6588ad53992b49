"""docs/forecast.md says the parameters that the code has, and every column of the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from keyresults.metrics import ahead, drawn_facts, simulated_facts, simulated_samples, simulation
from keyresults.reports.trials import COLUMNS

PAGE = " ".join((Path(__file__).parent.parent / "docs" / "forecast.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (r"weeks of the past (two) years", {104: "two"}[ahead.PAST_WEEKS]),
        (r"A week (\d+) weeks older", str(ahead.HALF_LIFE)),
        (r"standard deviation of ([\d.]+) today, each week ahead", str(drawn_facts.LEVEL_NOW)),
        (r"adds a step of ([\d.]+), and", str(drawn_facts.LEVEL_WEEKLY)),
        (r"lie ([\d.]+) beside it", str(drawn_facts.LEVEL_WITHIN)),
        (r"it is ([\d.]+) today and", str(simulated_facts.DRIFT_NOW)),
        (r"today and ([\d.]+) a week, on the values", str(simulated_facts.DRIFT_WEEKLY)),
        (r"the usual change is ([\d.]+) \(", str(drawn_facts.USUAL_CHANGE)),
        (r"the usual change is ([\d.]+) \(", str(simulated_facts.USUAL_CHANGE)),
        (r"and counts as (three) months", {3: "three"}[drawn_facts.USUAL_MONTHS]),
        (r"up to (twice),", {2.0: "twice"}[drawn_facts.MOST_RESTLESS]),
        (r"a (twentieth) of its height", {0.05: "twentieth"}[simulated_samples.ANY_WEEK]),
        (r"by a standard deviation of ([\d.]+) \(of the logarithm\)", str(simulated_samples.STEP_SPREAD)),
        (r"Fewer than (\d+) days of the past half year", str(simulation.LEAST_DAYS)),
        (r"never under (\d+)\)", str(simulation.FEWEST_DRAWS)),
        (r"more than (\d+) facts a day", str(simulated_facts.FACTS_A_DAY)),
    ],
)
def test_the_page_says_the_parameter_in_use(said: str, value: str) -> None:
    assert re.findall(said, PAGE) == [value]


def test_the_page_names_every_column() -> None:
    table = PAGE.partition("| column |")[2].partition("The interval score")[0]
    first = " ".join(re.findall(r"\| ((?:`\w+`,? ?)+)\|", table))
    assert re.findall(r"`(\w+)`", first) == list(COLUMNS)
