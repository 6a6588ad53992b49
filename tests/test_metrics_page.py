"""The worked tables of docs/metrics.md, computed again."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from columns import at, covered
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import Aggregate, Exclusion
from keyresults.metrics.facts import Fact, StatusChange
from keyresults.metrics.interval import wilson
from keyresults.metrics.measures import MEASURES
from keyresults.metrics.quantity import Quantity
from keyresults.metrics.service import Service
from keyresults.metrics.unit import DURATION, PER_WORKDAY
from metric_cases import between, broke, daily, definition, deployed, explained, measured, measurement, merged, ran

PAGE = (Path(__file__).parent.parent / "docs" / "metrics.md").read_text(encoding="utf-8")
CELL = re.compile(r"\s\|\s")


def tables() -> list[tuple[str, list[dict[str, str]], list[dict[str, str]]]]:
    """Each table of readings with the name and the rows of the facts above it."""
    found, name, facts = [], "", []
    for block in re.split(r"\n\n+", PAGE):
        named = re.fullmatch(r"Facts: `(\w+)`", block)
        name, facts = (named[1], []) if named else (name, facts)
        if block.startswith("| measure |"):
            found.append((name, facts, rows(block)))
        elif block.startswith("| ") and ("taken for" in block or "lies to it" in block):
            facts = [*facts, *rows(block)]
    return found


def rows(block: str) -> list[dict[str, str]]:
    heads, _, *lines = [CELL.split(line.strip("|").strip()) for line in block.splitlines()]
    return [dict(zip(heads, line, strict=True)) for line in lines]


def instant(text: str) -> datetime:
    return at(f"2026-{text}")


def maybe(text: str) -> datetime | None:
    return None if text == "–" else instant(text)


def fact(row: dict[str, str]) -> Fact:
    if "run" in row:
        conclusion = None if row["conclusion"] == "–" else row["conclusion"]
        started, completed = instant(row["started"]), maybe(row["completed"])
        return ran(
            row["run"],
            instant(row["created"]),
            conclusion,
            attempt=int(row["attempt"]),
            started_at=started,
            completed_at=completed,
        )
    if "merged" in row:
        return merged(
            row["key"],
            f"2026-{row['merged']}",
            first_commit_at=maybe(row["first commit"]),
            opened_at=maybe(row.get("opened", "–")),
            first_review_at=maybe(row.get("first review", "–")),
            author_kind=row["by"],
            labels=() if row.get("labels", "–") == "–" else (row["labels"],),
            reverts=None if row.get("reverts", "–") == "–" else row["reverts"],
            paths=tuple(row["paths"].split(", ")) if "paths" in row else None,
        )
    if "lies to it" in row:
        return between(row["after"], row["deployed"], *row["brings"].strip("–").split(", "), relation=row["lies to it"])
    if "closed" in row:
        return broke(row["key"], f"2026-{row['opened']}", closed_at=maybe(row["closed"]))
    if "commit" in row:
        told = (line.rsplit(" ", 1) for line in row["history"].split("; "))
        return deployed(
            row["commit"],
            instant(row["created"]),
            key=row["key"],
            environment=row["environment"],
            created_at=instant(row["created"]),
            statuses=tuple(StatusChange(state, instant(when)) for when, state in told),
        )
    parts = {k: float(v) for k, v in inline(row.get("parts", "")).items()}
    if "day" in row:
        value = None if row.get("value", "–") == "–" else float(row["value"])
        return daily(f"2026-{row['day']}", value, key=row["key"], parts=parts)
    return measured(f"2026-{row['at']}", key=row["key"], parts=parts)


def inline(text: str) -> dict[str, Any]:
    return tomllib.loads(f"x = {{ {text.strip('`')} }}")["x"]


def length(text: str) -> timedelta:
    return timedelta(seconds=Quantity.parse(text).into(DURATION))


def aggregate(said: Any) -> Aggregate:
    if isinstance(said, dict):
        return Aggregate("share_within", **said["share_within"])
    return Aggregate("quantile", quantile=int(said[1:]) / 100) if said[1:].isdigit() else Aggregate(said)


def options(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the cell says of the definition, and what of everything else."""
    said = inline(text)
    around = {name: said.pop(name) for name in ("holidays", "collected", "start") if name in said}
    if said.pop("per", None):
        said["unit"] = PER_WORKDAY
    if "rollback" in said:
        said |= {f"rollback_{name}": value for name, value in said.pop("rollback").items()}
        said["rollback_rules"] = tuple(said.get("rollback_rules", ("version_return",)))
    if "hotfix" in said:
        said["hotfix_labels"] = tuple(said.pop("hotfix")["labels"])
    if "paths" in said:
        named = said.pop("paths").items()
        said["split"] = tuple(Service(name=n, repository="acme/pay", environment=n, paths=(p,)) for n, p in named)
        said |= {"services": tuple(said["services"]), "own_environments": True}
    if "from" in said:
        said["lead_time_from"] = said.pop("from")
    for name in {"settle", "max_age", "failure_window"} & said.keys():
        said[name] = length(said[name])
    if "aggregate" in said:
        said["aggregate"] = aggregate(said["aggregate"])
    said["exclude"] = tuple(Exclusion(e["from"], e["to"], "Said on the page") for e in said.get("exclude", ()))
    return said, around


