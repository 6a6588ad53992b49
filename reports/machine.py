"""`--json`: the documented form, described by docs/json.md and docs/json.schema.json.

Ratios are fractions, durations seconds, times ISO 8601 with the offset of the tracker's zone; a
missing number is null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from ..krs.checkin import CheckIn
from ..krs.judgement import Baseline, Judgement, KeptDays
from ..krs.lint_rules import RULES, Finding
from ..krs.model import Kind
from ..metrics.reading import Reading
from ..metrics.window import Window
from . import machine_grades
from .escaping import screen_safe_json
from .findings import words as in_words
from .machine_telling import fact, first_screen, forecast, told
from .machine_telling import time as _time
from .progress_report import ProgressReport, ReportedKeyResult, ReportedObjective, Said, TargetTerms
from .values import (
    CheckInHistory,
    ClosingPreview,
    CollectionPlan,
    DueCheckIn,
    Explanation,
    Learned,
    MetricSeries,
    PlannedSource,
    SoonLost,
    SourceState,
)

Object = dict[str, object]


def status(report: ProgressReport) -> str:
    return _text(_report(report, ZoneInfo(report.timezone), in_full=False))


def full_report(report: ProgressReport) -> str:
    """As `status`, with what stands behind each key result, the sources and the notices."""
    return _text(_in_full(report))


def closing(found: ClosingPreview) -> str:
    """As `status`, with the grades, what is in the way of closing, and what was done before."""
    zone = ZoneInfo(found.report.timezone)
    said = _report(found.report, zone, in_full=False)
    steps = [
        {"action": one.action, "at": _time(one.at, zone), "by": one.by, "reason": one.reason or None}
        for one in found.history
    ]
    return _text({**said, "hindrances": list(found.hindrances), "history": steps})


def retrospective(report: ProgressReport, lessons: Sequence[Learned]) -> str:
    """The full report with its grades, and what was learned."""
    zone = ZoneInfo(report.timezone)
    learned = [{"key_result": o.key_result, "text": o.text, "by": o.by, "at": _time(o.at, zone)} for o in lessons]
    return _text({"report": _in_full(report), "learned": learned})


def _in_full(report: ProgressReport) -> Object:
    said = _report(report, ZoneInfo(report.timezone), in_full=True)
    said["cycle_start"], said["cycle_end"] = report.cycle.start.isoformat(), report.cycle.end.isoformat()
    said["sources"] = [
        {"name": s.name, "health": s.health.value, "words": s.words, "owner": s.owner} for s in report.sources
    ]
    said["notices"] = list(report.notices)
    said["since"] = report.since.isoformat() if report.since else None
    said["first_screen"] = first_screen(report)
    return said


def metric(series: MetricSeries) -> str:
    zone = ZoneInfo(series.timezone)
    return _text(
        {
            "metric": series.metric,
            "unit": series.unit,
            "definition": series.definition,
            "counts": series.counted or None,
            "readings": [reading_object(r, zone) for r in series.readings],
        }
    )


def explanation(explained: Explanation) -> str:
    zone = ZoneInfo(explained.timezone)
    return _text(
        {
            "definition": explained.definition,
            "counts": explained.counted or None,
            "window": _window(explained.window, zone),
            "reading": reading_object(explained.reading, zone),
            "facts": [fact(f, zone) for f in explained.facts],
        }
    )


def sources(states: Sequence[SourceState], timezone: str) -> str:
    zone = ZoneInfo(timezone)
    return _text([_source(s, zone) for s in states])


def plan(planned: CollectionPlan, timezone: str) -> str:
    zone = ZoneInfo(timezone)
    return _text([_planned_source(source, zone) for source in planned.sources])


def check_ins_due(found: Sequence[DueCheckIn], timezone: str) -> str:
    zone = ZoneInfo(timezone)
    return _text(
        [
            {
                "key_result": one.key_result,
                "title": one.title,
                "owners": list(one.owners),
                "since": _time(one.since, zone),
                "rounds": one.rounds,
                "last": _check_in(one.last, zone) if one.last else None,
            }
            for one in found
        ]
    )


def check_in_history(found: Sequence[CheckInHistory], timezone: str) -> str:
    zone = ZoneInfo(timezone)
    return _text(
        [
            {
                "key_result": one.key_result,
                "title": one.title,
                "check_ins": [_check_in(said, zone) for said in one.check_ins],
            }
            for one in found
        ]
    )


def lint(findings: Sequence[Finding]) -> str:
    return _text([_finding(one) for one in findings])


def _finding(one: Finding) -> Object:
    rule = RULES[one.code]
    return {
        "code": one.code,
        "rule": rule.name,
        "objective": one.objective,
        "key_result": one.key_result,
        "words": in_words(one),
        "reason": rule.reason,
        "uses_history": rule.uses_history,
        "ignored": one.ignored,
    }


def _planned_source(source: PlannedSource, zone: ZoneInfo) -> Object:
    return {
        "source": source.source,
        "requests": source.requests,
        "seconds": source.seconds,
        "fits": source.fits,
        "quotas": [
            {"resource": q.resource, "needed": q.needed, "allowed": q.allowed, "reset": _time(q.reset, zone)}
            for q in source.quotas
        ],
        "streams": [
            {
                "stream": s.stream,
                "kind": s.kind,
                "subject": s.subject,
                "metrics": list(s.metrics),
                "start": _time(s.start, zone),
                "requests": s.requests,
                "at_least": s.at_least,
            }
            for s in source.streams
        ],
        "spent": source.spent,
        "error": source.error,
    }


def _report(report: ProgressReport, zone: ZoneInfo, *, in_full: bool) -> Object:
    return {
        "as_of": _time(report.as_of, zone),
        "cycle": report.cycle.name,
        "timezone": report.timezone,
        "said": _said(report.said, zone) if report.said else None,
        "closed": {"at": _time(report.closed.at, zone), "by": report.closed.by} if report.closed else None,
        "objectives": [_objective(o, zone, in_full=in_full) for o in report.objectives],
    }


def _said(said: Said, zone: ZoneInfo) -> Object:
    return {
        "on": said.on.isoformat(),
        "first_at": _time(said.first_at, zone),
        "config_digest": said.config_digest,
        "same_config": said.same_config,
    }


def _objective(objective: ReportedObjective, zone: ZoneInfo, *, in_full: bool) -> Object:
    judged = objective.judgement
    return {
        "id": objective.id,
        "title": objective.title,
        "kind": objective.kind,
        "owner": objective.owner,
        "teams": list(objective.teams),
        "parent": objective.parent,
        "status": judged.status.value,
        "progress": judged.progress,
        "measured": judged.measured,
        "total": judged.total,
        "grade": machine_grades.of_objective(objective.grade),
        "key_results": [
            _key_result(kr, objective.kind, zone) | (_behind(kr) | told(kr, zone) if in_full else {})
            for kr in objective.key_results
        ],
    }


def _key_result(kr: ReportedKeyResult, kind: Kind, zone: ZoneInfo) -> Object:
    judged = kr.judgement
    return {
        "id": kr.id,
        "title": kr.title,
        "owner": kr.owner,
        "metric": judged.metric,
        "unit": kr.unit,
        "counts": kr.counted or None,
        "baseline": _baseline(judged.baseline, zone),
        "target": _target(kr.target),
        "reading": reading_object(judged.reading, zone) if judged.reading else None,
        "kind": kind,
        **_progress(judged),
        "decides_on": _window(judged.decides_on, zone) if judged.decides_on else None,
        "status": judged.status.value,
        "flags": [f.code for f in judged.flags],
        "forecast": forecast(kr.forecast),
        "guardrails": [
            {"metric": g.metric, "holds": g.holds, "value": g.value, "limit": g.limit} for g in judged.guardrails
        ],
        "revisions": [{"on": r.on.isoformat(), "reason": r.reason} for r in kr.revisions],
        "check_ins": [_check_in(one, zone) for one in kr.check_ins],
        "grade": machine_grades.of_key_result(kr.grade),
    }


def _check_in(one: CheckIn, zone: ZoneInfo) -> Object:
    return {"at": _time(one.at, zone), "by": one.by, "confidence": one.confidence, "note": one.note}


def _progress(judged: Judgement) -> Object:
    return {
        "progress": judged.progress,
        "raw_progress": judged.raw_progress,
        "expected": judged.expected,
        "needs": judged.needed_pace,
    }


def _behind(kr: ReportedKeyResult) -> Object:
    judged = kr.judgement
    return {
        "why": judged.why,
        "definition": kr.definition,
        "start": kr.start.isoformat(),
        "deadline": judged.deadline.isoformat(),
        "weight": judged.weight,
        "satisfied": judged.satisfied,
        "first_target": _target(kr.first_target) if kr.first_target else None,
        "kept": _kept(judged.kept) if judged.kept else None,
        "flag_words": {f.code: f.words for f in judged.flags},
        "guardrail_words": {g.metric: g.words for g in judged.guardrails},
        "initiatives": list(kr.initiatives),
        "series": [{"day": d.day.isoformat(), "value": d.value, "health": d.health.value} for d in kr.series],
    }


def _kept(kept: KeptDays) -> Object:
    return {"days": kept.days, "measured": kept.measured, "bad": kept.bad, "budget": kept.budget}


def _baseline(start: Baseline | None, zone: ZoneInfo) -> Object | None:
    if start is None:
        return None
    return {
        "value": start.value,
        "at": _time(start.at, zone),
        "measured": start.measured,
        "provisional": start.provisional,
    }


def _target(terms: TargetTerms) -> Object:
    return {
        "kind": terms.kind,
        "value": terms.value,
        "between": list(terms.between) if terms.between else None,
        "share": terms.share,
        "text": terms.text,
    }


def reading_object(reading: Reading, zone: ZoneInfo) -> Object:
    """A reading, as docs/json.md describes it."""
    return {
        "at": _time(reading.at, zone),
        "day": reading.day.isoformat(),
        "value": reading.value,
        "unit": reading.unit,
        "interval": list(reading.interval) if reading.interval else None,
        "n": reading.n,
        "numerator": reading.numerator,
        "denominator": reading.denominator,
        "health": reading.health.value,
        "covered": reading.covered,
        "window": _window(reading.window, zone),
        "notes": list(reading.notes),
    }


def _source(state: SourceState, zone: ZoneInfo) -> Object:
    return {
        "source": state.source,
        "type": state.type,
        "stream": state.stream,
        "kind": state.kind,
        "subject": state.subject,
        "metrics": list(state.metrics),
        "health": state.health.value,
        "covered": [[_time(r.start, zone), _time(r.end, zone)] for r in state.covered],
        "newest_fact": _time(state.newest_fact, zone),
        "last_run": _time(state.last_run, zone),
        "last_error": state.last_error,
        "requests": state.requests,
        "next_run": _time(state.next_run, zone),
        "problems": list(state.problems),
        "soon_lost": _loss(state.soon_lost, zone) if state.soon_lost else None,
    }


def _loss(loss: SoonLost, zone: ZoneInfo) -> Object:
    return {
        "from": _time(loss.start, zone),
        "to": _time(loss.end, zone),
        "on": loss.on.isoformat(),
        "command": loss.command,
    }


def _window(window: Window, zone: ZoneInfo) -> Mapping[str, object]:
    return {"start": _time(window.start, zone), "end": _time(window.end, zone)}


def _text(value: object) -> str:
    return screen_safe_json(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"
