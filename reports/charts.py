"""A key result's way as a line chart: its value, pace and target, its forecast, and what happened on the way.

One specification in Vega-Lite serves all charts, which differ in what they put into it. Colours are the page's
own (custom properties), so that a chart reads well on light and on dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time

from . import wording
from .axis import day_axis, value_axis
from .course import Course, Point, corners
from .dates import Dates
from .drawing import Picture, Row, Spec
from .progress_report import ReportedKeyResult

_WIDTH, _HEIGHT = 640, 280
_PADDING = {"left": 76, "right": 22, "top": 24, "bottom": 34}
_WITHIN = {
    "width": _WIDTH - _PADDING["left"] - _PADDING["right"],
    "height": _HEIGHT - _PADDING["top"] - _PADDING["bottom"],
}
_DAY = 86_400_000
_ABOVE, _AT_FOOT = -10, _WITHIN["height"] - 7


def chart(kr: ReportedKeyResult, course: Course, dates: Dates) -> Picture:
    """What is drawn of a course with at least one value."""
    return Picture(CHART, _rows(kr, course), _settings(kr, course, dates))


def _rows(kr: ReportedKeyResult, course: Course) -> Mapping[str, Sequence[Row]]:
    stretches = list(course.stretches)
    alone = [stretch[0] for stretch in stretches if len(stretch) == 1]
    newest = [stretch[-1] for stretch in stretches[-1:]]
    return {
        "excluded": [{"day": _time(first), "end": _time(last) + _DAY} for first, last in course.excluded],
        "revised": [{"day": _noon(day)} for day in course.revised],
        "limits": _line([corners(line) for line in course.limits]),
        "expected": _line([corners(course.expected)]),
        "values": _line(stretches),
        "doubtful": _line([course.doubtful]),
        "newest": _line([[*alone, *newest]]),
        "forecast": list(_forecast(kr, course)),
        "checked-in": [{"day": _noon(day)} for day in course.checked_in],
    }


def _line(parts: Sequence[Sequence[Point]]) -> list[Row]:
    return [{"day": _noon(day), "value": v, "part": n} for n, part in enumerate(parts) for day, v in part]


def _forecast(kr: ReportedKeyResult, course: Course) -> Iterator[Row]:
    if kr.forecast is not None and kr.judgement.kept is None:
        end = _noon(min(course.last, kr.judgement.deadline))
        yield {"day": end, "value": kr.forecast.low, "high": kr.forecast.high, "median": kr.forecast.median}


def _settings(kr: ReportedKeyResult, course: Course, dates: Dates) -> Mapping[str, object]:
    days = day_axis(course.first, course.last, dates)
    values = value_axis(_seen(kr, course), kr.unit, wording.period(kr))
    return {
        "first": _time(days.low),
        "last": _time(days.high) + _DAY,
        "days": [_time(day) for day in days.at],
        "dayTexts": {str(_time(day)): text for day, text in zip(days.at, days.texts, strict=True)},
        "low": values.low,
        "high": values.high,
        "levels": list(values.at),
        "levelTexts": list(values.texts),
    }


def _seen(kr: ReportedKeyResult, course: Course) -> list[float]:
    lines = (course.known, course.expected, *course.limits)
    likely = [kr.forecast.low, kr.forecast.high] if kr.forecast else []
    return [value for line in lines for _, value in line] + likely


def _time(day: date) -> int:
    """Milliseconds of UTC: the days are cut already, in the tracker's zone."""
    return round(datetime.combine(day, time.min, tzinfo=UTC).timestamp() * 1000)


def _noon(day: date) -> int:
    """Where a day's reading is drawn."""
    return _time(day) + _DAY // 2


def _lines(name: str, **mark: object) -> Spec:
    whole = {"type": "line", "strokeCap": "round", "strokeJoin": "round", **mark}
    return {"data": {"name": name}, "mark": whole, "encoding": {"y": _UPWARDS, "detail": {"field": "part"}}}


