"""Forecasts of the past as CSV, and their figures as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime

from ..krs.trials import Cell, Scores, TrackRecord, Trial

COLUMNS = tuple(field.name for field in fields(Trial))


def as_csv(trials: Iterable[Trial]) -> str:
    """A line for each: numbers in full, times in ISO 8601, truth as 1 and 0, nothing where there is nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(trial, name)) for name in COLUMNS] for trial in trials)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else repr(value) if isinstance(value, float) else str(value)


def figures(record: TrackRecord) -> str:
    """The figures, in plain text."""
    lines = [*_asked(record), *_coverage(record), *_scores(record), *_reliability(record)]
    return "\n".join(lines) + "\n"


def _asked(record: TrackRecord) -> Iterator[str]:
    share = record.abstained / record.asked if record.asked else 0.0
    yield f"{record.asked} forecasts asked for, {record.abstained} abstained from ({share:.1%})"
    for why, n in record.reasons:
        yield f"  {n:5}  {why}"
    if record.unmeasured:
        yield f"  {record.unmeasured:5}  forecast, but nothing was measured at the deadline: not scored"


def _coverage(record: TrackRecord) -> Iterator[str]:
    yield "\nOutcomes in the middle 80 % (randomised PIT), those inside the range as shown, and targets that came true"
    yield "  kind      days left      n   covered   inside   true"
    for cell in record.cells:
        yield _cell_line(cell)


def _cell_line(cell: Cell) -> str:
    left = "all" if cell.days_left is None else str(cell.days_left)
    return f"  {cell.kind:9} {left:>9} {cell.n:6}   {cell.covered:7.1%}  {cell.inside:7.1%} {cell.satisfied:6.0%}"


def _scores(record: TrackRecord) -> Iterator[str]:
    yield '\nInterval score as a multiple of the rival\'s ("no change, with its own past errors"), and Brier scores'
    yield "  kind           n   by series   added up   forecast    rival   past frequency   best constant"
    for one in record.scores:
        yield _scores_line(one)


def _scores_line(one: Scores) -> str:
    by_series, added = (f"{x:.3f}" if x is not None else "" for x in (one.interval, one.interval_added))
    said = f"{one.probability:8.4f} {one.rival:8.4f} {one.past_frequency:16.4f} {one.constant:15.4f}"
    return f"  {one.kind:9} {one.n:6}   {by_series:>9}   {added:>8}   {said}"


def _reliability(record: TrackRecord) -> Iterator[str]:
    yield "\nProbabilities: what was said on average, and how often it came true"
    yield "  said              n     mean   came true"
    for one in record.bins:
        said = "" if one.said is None or one.came_true is None else f"{one.said:7.1%}   {one.came_true:9.1%}"
        yield f"  {one.low:4.0%} to {one.high:4.0%} {one.n:6}  {said}"
