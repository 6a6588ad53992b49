"""What a single value of the config may be: days, spans, shares, windows, amounts, names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ..metrics.quantity import Quantity
from ..metrics.unit import RATIO, SECONDS
from ..metrics.window import WindowLength
from .cycles import FIRST_YEAR, LAST_YEAR

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
_SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-zµ]+?)\s*$")
_LONGEST = timedelta(days=3660)
_WORDS = {"second": "s", "minute": "min", "hour": "h", "day": "d", "week": "w"}

_T = TypeVar("_T")


class Table(BaseModel):
    """A table of the config: unknown keys are errors, and values are not bent into shape."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, populate_by_name=False
    )


def parse_span(text: str) -> timedelta:
    """`"15m"`, `"24h"`, `"1.5d"`, `"2 weeks"`.

    Raises:
        ValueError: in words for the author of the config.
    """
    match = _SPAN.match(text)
    word = match[2] if match else ""
    unit = SECONDS.get(_WORDS.get(word.removesuffix("s"), word))
    if match is None or unit is None:
        raise ValueError(f'{text!r} is no length of time: write "15m", "24h", "2d" or "2 weeks"')
    seconds = float(match[1]) * unit
    if not 1 <= seconds <= _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is out of bounds: a second at least, ten years at most")
    return timedelta(seconds=seconds)


def _text(kind: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"must be {kind}")
        return value

    return check


def _of_text(parse: Callable[[str], _T], kind: str) -> BeforeValidator:
    check = _text(kind)

    def validate(value: object) -> _T:
        text = check(value)
        assert isinstance(text, str)
        return parse(text)

    return BeforeValidator(validate)


def _day(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("must be a day without quotes or time, such as 2026-10-15")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"{value} is no day between {FIRST_YEAR} and {LAST_YEAR}")
    return value


def _amount(value: object) -> Quantity:
    if not isinstance(value, (str, int, float)):
        raise ValueError('must be an amount, such as "85%", "450ms", "1/day" or a number')
    return Quantity.parse(value)


def _share(value: object) -> float:
    fraction = _amount(value).into(RATIO)
    if not 0 <= fraction <= 1:
        raise ValueError('must be a share between "0%" and "100%"')
    return fraction


def _name(value: str) -> str:
    if NAME.match(value) is None:
        raise ValueError(
            "is no name: letters, digits, dots, dashes and underscores, up to 100, a letter or digit first"
        )
    return value


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Span = Annotated[
    timedelta,
    _of_text(parse_span, 'a length of time in quotes, such as "15m" or "2 weeks"'),
    WithJsonSchema({"type": "string", "examples": ["15m", "24h", "2 weeks"]}),
]
WindowText = Annotated[
    WindowLength,
    _of_text(WindowLength.parse, 'a window in quotes: "28d", "4w" or "cycle"'),
    WithJsonSchema({"type": "string", "pattern": "^([0-9]{1,4}[dw]|cycle)$", "examples": ["28d", "cycle"]}),
]
Amount = Annotated[
    Quantity,
    BeforeValidator(_amount),
    WithJsonSchema({"type": ["string", "number"], "examples": ["85%", "450ms", "1/workday"]}),
]
Share = Annotated[
    float, BeforeValidator(_share), WithJsonSchema({"type": ["string", "number"], "examples": ["98%", 0.98]})
]
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