def _points(name: str, size: int, colour: str) -> Spec:
    return {"data": {"name": name}, "mark": _mark("circle", size, colour), "encoding": {"y": _UPWARDS}}


def _signs(name: str, shape: str, height: int, colour: str) -> Spec:
    return {"data": {"name": name}, "mark": _mark(shape, 80, colour), "encoding": {"y": {"value": height}}}


def _mark(shape: str, size: int, colour: str) -> Spec:
    return {"type": "point", "shape": shape, "size": size, "filled": True, "opacity": 1, "color": colour}


_LETTERS = {"labelColor": "var(--soft)", "labelFontSize": 13, "labelPadding": 6, "labelLimit": 0, "labelOverlap": False}
_ACROSS = {
    "field": "day",
    "type": "temporal",
    "title": None,
    "scale": {"type": "utc", "domain": [{"expr": "first"}, {"expr": "last"}]},
    "axis": {
        "values": {"expr": "days"},
        "labelExpr": "dayTexts[+datum.value]",
        "grid": False,
        "tickColor": "var(--rule)",
        "domainColor": "var(--rule)",
        "labelAlign": {"condition": {"test": "+datum.value == peek(days)", "value": "right"}, "value": "center"},
        "labelFlush": False,
        **_LETTERS,
    },
}
_UPWARDS = {
    "field": "value",
    "type": "quantitative",
    "title": None,
    "scale": {"domain": [{"expr": "low"}, {"expr": "high"}], "zero": False, "nice": False},
    "axis": {
        "values": {"expr": "levels"},
        "labelExpr": "levelTexts[indexof(levels, datum.value)]",
        "gridColor": "var(--rule)",
        "domain": False,
        "ticks": False,
        **_LETTERS,
    },
}
_BAND = {
    "data": {"name": "excluded"},
    "mark": {"type": "rect", "color": "var(--excluded)"},
    "encoding": {"x2": {"field": "end"}, "y": {"value": 0}, "y2": {"value": _WITHIN["height"]}},
}
_UPRIGHT = {
    "data": {"name": "revised"},
    "mark": {"type": "rule", "color": "var(--revision)", "strokeWidth": 1.5, "strokeDash": [3, 3]},
    "encoding": {"y": {"value": _ABOVE}, "y2": {"value": _WITHIN["height"]}},
}
_LIKELY = {
    "data": {"name": "forecast"},
    "mark": {"type": "rule", "color": "var(--forecast)", "strokeWidth": 14, "strokeCap": "butt"},
    "encoding": {"y": _UPWARDS, "y2": {"field": "high"}},
}
_MIDDLE = {
    "data": {"name": "forecast"},
    "mark": {
        "type": "tick",
        "orient": "horizontal",
        "color": "var(--value)",
        "size": 20,
        "thickness": 2.5,
        "opacity": 1,
    },
    "encoding": {"y": _UPWARDS | {"field": "median"}},
}

CHART: Spec = {
    "background": None,
    "autosize": {"type": "none"},
    "padding": _PADDING,
    **_WITHIN,
    "config": {"view": {"stroke": None}},
    "params": [
        {"name": name, "value": 0}
        for name in ("first", "last", "days", "dayTexts", "low", "high", "levels", "levelTexts")
    ],
    "encoding": {"x": _ACROSS},
    "layer": [
        _BAND,
        _UPRIGHT,
        _lines("limits", color="var(--target)", strokeWidth=2, strokeDash=[8, 4], interpolate="step"),
        _lines("expected", color="var(--pace)", strokeWidth=2, strokeDash=[1, 4]),
        _lines("values", color="var(--value)", strokeWidth=2.5),
        _points("doubtful", 20, "var(--pace)"),
        _points("newest", 46, "var(--value)"),
        _LIKELY,
        _MIDDLE,
        _signs("revised", "diamond", _ABOVE, "var(--revision)"),
        _signs("checked-in", "triangle-up", _AT_FOOT, "var(--check-in)"),
    ],
}
"""What lies below comes first."""
