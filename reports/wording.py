"""What renderers say of a key result in words, the same in each of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..krs.checkin import SURE, CheckIn
from ..krs.guardrails import BROKEN_BY_ONE
from ..krs.judgement import Baseline, Flag, GuardrailState, KeptDays, Status
from ..krs.model import Comparison, Kind
from ..krs.standing import LANDING
from ..metrics.comparison import TOLERANCE, above, equal
from ..metrics.reading import Health, Reading
from ..metrics.unit import Unit
from .dates import Dates
from .escaping import clean
from .looks import LOOKS
from .numbers import (
    MISSING,
    Period,
    amount,
    chance,
    change,
    count,
    graded,
    interval,
    many,
    percent,
    readable_period,
    times,
    written,
    written_period,
)
from .progress_report import Move, ProgressReport, ReportedKeyResult, ReportedObjective, ReportedRevision, TargetTerms
from .values import SoonLost

HEALTH_WORDS: dict[Health, str] = {
    Health.UNAUTHORIZED: "the source refuses the credential",
    Health.FAILED: "the source fails",
    Health.NO_DATA: "no data",
    Health.STALE: "the data is too old",
    Health.TOO_FEW: "too few facts to say",
    Health.PARTIAL: "parts of the window are missing",
    Health.OK: "ok",
}

NOT_PACED = frozenset({Status.DRAFT, Status.WITHDRAWN})
"""Statuses of what is shown and not judged: nothing is due of it."""

_NOT_DUE = frozenset({Status.NOT_STARTED, Status.WITHDRAWN})
_BY_NUMBERS = frozenset({Status.ON_TRACK, Status.AT_RISK, Status.OFF_TRACK, Status.MET, Status.DRAFT})
_SEEN = frozenset({Health.OK, Health.PARTIAL})
_SIGNS: dict[Comparison, str] = {"at_most": "≤", "below": "<", "at_least": "≥", "above": ">"}
_TOLD_ELSEWHERE = frozenset({"guardrail", "exceeded"})
_MOST_LISTED = 5
_MOST_TOLD = 160
_OF_REVISIONS = frozenset({"retargeted", "eased"})


def period(kr: ReportedKeyResult) -> Period:
    """The period its rates are shown per: the one its target was written in."""
    return period_by(kr.target, kr.judgement.reading)


def period_by(terms: TargetTerms, reading: Reading | None) -> Period:
    return written_period(terms.text) or readable_period(terms.value or (reading.value if reading else None))


def target(terms: TargetTerms, unit: str, per: Period | None = None) -> str:
    """`≤ 450 ms on 95% of days`; the text of the config where nothing is resolved yet."""
    per = per or written_period(terms.text)
    if terms.between is not None:
        low, high = terms.between
        limit = f"{written(low, unit, per)} to {written(high, unit, per)}"
    elif terms.value is None:
        return terms.text
    elif terms.kind == "change":
        limit = amount(terms.value, unit, per=per)
    else:
        limit = written(terms.value, unit, per)
    if terms.comparison is not None:
        limit = f"{_SIGNS[terms.comparison]} {limit}"
    return limit if terms.share is None else f"{limit} on {written(terms.share, 'ratio')} of days"


def value_now(kr: ReportedKeyResult) -> str:
    """The reading's value, told apart from the target where it would read the same without having reached it."""
    reading, limit = kr.judgement.reading, kr.target
    if reading is None:
        return MISSING
    may_be_equal = kr.judgement.satisfied and limit.comparison not in ("below", "above")
    return amount(reading.value, kr.unit, beside=None if may_be_equal else limit.value, per=period(kr))


def baseline(start: Baseline, unit: str, per: Period) -> str:
    return amount(start.value, unit, per=per) + (" (provisional)" if start.provisional else "")


def is_spent(kr: ReportedKeyResult) -> bool:
    """Whether there is no way to go but something to be used up: bad days, or a cycle's count with a limit."""
    return kr.judgement.kept is not None or kr.judgement.shape == "budget"


def way(kr: ReportedKeyResult) -> str:
    """`450 ms → 402 ms → ≤ 315 ms`: baseline, now, target; where something is used up there is no such way."""
    judged = kr.judgement
    shown = target(kr.target, kr.unit, period(kr))
    if is_spent(kr):
        return shown
    steps = [value_now(kr), shown]
    if judged.baseline is not None:
        steps.insert(0, baseline(judged.baseline, kr.unit, period(kr)))
    return " → ".join(steps)


