"""The tracker's own settings: zone, store, cycles, calendar, teams."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from ..krs.cycle import Cycle
from ..krs.model import Pace
from ..metrics.calendar import WEEKDAYS, Calendar, ClosedPeriod
from .cycles import cycle_named, cycles_in_use
from .findings import Findings
from .model import StoreAddress, Team
from .places import Key
from .problem import near
from .schema_tracker import CalendarTable, CycleTable, PaceTable, StoreTable, TeamTable, TrackerTable
from .store_address import DEFAULT, store_url
from .written_objectives import WrittenObjective

NEVER = date(2000, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    timezone: str
    store: StoreAddress
    cycle: str | None
    pace: Pace
    forecast: bool
    says_cycle: bool
    """Whether a cycle is written, if a wrong one."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """Every cycle in use by its name, and the one shown when none is named."""

    by_name: Mapping[str, Cycle]
    default: Cycle | None


def bind_tracker(table: object, base: Path, findings: Findings) -> Tracker:
    written = findings.salvaged(TrackerTable, table, ("tracker",)) or TrackerTable()
    return Tracker(
        timezone=_timezone(written.timezone, findings),
        store=_store(written.store, base, findings),
        cycle=written.cycle,
        pace=_pace(written.pace),
        forecast=written.forecast,
        says_cycle=not isinstance(table, Mapping) or "cycle" in table,
    )


def _pace(written: PaceTable) -> Pace:
    return Pace(**written.model_dump())


def _timezone(name: str, findings: Findings) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = near(name, available_timezones())
        findings.add(("tracker", "timezone"), f'is no IANA time zone, such as "Europe/Berlin"{hint}')
        return "UTC"
    return name


def _store(written: str | StoreTable | None, base: Path, findings: Findings) -> StoreAddress:
    key: Key = ("tracker", "store")
    password = None
    if isinstance(written, StoreTable):
        key, password, written = (*key, "url"), written.password, written.url
    try:
        return StoreAddress(store_url(written or DEFAULT, base), password)
    except ValueError as error:
        findings.add(key, str(error))
        return StoreAddress(store_url(DEFAULT, base))


def bind_cycles(table: object, tracker: Tracker, objectives: Sequence[WrittenObjective], findings: Findings) -> Cycles:
    defined = _defined(table, findings)
    in_use = cycles_in_use(tracker.cycle, defined, [o.cycle for o in objectives])
    known: dict[str, Cycle] = dict(defined)
    places: list[tuple[str, Key]] = [(tracker.cycle, ("tracker", "cycle"))] if tracker.cycle else []
    places += [(o.cycle, (*o.key, "cycle")) for o in objectives if o.cycle]
    for name, key in places:
        cycle = known.get(name) or cycle_named(name)
        if cycle is None:
            message = "there is no such cycle: a name like 2026-Q4 says its days, another needs a [cycles] table"
            findings.add(key, message + near(name, known))
        else:
            known[name] = cycle
    if in_use.demanded:
        for objective in objectives:
            if objective.cycle is None:
                findings.add(objective.key, 'cycle is missing: more than one is in use, so write cycle = "2026-Q4"')
    elif in_use.default is None and objectives and not tracker.says_cycle:
        findings.add(("tracker",), 'no cycle is named: write cycle = "2026-Q4" under [tracker]')
    return Cycles(known, known.get(in_use.default or ""))


def _defined(table: object, findings: Findings) -> dict[str, Cycle]:
    """Cycles with a table; those with a wrong one too, so that they aren't said to be missing."""
    cycles = {}
    for name, one, key in findings.tables(table, ("cycles",)):
        written = findings.salvaged(CycleTable, one, key)
        if cycle_named(name) is not None:
            findings.add(key, "this name says its days already: choose another, or drop the table")
        cycles[name] = Cycle(name, written.start, written.end) if written else Cycle(name, NEVER, NEVER)
    return cycles


def bind_calendar(table: object, timezone: str, findings: Findings) -> Calendar:
    written = findings.salvaged(CalendarTable, table, ("calendar",)) or CalendarTable()
    longest = timedelta(days=366)
    for index, period in enumerate(written.closed):
        if period.end - period.start > longest:
            findings.add(("calendar", "closed", index), "a closed period lasts a year at most")
    return Calendar(
        timezone,
        frozenset(WEEKDAYS.index(day) for day in written.workdays),
        frozenset(written.holidays),
        tuple(ClosedPeriod(period.start, period.end, period.reason) for period in written.closed),
    )


def bind_teams(table: object, channels: Collection[str], findings: Findings) -> dict[str, Team]:
    teams = {}
    for name, one, key in findings.tables(table, ("teams",)):
        written = findings.salvaged(TeamTable, one, key)
        if written:
            check_channels(written.notify, channels, (*key, "notify"), findings)
            teams[name] = Team(name, tuple(written.people), tuple(written.notify))
    return teams


def check_channels(names: Sequence[str], channels: Collection[str], key: Key, findings: Findings) -> None:
    for index, name in enumerate(names):
        if name not in channels:
            findings.add((*key, index), f"there is no [notify.{name}]{near(name, channels)}")
