"""When people are asked for a check-in, and which times they let pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ..metrics.calendar import Calendar
from ..metrics.definition import MetricTraits
from .model import KeyResult
from .terms import moment

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Asked at the local time `at` of a `weekday` (Monday is 0; None: any day), `every` so often."""

    every: timedelta
    at: time
    weekday: int | None = None

    def rounds(self, calendar: Calendar, first: date, until: datetime) -> list[datetime]:
        """The instants at which people are asked, from the local day `first` to `until` (included), oldest first.

        Each is the first that fits `every` or more after the one before it, by the clock on the wall.
        """
        asked = []
        local = self._fitting(datetime.combine(first, time.min))
        while (instant := local.replace(tzinfo=calendar.zone).astimezone(UTC)) <= until:
            asked.append(instant)
            local = self._fitting(local + max(self.every, _DAY))
        return asked

    def _fitting(self, earliest: datetime) -> datetime:
        """The first wall time that fits, not before `earliest`."""
        local = datetime.combine(earliest.date(), self.at)
        if local < earliest:
            local += _DAY
        while self.weekday is not None and local.weekday() != self.weekday:
            local += _DAY
        return local


def is_open(kr: KeyResult, traits: Mapping[str, MetricTraits], calendar: Calendar, as_of: datetime) -> bool:
    """Whether people are asked of it: begun, not ended, no draft, not withdrawn. `traits` are those of its metrics."""
    now = moment(kr, traits, calendar, as_of)
    return now.start <= as_of and not (now.ended or now.terms.withdrawn or kr.draft)


def missed_rounds(
    kr: KeyResult, rounds: Sequence[datetime], calendar: Calendar, last: datetime | None
) -> tuple[datetime, ...]:
    """Those of the `rounds` since it began at which nobody checked in any more; `last` is its newest check-in.

    An open key result is due while there are any.
    """
    since = calendar.start_of(kr.start)
    return tuple(at for at in rounds if at >= since and (last is None or at > last))