def pace(kr: ReportedKeyResult, kind: Kind) -> str:
    """`58%, expected 77%, needs 1.8× the planned pace`; of what is used up, how much of it and of the time."""
    judged = kr.judgement
    if is_spent(kr):
        return _spent(kr)
    said = [] if judged.progress is None else [percent(judged.progress)]
    if judged.status in NOT_PACED or judged.satisfied:
        return ", ".join(said)
    if judged.expected is not None and judged.expected < 1:
        said.append(f"expected {percent(judged.expected * (LANDING if kind == 'aspirational' else 1))}")
    if judged.needed_pace is not None and above(float(f"{judged.needed_pace:.2g}"), 1.0):
        said.append(f"needs {times(judged.needed_pace)} the planned pace")
    return ", ".join(said)


def _spent(kr: ReportedKeyResult) -> str:
    judged = kr.judgement
    used = f"{value_now(kr)} of {amount(kr.target.value, kr.unit)} used"
    said = [used if judged.kept is None else kept_days(judged.kept)]
    if judged.status not in NOT_PACED and judged.expected is not None and judged.expected < 1:
        said.append(f"{percent(judged.expected)} of the time gone")
    return ", ".join(said)


def kept_days(kept: KeptDays) -> str:
    """Whole days: a budget of 4.55 bad days allows four."""
    return f"{count(kept.bad)} of {many(math.floor(kept.budget + TOLERANCE), 'bad days')} used"


def newest_day(kr: ReportedKeyResult, dates: Dates) -> str:
    """`yesterday 547 ms`, for a target that is judged day by day."""
    reading = kr.judgement.reading
    if kr.judgement.kept is None or reading is None or reading.value is None:
        return ""
    return f"{dates.nearly(dates.last_day(reading.window))} {value_now(kr)}"


def forecast(kr: ReportedKeyResult, dates: Dates) -> str:
    """`likely 318 to 402 ms on 31 Dec; 22% chance`; of days to be kept, the chance alone."""
    said = kr.forecast
    if said is None:
        return ""
    odds = f"{chance(said.probability)} chance"
    if kr.judgement.kept is not None:
        return odds
    likely = interval(said.low, said.high, kr.unit, per=period(kr))
    return f"likely {likely} on {dates.day(kr.judgement.deadline)}; {odds}"


def moved(kr: ReportedKeyResult, move: Move, dates: Dates) -> str:
    """`547 → 431 ms since 16 Nov: ledger, #123 Cache the price list`; `from 9 to 16 Nov` where it has ended before."""
    values = change(move.before, move.after, kr.unit, per=period(kr))
    ended = move.end < dates.today
    when = dates.from_to(move.start, move.end) if ended else f"since {dates.day(move.start)}"
    return f"{values} {when}{': ' if move.why else ''}{dates.in_text(', '.join(move.why))}"


def reads_differently(kr: ReportedKeyResult, before: float, after: float) -> bool:
    per = period(kr)
    return amount(before, kr.unit, per=per) != amount(after, kr.unit, per=per)


def was(kr: ReportedKeyResult, dates: Dates) -> str:
    """`was on track on 16 Nov`, where the report before gave it another status."""
    before = kr.before
    if before is None or before.status is kr.judgement.status:
        return ""
    return f"was {LOOKS[before.status].words} on {dates.day(dates.day_closed_by(before.at))}"


def rests_on(reading: Reading, counted: str) -> str:
    """`833,640 requests`, `1 of 144 deployments`, `24 deployments in 20 workdays`; `counted` is their plural."""
    part, whole = reading.numerator, reading.denominator
    if not counted or not reading.n:
        return ""
    if part is None or whole is None:
        return many(reading.n, counted)
    days = {"per_day": "days", "per_workday": "workdays"}.get(Unit.parse(reading.unit).dimension)
    return (
        f"{count(part)} of {many(whole, counted)}" if days is None else f"{many(part, counted)} in {many(whole, days)}"
    )


def certainty(reading: Reading) -> str:
    """How sure the counts make a share of them."""
    if reading.interval is None:
        return ""
    return f"80% interval {interval(*reading.interval, reading.unit)}"


