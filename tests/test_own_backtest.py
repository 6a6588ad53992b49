"""Backtests of a config's own metrics."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import pytest
from job_scenes import DESK, TICKETS, rows, write_scene, write_tickets
from keyresults.cli.main import main


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path, rows(60), sources=DESK, metrics=TICKETS % "28d")
    first = date(2025, 9, 25)
    write_tickets(
        tmp_path,
        first,
        first + timedelta(days=420),
        lambda day: 20 + (25 + (day - first).days % 5) * (day.weekday() < 5),
    )
    assert main(["--config", str(path), "backfill", "--since", "2025-09-25"]) == 0
    return path


def test_a_metric_is_tried_on_its_own_past(config, tmp_path, capsys):
    capsys.readouterr()
    assert main(["--config", str(config), "backtest", "tickets", "--output", str(tmp_path / "out.csv")]) == 0
    assert "forecasts asked for" in capsys.readouterr().out
    with (tmp_path / "out.csv").open() as file:
        tried = list(csv.DictReader(file))
    # 420 days: twelve weeks before the first origin, 60 days after the last, 28 days apart.
    assert 4 * 8 <= len(tried) <= 4 * 10
    assert {row["kind"] for row in tried} == {"level"}
    # The mean of whole weeks of a pattern that repeats hardly moves, and the range is there to be right.
    inside = [float(row["low"]) <= float(row["outcome"]) <= float(row["high"]) for row in tried if row["outcome"]]
    assert sum(inside) / len(inside) > 0.7


def test_an_unknown_metric_is_named_with_what_comes_near(config, capsys):
    assert main(["--config", str(config), "backtest", "tickts"]) == 2
    assert "did you mean tickets?" in capsys.readouterr().err


def test_too_short_a_past_is_said(config, capsys):
    assert main(["--config", str(config), "backtest", "often"]) == 2
    assert "no past is long enough" in capsys.readouterr().err


def test_metrics_and_histories_are_not_asked_at_once(config, tmp_path, capsys):
    assert main(["--config", str(config), "backtest", "tickets", "--histories", str(tmp_path)]) == 2
    assert "or a folder of histories" in capsys.readouterr().err
