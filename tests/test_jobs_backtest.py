"""Forecasts of the past: what they know, and that their figures can be computed again."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from keyresults.cli.main import main
from keyresults.jobs.backtest import FIRST_AFTER, Series, backtest
from keyresults.jobs.histories import History, NoHistories, read_histories, series_of
from keyresults.krs.trials import Trial

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 420


def made_up(days: int = DAYS, after: Callable[[int], int] = lambda day: 0) -> History:
    """Changes and releases by chance, the same in each run; `after` adds changes on days."""
    rng = random.Random(42)
    changed, reverts, released = [], [], []
    for day in range(days):
        at = int((BEGAN + timedelta(days=day)).timestamp())
        for _ in range(rng.choice([0, 0, 1, 2, 5])):
            changed.append(at + rng.randrange(86_000))
            reverts.append(rng.random() < 0.1)
        extra = after(day)
        changed += [at + 10 * n for n in range(extra)]
        reverts += [True] * extra
        if rng.random() < 0.12:
            released.append(at + rng.randrange(86_000))
    order = sorted(range(len(changed)), key=changed.__getitem__)
    return History("shop", [changed[n] for n in order], [reverts[n] for n in order], sorted(released))


def written(folder: Path, history: History) -> Path:
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / "shop.commits.csv.gz", "wt") as file:
        file.write("committed_at_unix,sha,merge,revert\n")
        file.writelines(f"{at},c{at},0,{int(r)}\n" for at, r in zip(history.changed, history.reverts, strict=True))
    with gzip.open(folder / "shop.tags.csv.gz", "wt") as file:
        file.write("created_at_unix,tag,sha\n")
        file.writelines(f"{at},v{at},c{at}\n" for at in history.released)
    return folder


def named(history: History, name: str) -> Series:
    return next(one for one in series_of(history) if one.name == name)


def test_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_histories(written(tmp_path / "h", made_up())) == [made_up()]


def test_a_folder_without_histories_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoHistories, match=r"NAME\.commits\.csv\.gz"):
        read_histories(tmp_path)
    assert main(["backtest", "--histories", str(tmp_path)]) == 2
    (tmp_path / "shop.commits.csv.gz").write_bytes(b"no gzip")
    assert main(["backtest", "--histories", str(tmp_path)]) == 2
    with gzip.open(tmp_path / "shop.commits.csv.gz", "wt") as file:
        file.write("at,sha\n1,2\n")
    assert main(["backtest", "--histories", str(tmp_path)]) == 2
    assert "the column 'committed_at_unix' is missing" in capsys.readouterr().err
    with gzip.open(tmp_path / "shop.commits.csv.gz", "wt") as file:
        file.write("committed_at_unix,sha,merge,revert\n1700000000,a,0,0\nyesterday,b,0,0\n")
    assert main(["backtest", "--histories", str(tmp_path)]) == 2
    assert "shop.commits.csv.gz:3: 'yesterday' is no number" in capsys.readouterr().err


def test_readings_are_those_of_a_plain_loop() -> None:
    history = made_up()
    releases, gaps, waiting = (named(history, name) for name in ("releases", "gaps", "unreleased"))
    for number, at in list(enumerate(releases.days))[::17]:
        end = at.timestamp()
        inside = [r for r in history.released if end - 28 * 86_400 <= r < end]
        assert releases.readings[number] == len(inside)
    for number, at in list(enumerate(gaps.days))[::17]:
        end = at.timestamp()
        between = pairwise(history.released)
        inside = sorted(b - a for a, b in between if end - 91 * 86_400 <= b < end)
        middle = len(inside) // 2
        assert gaps.readings[number] == (
            inside[middle] if len(inside) % 2 else (inside[middle - 1] + inside[middle]) / 2
        )
    for number, at in list(enumerate(waiting.days))[::17]:
        end = at.timestamp()
        last = max(r for r in history.released if r < end)
        assert waiting.readings[number] == sum(1 for c in history.changed if last < c < end)


def test_origins_are_a_window_apart_and_have_twelve_weeks_of_past() -> None:
    for series in series_of(made_up()):
        origins = sorted({trial.origin for trial in backtest(series, draws=10)})
        apart = max(28, series.definition.window.days or 0)
        assert series.usable.start is not None
        assert origins[0] >= series.usable.start + timedelta(days=FIRST_AFTER)
        assert all(b - a >= timedelta(days=apart) for a, b in pairwise(origins))


def test_targets_and_rivals_are_those_of_a_plain_loop() -> None:
    series = named(made_up(), "releases")
    found = list(backtest(series, draws=10))
    for trial in found[::5]:
        today = series.days.index(trial.origin)
        past = [float(v) for v in series.readings[: today + 1]]
        recent = past[-364:]
        shares = {v: sum(1 for r in recent if r <= v) / len(recent) for v in recent}
        assert abs(shares[trial.target] - 0.5) == min(abs(share - 0.5) for share in shares.values())
        errors = sorted(past[n] - past[n - trial.days_left] for n in range(trial.days_left, len(past)))
        holds = (lambda v, t=trial: v > t.target) if trial.direction == "above" else (lambda v, t=trial: v <= t.target)
        assert trial.rival_probability == pytest.approx(sum(holds(past[-1] + e) for e in errors) / len(errors))
        assert trial.past_frequency == pytest.approx(sum(holds(v) for v in past) / len(past))
        assert trial.rival_low == past[-1] + errors[-(-len(errors) // 10) - 1]
        assert trial.known == past[-1]
    assert {trial.direction for trial in found} == {"above", "at_most"}


def test_forecasts_of_the_past_know_nothing_that_came_later() -> None:
    """What happens from day 300 on may be whatever it likes: what was forecast by then stays to the last bit."""
    turn = BEGAN + timedelta(days=300)
    one, other = made_up(), made_up(after=lambda day: 9 if day >= 300 else 0)
    for before, after in zip(series_of(one), series_of(other), strict=True):
        mine, theirs = ([asdict(t) for t in backtest(s, draws=50) if t.origin <= turn] for s in (before, after))
        assert mine
        for said in (*mine, *theirs):
            for later in ("outcome", "satisfied", "below", "not_above", "pit"):
                del said[later]
        assert repr(mine) == repr(theirs)


def test_a_plain_loop_over_the_csv_gives_the_figures_that_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = written(tmp_path / "h", made_up()), tmp_path / "forecasts.csv"
    assert main(["backtest", "--histories", str(folder), "--output", str(file)]) == 0
    printed = capsys.readouterr().out
    with file.open(newline="") as opened:
        lines = list(csv.DictReader(opened))
    scored = [line for line in lines if line["low"] and line["outcome"]]
    assert f"{len(lines)} forecasts asked for, {sum(1 for line in lines if not line['low'])} abstained" in printed
    for kind in ("count", "duration", "level", "rate", "all"):
        chosen = [line for line in scored if kind in (line["kind"], "all")]
        covered = sum(0.1 <= place(line) <= 0.9 for line in chosen) / len(chosen)
        inside = sum(float(x["low"]) <= float(x["outcome"]) <= float(x["high"]) for x in chosen) / len(chosen)
        true = sum(came_true(line) for line in chosen) / len(chosen)
        assert f"{kind:9} {'all':>9} {len(chosen):6}   {covered:7.1%}  {inside:7.1%} {true:6.0%}" in printed
        briers = [mean_brier(chosen, name) for name in ("probability", "rival_probability", "past_frequency")]
        constant = true * (1 - true)
        assert f"{briers[0]:8.4f} {briers[1]:8.4f} {briers[2]:16.4f} {constant:15.4f}" in printed
        if kind != "all":
            ratio = total(chosen, "low", "high") / total(chosen, "rival_low", "rival_high")
            assert f"{kind:9} {len(chosen):6}" in printed
            assert f"   {ratio:>8.3f}   " in printed


def place(line: dict[str, str]) -> float:
    low, high, chance = (float(line[name]) for name in ("below", "not_above", "chance"))
    assert float(line["pit"]) == pytest.approx(low + chance * (high - low))
    return low + chance * (high - low)


def came_true(line: dict[str, str]) -> bool:
    outcome, target = float(line["outcome"]), float(line["target"])
    near = abs(outcome - target) <= 1e-9 * max(abs(outcome), abs(target))
    found = outcome > target and not near if line["direction"] == "above" else outcome < target or near
    assert line["satisfied"] == str(int(found))
    return found


def mean_brier(lines: list[dict[str, str]], name: str) -> float:
    return sum((float(line[name]) - came_true(line)) ** 2 for line in lines) / len(lines)


def total(lines: list[dict[str, str]], low: str, high: str) -> float:
    score = 0.0
    for line in lines:
        a, b, outcome = float(line[low]), float(line[high]), float(line["outcome"])
        score += b - a
        score += 10 * (a - outcome) if outcome < a else 10 * (outcome - b) if outcome > b else 0
    return score


def test_a_history_too_short_for_an_outcome_is_no_trial() -> None:
    short = made_up(days=100)
    assert [trial for series in series_of(short) for trial in backtest(series)] == []
    assert list(series_of(History("empty", [], [], []))) == []


def test_each_forecast_has_a_chance_of_its_own() -> None:
    found: list[Trial] = list(backtest(named(made_up(), "merges"), draws=10))
    chances = [trial.chance for trial in found]
    assert len(set(chances)) == len(chances)
    assert all(0 <= chance < 1 for chance in chances)