def expected(value: str) -> tuple[float | None, int, float | None, float | None]:
    """Value, how many decimals of it are written, numerator and denominator."""
    if value == "–":
        return None, 0, None, None
    parts = re.fullmatch(r"(?:([\d.]+) / ([\d.]+) = )?([\d.]+)", value)
    assert parts is not None, value
    ratio = (float(parts[1]), float(parts[2])) if parts[1] else (None, None)
    return float(parts[3]), len(parts[3].partition(".")[2]), *ratio


CASES = [(facts, row) for _, facts, readings in tables() for row in readings]


def named(case: Any) -> str:
    return f"{case['measure']} {case['options']}" if isinstance(case, dict) and "measure" in case else ""


@pytest.mark.parametrize(("facts", "row"), CASES, ids=named)
def test_each_worked_reading_is_what_the_page_says(facts: list[dict[str, str]], row: dict[str, str]) -> None:
    said, around = options(row["options"])
    known = instant(row["known by"])
    edges = around.get("collected", ["09-01", row["known by"]])
    coverage = covered(*(f"2026-{edge}" for edge in edges))
    calendar = Calendar(holidays=frozenset(around.get("holidays", ())))
    what = definition(row["measure"], **said)
    one = measurement(what, [fact(f) for f in facts], coverage, known, calendar)
    (reading,) = one.readings([instant(row["at"])], instant(around.get("start", "10-01")))
    value, decimals, numerator, denominator = expected(row["value"])
    assert (reading.value is None) is (value is None), reading
    assert value is None or round(reading.value, decimals) == value
    assert (reading.n, reading.health) == (float(row["n"]), row["health"])
    if numerator is not None:
        assert (reading.numerator, reading.denominator) == (numerator, pytest.approx(denominator))


NAMED = {name: (facts, [r for one, _, below in tables() if one == name for r in below]) for name, facts, _ in tables()}


@pytest.mark.parametrize("name", NAMED)
def test_each_fact_is_taken_for_what_the_page_says(name: str) -> None:
    """By the first of the readings below the facts that takes it for something; an incident stands for itself."""
    facts, readings = NAMED[name]
    roles: dict[str, str] = {}
    for row in readings:
        said, _ = options(row["options"])
        notes = explained(definition(row["measure"], **said), [fact(f) for f in facts], f"2026-{row['at']}")
        roles = {**{key: note.role for key, note in notes.items()}, **roles}
    told = [f for f in facts if "taken for" in f]
    keys = [f"{f['run']}/{f['attempt']}" if "run" in f else f["key"] for f in told]
    assert [roles.get(key, "–") for key in keys] == [f["taken for"] for f in told]


def test_every_measure_has_worked_readings() -> None:
    assert {row["measure"] for _, row in CASES} == set(MEASURES)
    for name in MEASURES:
        assert re.search(rf"^### .*`{name}`", PAGE, re.MULTILINE), name


def test_the_worked_interval_is_wilsons() -> None:
    low, high = re.search(r"1 of 5 gives (0\.\d+) to (0\.\d+)", PAGE).groups()
    assert wilson(1, 5) == pytest.approx((float(low), float(high)), abs=6e-4)
