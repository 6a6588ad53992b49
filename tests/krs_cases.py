"""Key results, readings and judgements to test with: the fourth quarter of 2026 in Berlin, 92 days, one of 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from keyresults.krs.judge import judge
from keyresults.krs.judgement import Baseline
from keyresults.krs.model import KeyResult, Pace, Reach
from keyresults.krs.standing import Case
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.definition import MetricTraits
from keyresults.metrics.reading import Health, Reading
from keyresults.metrics.unit import COUNT, PER_WORKDAY, RATIO, Unit
from keyresults.metrics.window import Window, WindowLength

BERLIN = Calendar("Europe/Berlin")
START, END = date(2026, 10, 1), date(2026, 12, 31)
SECONDS = Unit.parse("s")


def midnight(day, calendar=BERLIN):
    return calendar.start_of(day)


def day(number):
    """The instant `number` days after the start of the quarter."""
    return midnight(START) if number == 0 else BERLIN.end_of(START + timedelta(days=number - 1))


def traits(name="m", unit=RATIO, days=0, **more):
    return MetricTraits(name=name, unit=unit, window=WindowLength(days), better=more.pop("better", "higher"), **more)


COUNTED = traits(unit=COUNT, days=None, better=None, counts=True)
PER_OPEN_DAY = traits(unit=PER_WORKDAY, days=28)


def key_result(target=None, **more):
    target = target or Reach(0.85, 0.60, "60% to 85%")
    return KeyResult(
        **{"id": "kr", "title": "", "metric": "m", "target": target, "start": START, "deadline": END} | more
    )


def reading(at, value, *, health=Health.OK, n=100, part=None, whole=None, data_end=None, covered=1.0):
    end = data_end or at
    return Reading(
        at=at,
        day=BERLIN.day_closed_by(at),
        value=value,
        unit="ratio",
        n=n,
        numerator=part,
        denominator=whole,
        health=health if value is not None or health is not Health.OK else Health.NO_DATA,
        covered=covered,
        window=Window(end - timedelta(days=28), end),
    )


def series(value, until, start=START, **more):
    """Daily readings from `start` until an instant; `value` is a number or a function of the days gone by."""
    ends = [end for end in BERLIN.day_ends(midnight(start), until) if end > midnight(start)]
    if not ends or ends[-1] != until:
        ends.append(until)
    begun = midnight(start)
    return [reading(at, value(BERLIN.days_between(begun, at)) if callable(value) else value, **more) for at in ends]


def stated(value, start=START):
    return Baseline(value=value, at=None, measured=False, provisional=False, pace_start=midnight(start))


def judged(kr, readings, as_of, **more):
    known = {
        "kind": "committed",
        "pace": Pace(),
        "calendar": BERLIN,
        "traits": {"m": traits()},
        "baseline": stated(0.60),
        "guardrails": {},
    }
    told = known | more
    guardrails = told.pop("guardrails")
    return judge(Case(kr=kr, readings=readings, **told), guardrails=guardrails, as_of=as_of)


def codes(judgement):
    return [flag.code for flag in judgement.flags]


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)
