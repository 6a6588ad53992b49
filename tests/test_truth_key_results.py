"""Whole key results through the command: small files in, `status --json` out, every number worked out by hand.

The cycle is 2026-Q4: 92 days from 1 October. It is the end of 16 November: 31 + 16 = 47 of them have passed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from truth_scenes import Command

NOW = datetime(2026, 11, 17, tzinfo=UTC)

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[teams.payments]
people = ["ana", "ben"]

[teams.platform]
people = ["cho"]

[sources.latency]
type = "file"
files = ["latency.csv"]
facts = "samples"
covers = { from = 2026-08-01, to = 2026-11-16 }

[sources.coverage]
type = "file"
files = ["coverage.csv"]
facts = "samples"
covers = { from = 2026-08-01, to = 2026-11-16 }

[sources.timed]
type = "file"
files = ["timed.csv"]
facts = "deployments"
columns = { commit = "sha", finished_at = "done" }
covers = { from = 2026-08-01, to = 2026-11-16 }

[sources.shipped]
type = "file"
files = ["shipped.csv"]
facts = "deployments"
covers = { from = 2026-08-01, to = 2026-11-16 }

[sources.returned]
type = "file"
files = ["returned.csv"]
facts = "deployments"
covers = { from = 2026-08-01, to = 2026-11-16 }

[metrics.p99]
source = "latency"
measure = "sampled"
unit = "ms"
better = "lower"
aggregate = "median"
window = "7d"

[metrics.line-coverage]
source = "coverage"
measure = "sampled"
unit = "%"
aggregate = "last"
max_age = "14d"

[metrics.deploy-time]
source = "timed"
measure = "deployment_duration"

[metrics.deploy-frequency]
source = "shipped"
measure = "deployment_frequency"

[metrics.shipped-and-returned]
source = "shipped"
measure = "rollback_rate"

[metrics.rollback-rate]
source = "returned"
measure = "rollback_rate"

[[objectives]]
id = "reliability"
title = "Significantly improve the reliability of our core payment service"
owner = "payments"
teams = ["payments", "platform"]
kind = "committed"

  [[objectives.key_results]]
  id = "p99"
  title = "Reduce P99 latency of payment processing by 30%"
  owner = "payments"
  metric = "p99"
  target = { change = "-30%" }

  [[objectives.key_results]]
  id = "coverage"
  title = "Increase automated test coverage from 60% to 85%"
  owner = "platform"
  metric = "line-coverage"
  target = { from = "60%", to = "85%" }
  weight = 0.5

[[objectives]]
id = "pipeline"
title = "Establish a world-class CI/CD pipeline"
owner = "platform"
kind = "aspirational"

  [[objectives.key_results]]
  id = "deploy-time"
  title = "Reduce deployment time by 50%"
  metric = "deploy-time"
  target = { change = "-50%" }

  [[objectives.key_results]]
  id = "daily"
  title = "Increase deployment frequency to daily"
  metric = "deploy-frequency"
  target = { at_least = "1/day" }
  guardrails = [{ metric = "shipped-and-returned", at_most = "5%" }]

  [[objectives.key_results]]
  id = "rollbacks"
  title = "Reduce rollback rate to under 1%"
  metric = "rollback-rate"
  target = { below = "1%" }
"""


def write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    rows = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)