def by_luck(kr: ReportedKeyResult) -> str:
    """The counts' certainty where it leaves open on which side of the target the truth lies."""
    reading, limit = kr.judgement.reading, kr.target.value
    if reading is None or reading.interval is None or limit is None or kr.judgement.kept is not None:
        return ""
    low, high = reading.interval
    return certainty(reading) if low <= limit <= high else ""


def reason(kr: ReportedKeyResult, dates: Dates) -> str:
    """Why it has its status, where the numbers and the state of the data don't say so already."""
    judged = kr.judgement
    notes = judged.reading.notes if judged.reading else ()
    unseen = judged.status is Status.UNKNOWN and judged.reading and judged.reading.health not in _SEEN
    told_by_data = unseen and notes and all(note in judged.why for note in notes)
    return "" if judged.status in _BY_NUMBERS or told_by_data else dates.in_text(judged.why)


def blindness(kr: ReportedKeyResult, dates: Dates) -> str:
    """Why there is no usable value and what the last one was; empty where there is one, or none is due."""
    reading = kr.judgement.reading
    if reading is None or kr.judgement.status in _NOT_DUE or reading.health in _SEEN:
        return ""
    said = dates.in_text(reading.notes[0]) if reading.notes else HEALTH_WORDS[reading.health]
    if reading.health is Health.TOO_FEW:
        return f"{HEALTH_WORDS[reading.health]}: {said}"
    return f"{said} ({_last_value(kr, reading, dates)})"


def _last_value(kr: ReportedKeyResult, reading: Reading, dates: Dates) -> str:
    if reading.value is not None:
        measured_on = dates.last_day(reading.window)
        return f"{amount(reading.value, kr.unit, per=period(kr))}, measured {dates.day(measured_on)}"
    last = next((d for d in reversed(kr.comparable) if d.value is not None and d.health is Health.OK), None)
    if last is None:
        return f"never measured since {dates.day(kr.measured_since or kr.start)}"
    return f"last {amount(last.value, kr.unit, per=period(kr))} on {dates.day(last.day)}"


def flags(kr: ReportedKeyResult) -> Iterator[Flag]:
    """Warnings that nothing else tells: guardrails and revisions have their own words."""
    of_revision = (f for f in kr.judgement.flags if f.code in _OF_REVISIONS and f.on is not None)
    told = frozenset(of_revision)
    return (f for f in kr.judgement.flags if f.code not in _TOLD_ELSEWHERE and f not in told)


def revisions(kr: ReportedKeyResult, dates: Dates, *, flagged_only: bool = False) -> Iterator[str]:
    """`eased the target from -40% to -25% on 19 Oct, while it was off track: Two large merchants joined`."""
    for one in kr.revisions:
        told = [f for f in kr.judgement.flags if f.code in _OF_REVISIONS and f.on == one.on]
        if told or not flagged_only:
            yield _revision(one, told, dates)


def _revision(one: ReportedRevision, told: Sequence[Flag], dates: Dates) -> str:
    eased = next((f for f in told if f.code == "eased"), None)
    verb = "eased" if eased else "changed" if one.on <= dates.today else "will change"
    when = f", {eased.when}" if eased else ""
    said = f"{verb} {dates.in_text(one.changes)}" if one.changes else "withdrawn"
    return f"{said} on {dates.day(one.on)}{when}: {one.reason}"


def guardrail(state: GuardrailState) -> str:
    """`kit-reverts is 6.4% (limit 5%); one fewer would mend it`."""
    limit = f"(limit {state.limit.removeprefix('at most ')})"
    if state.value is None:
        return f"{state.metric} is {state.words} {limit}"
    said = f"{state.metric} is {amount(state.value, state.unit, per=written_period(state.limit))} {limit}"
    if state.words == BROKEN_BY_ONE:
        too_few = state.limit.startswith(("at least", "above"))
        return f"{said}; one {'more' if too_few else 'fewer'} would mend it"
    return said


def guardrails(kr: ReportedKeyResult, *, holding: bool) -> Iterator[str]:
    """Those that hold, or those that don't or can't be seen."""
    return (guardrail(g) for g in kr.judgement.guardrails if (g.holds is True) is holding)


