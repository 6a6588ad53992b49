"""The next cycle's objectives, drafted from the last one's: what was not reached is carried over, what was is held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..config.cycles import cycle_named as cycle_by_name
from ..config.document import Document, read
from ..config.fields import NAME
from ..config.model import Config
from ..config.problem import ConfigProblems
from ..krs.baseline import baseline_window
from ..krs.cycle import Cycle
from ..krs.judgement import Status
from ..krs.model import Keep, KeyResult, Objective
from ..krs.terms import terms
from ..metrics.reading import Reading
from ..metrics.traits import counted_in_words, traits_of
from ..reports.progress_report import ProgressReport, ReportedKeyResult, ReportedObjective
from .closing import looking_back
from .evaluate import cycle_named
from .evidence import Evaluation
from .naming_cycles import with_cycles_named
from .next_cycle_document import written as text_of
from .next_cycle_parts import CannotDraft, LeftOut, Next, NextKeyResult, NextObjective
from .next_targets import in_force, still_to_reach, to_hold
from .trial import read_as
from .whole_files import write_whole
from .workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """`text` is the draft; `whole` the config with it, in which each objective names its cycle.

    `unnamed` are the ids of objectives that have to name theirs before the draft can stand beside them.
    """

    text: str
    whole: str
    unnamed: tuple[str, ...]
    found: Next


def draft_next(
    workspace: Workspace, name: str, *, last: str | None = None, days: tuple[date, date] | None = None
) -> Drafted:
    """A draft of the cycle `name` from the cycle `last` (by default the one that is shown).

    `days` are the first and the last of a cycle whose name doesn't say them. The draft is held
    against the config: both together load.

    Raises:
        CannotDraft: where there is nothing to draft from, or something there already.
        NoCycle: where there is no such last cycle.
    """
    config = workspace.config
    before = cycle_named(config, last)
    cycle, known = _next_cycle(config, name, days)
    document = read(config.path)
    report, lessons = looking_back(workspace, before.name)
    carrier = _Carrier(Evaluation(config, workspace.store, workspace.clock()), document, report, cycle)
    found = Next(
        cycle=cycle,
        names_itself=known,
        last=report,
        objectives=tuple(carrier.objectives()),
        lessons=lessons,
    )
    text = text_of(found, config.calendar.day_of(workspace.clock()))
    named, unnamed = with_cycles_named(document, config.cycle.name if config.cycle else before.name)
    whole = f"{named.rstrip()}\n\n{text}"
    _check(whole, config.path)
    return Drafted(text=text, whole=whole, unnamed=unnamed, found=found)


def _next_cycle(config: Config, name: str, days: tuple[date, date] | None) -> tuple[Cycle, bool]:
    """The cycle, and whether its days are known without a table in the draft."""
    if NAME.match(name) is None:
        raise CannotDraft(f"{name[:40]!r} is no name: letters, digits, dots, dashes and underscores make one")
    if any(o.cycle.name == name for o in config.objectives):
        raise CannotDraft(f"there are objectives for {name} already: it is drafted from nothing but an empty page")
    known = cycle_by_name(name) or config.cycles.get(name)
    if known is not None and days is not None:
        raise CannotDraft(f"the days of {name} are known: {known.start} to {known.end}; leave out --start and --end")
    if known is not None:
        return known, True
    if days is None:
        raise CannotDraft(f"{name!r} doesn't say its days, as 2027-Q1 does: give them with --start and --end")
    if days[1] < days[0]:
        raise CannotDraft(f"{name} would end ({days[1]}) before it starts ({days[0]})")
    return Cycle(name, *days), False


@dataclass(frozen=True, slots=True)
class _Carrier:
    evaluation: Evaluation
    document: Document
    report: ProgressReport
    next: Cycle

    @property
    def config(self) -> Config:
        return self.evaluation.config

    def objectives(self) -> Iterator[NextObjective]:
        last = self.report.cycle.name
        told = {o.id: o for o in self.report.objectives}
        mine = [(o, table) for o, table in zip(self.config.objectives, self._tables(), strict=True)]
        for objective, table in mine:
            if objective.cycle.name == last and objective.id in told:
                yield self._objective(objective, table, told[objective.id])

    def _tables(self) -> Sequence[Mapping[str, Any]]:
        tables: Sequence[Mapping[str, Any]] = self.document.table.get("objectives", [])
        return tables

    def _objective(self, objective: Objective, table: Mapping[str, Any], told: ReportedObjective) -> NextObjective:
        known = {kr.id: kr for kr in told.key_results}
        carried: list[NextKeyResult] = []
        left: list[LeftOut] = []
        for kr, its_table in zip(objective.key_results, table.get("key_results", []), strict=True):
            if kr.id not in known:
                continue
            one = self._key_result(kr, its_table, known[kr.id])
            if isinstance(one, NextKeyResult):
                carried.append(one)
            else:
                left.append(one)
        kept = {
            key: table[key] for key in ("id", "title", "owner", "teams", "kind", "parent", "ignore") if key in table
        }
        return NextObjective(
            told=told,
            table={**kept, "cycle": self.next.name},
            key_results=tuple(carried),
            left_out=tuple(left),
        )

    def _key_result(
        self, kr: KeyResult, written: Mapping[str, Any], told: ReportedKeyResult
    ) -> NextKeyResult | LeftOut:
        judged = told.judgement
        if judged.status is Status.WITHDRAWN:
            return LeftOut(told=told, why=judged.why)
        today = self.config.calendar.day_closed_by(self.report.as_of)
        if judged.deadline > self.report.cycle.end and today < judged.deadline:
            return LeftOut(told=told, why=f"It still runs, until {judged.deadline}")
        return self._carried(kr, written, told, min(judged.deadline, today))

    def _carried(self, kr: KeyResult, written: Mapping[str, Any], told: ReportedKeyResult, day: date) -> NextKeyResult:
        now = terms(kr, day)
        metric, definition = now.metric, self.config.metrics[now.metric]
        held = told.judgement.status is Status.MET
        choose = to_hold if held else still_to_reach
        target = choose(in_force(written, "target", day), now.target, told, traits_of(definition))
        keep = "keep" in target
        kept = {key: written[key] for key in ("id", "title", "owner") if key in written}
        table = {**kept, "metric": metric, "target": target}
        if not keep:
            table["baseline"] = "measured"
        if now.weight != 1.0:
            table["weight"] = in_force(written, "weight", day)
        more = ("guardrails", "accept", "forecast", "ignore", *(() if keep else ("baseline_window",)))
        table |= {key: written[key] for key in more if key in written}
        return NextKeyResult(
            told=told,
            table={**table, "draft": True},
            held=held,
            metric=metric,
            counted=counted_in_words(definition),
            measured=None if keep and isinstance(now.target, Keep) else self._measured(kr, metric),
        )

    def _measured(self, kr: KeyResult, metric: str) -> Reading:
        """What a baseline of the next cycle would be: at the end of the last one, or now where it still runs."""
        calendar = self.config.calendar
        at = min(self.evaluation.as_of, calendar.end_of(self.report.cycle.end))
        asked = replace(kr, metric=metric, start=self.next.start, deadline=self.next.end)
        _, window = baseline_window(asked, traits_of(self.config.metrics[metric]), calendar)
        return self.evaluation.measurement(metric, window=window).readings([at], at)[0]


def _check(whole: str, path: Path) -> None:
    with TemporaryDirectory(prefix="keyresults-") as folder:
        try:
            read_as(whole, path, Path(folder))
        except ConfigProblems as problems:
            raise CannotDraft(f"the draft does not stand beside {path.name}: {problems}") from problems


def append(drafted: Drafted, config: Config) -> None:
    """Write the config with the draft in it: as a whole, or not at all.

    Raises:
        CannotDraft: where it can't be written.
    """
    text, crlf = drafted.whole, b"\r\n" in config.path.read_bytes()
    try:
        write_whole(config.path, text.replace("\n", "\r\n") if crlf else text)
    except OSError as error:
        raise CannotDraft(f"{config.path} can't be written: {error.strerror}") from error