def at(month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def latencies() -> Iterable[dict[str, object]]:
    """Milliseconds, day by day."""
    by_day: dict[date, float] = {date(2026, 9, 1): 9000, date(2026, 9, 2): 9000}
    # The 28 days before the start: fourteen times 480, once 500, thirteen times 520.
    for n in range(28):
        by_day[date(2026, 9, 3) + timedelta(days=n)] = 480 if n % 2 == 0 else 500 if n == 13 else 520
    for n in range(31):
        by_day[date(2026, 10, 1) + timedelta(days=n)] = 450
    for n in range(9):
        by_day[date(2026, 11, 1) + timedelta(days=n)] = 430
    for n, value in enumerate((400, 410, 390, 420, 430, 380, 405)):
        by_day[date(2026, 11, 10) + timedelta(days=n)] = value
    return [{"day": day.isoformat(), "value": value} for day, value in by_day.items()]


def coverages() -> Iterable[dict[str, object]]:
    told = ((at(9, 28), 58), (at(10, 5), 61), (at(10, 20), 64), (at(11, 2), 66), (at(11, 16, 10), 70))
    return [{"at": when.isoformat(), "value": percent} for when, percent in told]


def timed() -> Iterable[dict[str, object]]:
    before = ((9, 4, 600), (9, 9, 900), (9, 15, 620), (9, 22, 700), (9, 29, 640))
    after = ((10, 21, 400), (10, 28, 500), (11, 3, 380), (11, 6, 450), (11, 11, 410), (11, 14, 420))
    # One before both windows, one between them, and one that failed.
    others = ((9, 2, 5), (10, 10, 5), (11, 12, 5))
    for n, (month, day, seconds) in enumerate((*before, *after, *others)):
        start = at(month, day)
        yield {
            "sha": f"c{n}",
            "started_at": start.isoformat(),
            "done": (start + timedelta(seconds=seconds)).isoformat(),
            "status": "failure" if (month, day) == (11, 12) else "success",
        }


def shipped() -> Iterable[dict[str, object]]:
    """Seven new versions in the 28 days before the start, ten in the last 28."""
    told = [
        *((at(9, 3 + 4 * n), f"a{n}", "success", "production") for n in range(7)),
        (at(9, 12), "a9", "failure", "production"),
        (at(9, 13), "a9", "success", "staging"),
        *((at(10, 20 + n, 9), f"b{n}", "success", "production") for n in range(5)),
        (at(10, 25), "b3", "success", "production"),  # b4 is rolled back
        (at(10, 26), "b3", "success", "production"),  # the same once more
        *((at(11, 5 + 2 * n, 9), f"c{n}", "success", "production") for n in range(5)),
    ]
    return deployments(told)


def returned() -> Iterable[dict[str, object]]:
    """Before the start 20 versions, 2 of them taken back; in the last 28 days 25, 1 of them taken back."""
    first = [f"a{n}" for n in range(1, 21)]
    first[5:5] = ["a4"]  # after a5
    first[16:16] = ["a14"]  # after a15
    last = [f"b{n}" for n in range(1, 26)]
    last[7:7] = ["b6"]  # after b7
    told = [(at(9, 3) + timedelta(days=n), version, "success", "production") for n, version in enumerate(first)]
    told += [(at(10, 20) + timedelta(days=n), version, "success", "production") for n, version in enumerate(last)]
    return deployments(told)


def deployments(told: Iterable[tuple[datetime, str, str, str]]) -> Iterable[dict[str, object]]:
    keys = ("created_at", "commit", "status", "environment")
    return [dict(zip(keys, (when.isoformat(), *rest), strict=True)) for when, *rest in told]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    write(tmp_path / "latency.csv", latencies())
    write(tmp_path / "coverage.csv", coverages())
    write(tmp_path / "timed.csv", timed())
    write(tmp_path / "shipped.csv", shipped())
    write(tmp_path / "returned.csv", returned())
    config = tmp_path / "keyresults.toml"
    config.write_text(CONFIG)
    one = Command(config, capsys)
    code, out, err = one(NOW, "collect")
    assert code == 0, out + err
    return one


@pytest.fixture
def told(command: Command) -> dict[str, Any]:
    return command.json(NOW, "status", "--as-of", "2026-11-16")


def key_result(told: dict[str, Any], id_: str) -> dict[str, Any]:
    (found,) = [kr for objective in told["objectives"] for kr in objective["key_results"] if kr["id"] == id_]
    return found


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9)