def check_in(one: CheckIn, dates: Dates) -> str:
    """`confidence 7 of 10, 3 days ago by ana: the cache goes live`; of a note alone, `3 days ago by ana: …`."""
    sure = f"confidence {confidence(one.confidence)}, " if one.confidence is not None else ""
    return f"{sure}{dates.ago(one.at)} by {one.by}{': ' if one.note else ''}{one.note}"


def confidence(given: int | None) -> str:
    """`7 of 10`."""
    return MISSING if given is None else f"{count(given)} of {count(SURE)}"


def last_check_in(kr: ReportedKeyResult, dates: Dates) -> str:
    """Empty where nobody said anything yet; what goes on for long is cut."""
    return _cut(clean(check_in(kr.check_ins[-1], dates)), _MOST_TOLD) if kr.check_ins else ""


def since_check_in(kr: ReportedKeyResult, dates: Dates) -> str:
    """`547 → 431 ms since 13 Nov, the day of the last check-in`; empty where nothing can be compared, or today's is."""
    reading, judged = kr.judgement.reading, kr.judgement
    if not kr.check_ins or reading is None or judged.kept is not None:
        return ""
    if reading.value is None or not reading.usable(kr.accept_partial):
        return ""
    day = dates.day_of(kr.check_ins[-1].at)
    then = next((d.value for d in reversed(kr.comparable) if d.day <= day and d.usable(kr.accept_partial)), None)
    if then is None or day >= dates.today:
        return ""
    values = change(then, reading.value, kr.unit, per=period(kr))
    moved = values if not equal(then, reading.value) else f"still {value_now(kr)}"
    return f"{moved} since {dates.day(day)}, the day of the last check-in"


def check_ins(kr: ReportedKeyResult, dates: Dates) -> Iterator[str]:
    """The newest ones, newest first, and how the others are found."""
    newest = kr.check_ins[-_MOST_LISTED:]
    yield from (check_in(one, dates) for one in reversed(newest))
    if len(kr.check_ins) > len(newest):
        yield f"{count(len(kr.check_ins) - len(newest))} more before: keyresults checkin {kr.id} --history"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def about(objective: ReportedObjective) -> str:
    """`65% (70% is success), 2 of 3 measured`."""
    judged = objective.judgement
    asked = f" ({percent(LANDING)} is success)" if objective.kind == "aspirational" else ""
    grade = f", graded {graded(objective.grade.value)}" if objective.grade else ""
    return f"{percent(judged.progress)}{asked}, {judged.measured} of {judged.total} measured{grade}"


def serves(objective: ReportedObjective) -> str:
    """`serves dependable`: the id of the objective above it."""
    return f"serves {objective.parent}" if objective.parent else ""


def people(*names: str | None) -> str:
    """Owner and teams, each once."""
    return ", ".join(dict.fromkeys(n for n in names if n))


def said(report: ProgressReport, dates: Dates) -> str:
    """Of a report told from the store: when it was said, under which config, and what to ask for beside it."""
    told = report.said
    if told is None:
        return ""
    still = "" if dates.today == told.on else f", and nothing else up to {dates.day(told.on)}"
    since = "" if told.first_at == report.as_of else f", first at {dates.instant(told.first_at)}"
    config = "today's config" if told.same_config else "another config than today's"
    return (
        f"This was said at {dates.instant(report.as_of)}{since}{still}, under {config} ({told.config_digest[:8]}). "
        f"`keyresults status --as-of {told.on}` tells what today's facts say of that day."
    )


def soon_lost(loss: SoonLost, dates: Dates) -> str:
    span = f"{dates.instant(loss.start)} to {dates.instant(loss.end)}"
    return f"{span} is not collected, and the source may forget it from {dates.day(loss.on)} on: {loss.command}"


def stream(source: str, kind: str, subject: str, metrics: Sequence[str] = (), query: str = "") -> str:
    """`kit deployments of payment-kit (tags v*): kit-releases`: what is collected, and for which metrics."""
    of = f"of {subject}" if subject not in ("", source) else ""
    name = " ".join(part for part in (source, _KINDS.get(kind, kind), of, f"({query})" if query else "") if part)
    return f"{name}: {', '.join(metrics)}" if metrics else name


_KINDS = {"shipments": "commits of deployments"}
"""Kinds of streams whose own word people would not know."""
