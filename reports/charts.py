"""A key result's way as a line chart: its value, pace and target, its forecast, and what happened on the way.

Colours are the page's own (custom properties), so that a chart reads well on light and on dark.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from . import wording
from .axis import Axis, day_axis, value_axis
from .course import Course, Point, corners
from .dates import Dates
from .drawing import Spec
from .progress_report import ReportedKeyResult

_WIDTH, _HEIGHT = 640, 280
_PADDING = {"left": 76, "right": 22, "top": 24, "bottom": 34}
_WITHIN = {
    "width": _WIDTH - _PADDING["left"] - _PADDING["right"],
    "height": _HEIGHT - _PADDING["top"] - _PADDING["bottom"],
}
_NOON = timedelta(hours=12)
_ABOVE, _AT_FOOT = -10, _WITHIN["height"] - 7


def chart(kr: ReportedKeyResult, course: Course, dates: Dates) -> Spec:
    """A specification in Vega-Lite, of a course with at least one value."""
    values = value_axis(_seen(kr, course), kr.unit, wording.period(kr))
    return {
        "background": None,
        "autosize": {"type": "none"},
        "padding": _PADDING,
        **_WITHIN,
        "config": {"view": {"stroke": None}},
        "encoding": {"x": _across(day_axis(course.first, course.last, dates))},
        "layer": [one for one in _layers(kr, course, _upwards(values)) if one["data"]["values"]],
    }


def _seen(kr: ReportedKeyResult, course: Course) -> list[float]:
    lines = (course.known, course.expected, *course.limits)
    likely = [kr.forecast.low, kr.forecast.high] if kr.forecast else []
    return [value for line in lines for _, value in line] + likely


def _layers(kr: ReportedKeyResult, course: Course, upwards: Spec) -> Iterator[Spec]:
    """What lies below comes first."""
    yield _bands(course.excluded)
    yield _uprights(course.revised)
    for line in course.limits:
        yield _line([corners(line)], upwards, color="var(--target)", strokeWidth=2, strokeDash=[8, 4], step=True)
    yield _line([corners(course.expected)], upwards, color="var(--pace)", strokeWidth=2, strokeDash=[1, 4])
    yield _line(list(course.stretches), upwards, color="var(--value)", strokeWidth=2.5)
    yield _points(course.doubtful, upwards, "circle", 20, "var(--pace)")
    alone = [stretch[0] for stretch in course.stretches if len(stretch) == 1]
    newest = [stretch[-1] for stretch in course.stretches][-1:]
    yield _points([*alone, *newest], upwards, "circle", 46, "var(--value)")
    yield from _forecast(kr, course, upwards)
    yield _marks(course.revised, "diamond", _ABOVE, "var(--revision)")
    yield _marks(course.checked_in, "triangle-up", _AT_FOOT, "var(--check-in)")


def _across(axis: Axis[date]) -> Spec:
    texts = json.dumps({str(_time(day)): text for day, text in zip(axis.at, axis.texts, strict=True)})
    shown = {
        "values": [_time(day) for day in axis.at],
        "labelExpr": f"({texts})[+datum.value]",
        "grid": False,
        "tickColor": "var(--rule)",
        "domainColor": "var(--rule)",
        "labelFlush": True,
        **_LETTERS,
    }
    # A day's reading is drawn at its noon.
    ends = [_time(axis.low), _time(axis.high) + _milliseconds(2 * _NOON)]
    return {"field": "day", "type": "temporal", "title": None, "scale": {"type": "utc", "domain": ends}, "axis": shown}


def _upwards(axis: Axis[float]) -> Spec:
    first, step = axis.at[0], axis.at[-1] - axis.at[-2] if len(axis.at) > 1 else 1
    shown = {
        "values": list(axis.at),
        "labelExpr": f"{json.dumps(axis.texts)}[round((datum.value - {first!r}) / {step!r})]",
        "gridColor": "var(--rule)",
        "domain": False,
        "ticks": False,
        **_LETTERS,
    }
    ends = {"domain": [axis.low, axis.high], "zero": False, "nice": False}
    return {"field": "value", "type": "quantitative", "title": None, "scale": ends, "axis": shown}


_LETTERS = {"labelColor": "var(--soft)", "labelFontSize": 13, "labelPadding": 6, "labelLimit": 0, "labelOverlap": False}


def _time(day: date) -> int:
    """Milliseconds of UTC: the days are cut already, in the tracker's zone."""
    return round(datetime.combine(day, time.min, tzinfo=UTC).timestamp() * 1000)


def _milliseconds(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)


def _noon(day: date) -> int:
    return _time(day) + _milliseconds(_NOON)


def _layer(values: Sequence[Spec], mark: Spec, **encoding: Spec) -> Spec:
    return {"data": {"values": values}, "mark": mark, "encoding": encoding}


def _line(parts: Sequence[Sequence[Point]], upwards: Spec, *, step: bool = False, **mark: object) -> Spec:
    rows = [{"day": _noon(day), "value": v, "part": n} for n, part in enumerate(parts) for day, v in part]
    shape = {"interpolate": "step"} if step else {}
    whole = {"type": "line", "strokeCap": "round", "strokeJoin": "round", **shape, **mark}
    return _layer(rows, whole, y=upwards, detail={"field": "part", "type": "nominal"})


def _points(points: Sequence[Point], upwards: Spec, shape: str, size: int, colour: str) -> Spec:
    rows = [{"day": _noon(day), "value": value} for day, value in points]
    return _layer(rows, _mark(shape, size, colour), y=upwards)


def _marks(days: Sequence[date], shape: str, height: int, colour: str) -> Spec:
    return _layer([{"day": _noon(day)} for day in days], _mark(shape, 80, colour), y={"value": height})


def _mark(shape: str, size: int, colour: str) -> Spec:
    return {"type": "point", "shape": shape, "size": size, "filled": True, "opacity": 1, "color": colour}


def _bands(spans: Sequence[tuple[date, date]]) -> Spec:
    rows = [{"day": _time(first), "end": _time(last) + _milliseconds(2 * _NOON)} for first, last in spans]
    mark = {"type": "rect", "color": "var(--excluded)"}
    return _layer(rows, mark, x2={"field": "end"}, y={"value": 0}, y2={"value": _WITHIN["height"]})


def _uprights(days: Sequence[date]) -> Spec:
    mark = {"type": "rule", "color": "var(--revision)", "strokeWidth": 1.5, "strokeDash": [3, 3]}
    ends = {"y": {"value": _ABOVE}, "y2": {"value": _WITHIN["height"]}}
    return _layer([{"day": _noon(day)} for day in days], mark, **ends)


def _forecast(kr: ReportedKeyResult, course: Course, upwards: Spec) -> Iterator[Spec]:
    if kr.forecast is None or kr.judgement.kept is not None:
        return
    end = _noon(min(course.last, kr.judgement.deadline))
    band = {"type": "rule", "color": "var(--forecast)", "strokeWidth": 14, "strokeCap": "butt"}
    yield _layer(
        [{"day": end, "value": kr.forecast.low, "high": kr.forecast.high}], band, y=upwards, y2={"field": "high"}
    )
    middle = {"type": "tick", "orient": "horizontal", "color": "var(--value)", "size": 20, "thickness": 2.5}
    yield _layer([{"day": end, "value": kr.forecast.median}], middle, y=upwards)