MEASURED = {"at": "2026-10-01T00:00:00+00:00", "measured": True, "provisional": False}
WINDOW = {"start": "2026-10-20T00:00:00+00:00", "end": "2026-11-17T00:00:00+00:00"}
FOUR_WEEKS = 0.515625
"""Expected of a reading over 28 days: it must be through at 92 − 28 = 64 days, and now averages the line from day
47 − 28 = 19 to day 47: (19/64 + 47/64) / 2 = 33/64."""


def test_reduce_p99_latency_by_30_percent(told: dict[str, Any]) -> None:
    kr = key_result(told, "p99")
    # The 14th and 15th of 28 ordered values: 480 and 500 ms.
    assert kr["baseline"] == {"value": near(0.490), **MEASURED}
    # 490 × 0.7
    assert kr["target"]["value"] == near(0.343)
    # The middle of 380 390 400 405 410 420 430 ms.
    assert (kr["reading"]["value"], kr["reading"]["n"], kr["reading"]["health"]) == (near(0.405), 7, "ok")
    # (405 − 490) / (343 − 490) = 85/147 = 0.578…
    assert kr["raw_progress"] == near(85 / 147)
    assert kr["progress"] == 0.57
    # Through at 92 − 7 = 85 days; the mean of the line from day 40 to day 47 is 43.5/85 = 0.512.
    assert kr["expected"] == near(43.5 / 85)
    # The rest in the time that is left: (62/147) / (41.5/85) = 0.864 times the plan's pace.
    assert kr["needs"] == near(62 / 147 * 85 / 41.5)
    assert (kr["status"], kr["flags"]) == ("on_track", [])
    assert kr["decides_on"] == {"start": "2026-12-25T00:00:00+00:00", "end": "2027-01-01T00:00:00+00:00"}


def test_increase_test_coverage_from_60_to_85_percent(told: dict[str, Any]) -> None:
    kr = key_result(told, "coverage")
    assert kr["baseline"] == {"value": near(0.60), "at": None, "measured": False, "provisional": False}
    assert (kr["target"]["kind"], kr["target"]["value"]) == ("to", near(0.85))
    assert (kr["reading"]["value"], kr["reading"]["health"]) == (near(0.70), "ok")
    # (70 − 60) / (85 − 60)
    assert kr["raw_progress"] == near(0.40)
    assert kr["progress"] == 0.40
    # What was measured at 10:00 on the 16th is held against the plan of that time: 46 10/24 of 92 days.
    assert kr["expected"] == near((46 + 10 / 24) / 92)
    # Behind by 0.5045 − 0.40 = 0.1045, more than 0.10; the rest needs 0.60/0.4955 = 1.21 times the pace, below 1.5.
    assert kr["needs"] == near(0.60 / (1 - (46 + 10 / 24) / 92))
    assert (kr["status"], kr["flags"]) == ("at_risk", [])


def test_reduce_deployment_time_by_50_percent(told: dict[str, Any]) -> None:
    kr = key_result(told, "deploy-time")
    # The middle of 600 620 640 700 900 s.
    assert kr["baseline"] == {"value": 640, **MEASURED}
    assert kr["target"]["value"] == 320
    # Between the middle two of 380 400 410 420 450 500 s.
    assert (kr["reading"]["value"], kr["reading"]["n"], kr["reading"]["health"]) == (415, 6, "ok")
    assert kr["reading"]["window"] == WINDOW
    # (415 − 640) / (320 − 640) = 225/320
    assert kr["raw_progress"] == near(0.703125)
    assert kr["progress"] == 0.70
    assert kr["expected"] == near(FOUR_WEEKS)
    # Aspirational: 0.70 of the way is asked for, and 0.703125/0.7 is past that.
    assert kr["needs"] is None
    assert (kr["status"], kr["flags"]) == ("on_track", [])


def test_increase_deployment_frequency_to_daily(told: dict[str, Any]) -> None:
    kr = key_result(told, "daily")
    # 7 new versions in 28 days; the failed attempt and the one in staging are none.
    assert kr["baseline"] == {"value": near(7 / 28), **MEASURED}
    # 10 in 28; the way back to b3, and b3 once more, are none.
    assert (kr["reading"]["value"], kr["reading"]["numerator"], kr["reading"]["denominator"]) == (near(10 / 28), 10, 28)
    assert (kr["unit"], kr["target"]["kind"], kr["target"]["value"]) == ("per_day", "at_least", 1)
    # (10/28 − 7/28) / (1 − 7/28) = 3/21
    assert kr["raw_progress"] == near(1 / 7)
    assert kr["progress"] == 0.14
    assert kr["expected"] == near(FOUR_WEEKS)
    # 1/7 of the 0.7 asked for is 0.204; behind by 0.31, more than 0.25.
    assert kr["needs"] == near((1 - 1 / 7 / 0.7) / (1 - FOUR_WEEKS))
    assert kr["status"] == "off_track"
    # b4 of those ten was taken back: 10 %, over the 5 % that must hold.
    (guardrail,) = kr["guardrails"]
    assert (guardrail["metric"], guardrail["holds"], guardrail["value"]) == ("shipped-and-returned", False, near(0.1))
    assert kr["flags"] == ["guardrail"]


def test_reduce_rollback_rate_to_under_1_percent(told: dict[str, Any]) -> None:
    kr = key_result(told, "rollbacks")
    # a5 and a15 of 20.
    assert kr["baseline"] == {"value": near(0.10), **MEASURED}
    # b7 of 25.
    reading = kr["reading"]
    assert (reading["value"], reading["numerator"], reading["denominator"]) == (near(0.04), 1, 25)
    # Wilson: z = 1.28155, z² = 1.64237; (0.04 + z²/50 ± z √(0.04 · 0.96/25 + z²/2500)) / (1 + z²/25)
    #   = (0.072847 ± 0.060014) / 1.065695
    assert reading["interval"] == pytest.approx([0.012043, 0.124671], abs=2e-6)
    assert (kr["target"]["kind"], kr["target"]["value"]) == ("below", near(0.01))
    # (4 − 10) / (1 − 10) = 2/3
    assert kr["raw_progress"] == near(2 / 3)
    assert kr["progress"] == 0.66
    # 2/3 of the 0.7 asked for is 0.952, ahead of 0.516.
    assert kr["needs"] == near((1 - 2 / 3 / 0.7) / (1 - FOUR_WEEKS))
    # Of 25 deployments each is 4 %: 1 % can't be told from none.
    assert (kr["status"], kr["flags"]) == ("on_track", ["coarse"])


def test_an_objective_of_two_teams_is_judged_by_all_its_key_results(told: dict[str, Any]) -> None:
    shared, own = told["objectives"]
    assert (shared["owner"], shared["teams"]) == ("payments", ["payments", "platform"])
    assert [kr["owner"] for kr in shared["key_results"]] == ["payments", "platform"]
    # (1 × 85/147 + 0.5 × 0.40) / 1.5 = 0.5188; the worse of on_track and at_risk.
    assert (shared["progress"], shared["status"]) == (0.51, "at_risk")
    assert (shared["measured"], shared["total"]) == (2, 2)
    # (0.703125 + 1/7 + 2/3) / 3 = 0.5042; the worst is off_track.
    assert (own["progress"], own["status"], own["kind"]) == (0.50, "off_track", "aspirational")


def test_what_the_last_collection_said_is_what_asking_again_says(command: Command, told: dict[str, Any]) -> None:
    assert command.json(NOW, "status") == told
    code, out, _ = command(NOW, "status", "--fail-on", "off_track")
    assert code == 1
    for number in ("P99 latency", "490 ms", "405 ms", "343 ms", "57%", "40%", "70%", "14%", "66%", "off track"):
        assert number in out, out


def test_a_later_day_leaves_that_days_judgement_as_it_was(command: Command, told: dict[str, Any]) -> None:
    """Baselines are frozen, and what is asked of a day in the past is answered by what was known then."""
    later = NOW + timedelta(days=3)
    assert command(later, "collect")[0] == 0
    assert command.json(later, "status", "--as-of", "2026-11-16") == told
