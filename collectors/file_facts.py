"""Rows as facts: which fields each kind of fact has, and what a row must say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ..metrics.calendar import Calendar
from ..metrics.facts import Change, Deployment, Fact, Incident, Run, Sample, StatusChange, full_key
from .file_cells import Cells

RowKind = Literal["deployments", "runs", "changes", "incidents", "samples"]
Values = Mapping[str, Any]
"""What a row says, by field; fields it leaves empty are not in it."""

STATES: Sequence[str] = (
    "queued pending waiting in_progress success failure error inactive active abandoned destroyed".split()  # noqa: SIM905 (a list of words)
)
CONCLUSIONS: Sequence[str] = (
    "success failure timed_out startup_failure cancelled skipped neutral stale action_required".split()  # noqa: SIM905 (a list of words)
)

_ANY = {"key": Cells.text, "subject": Cells.text, "url": Cells.text}

FIELDS: Mapping[RowKind, Mapping[str, Callable[[Cells, object], Any]]] = {
    "deployments": {
        **_ANY,
        "commit": Cells.text,
        "created_at": Cells.time,
        "started_at": Cells.time,
        "finished_at": Cells.time,
        "at": Cells.time,
        "status": Cells.text,
        "environment": Cells.text,
        "task": Cells.text,
        "ref": Cells.text,
        "run": Cells.text,
        "workflow": Cells.text,
        "marked_rollback": Cells.flag,
    },
    "runs": {
        **_ANY,
        "run": Cells.text,
        "attempt": Cells.whole,
        "workflow": Cells.text,
        "branch": Cells.text,
        "commit": Cells.text,
        "created_at": Cells.time,
        "started_at": Cells.time,
        "completed_at": Cells.time,
        "conclusion": Cells.text,
        "event": Cells.text,
    },
    "changes": {
        **_ANY,
        "commit": Cells.text,
        "merged_at": Cells.time,
        "opened_at": Cells.time,
        "first_commit_at": Cells.time,
        "first_review_at": Cells.time,
        "title": Cells.text,
        "base": Cells.text,
        "head": Cells.text,
        "labels": Cells.words,
        "author_kind": Cells.text,
        "reverts": Cells.text,
        "paths": Cells.words,
    },
    "incidents": {
        **_ANY,
        "opened_at": Cells.time,
        "closed_at": Cells.time,
        "title": Cells.text,
        "labels": Cells.words,
        "environment": Cells.text,
        "commit": Cells.text,
        "deployment": Cells.text,
    },
    "samples": {
        **_ANY,
        "at": Cells.time,
        "day": Cells.day,
        "value": Cells.number,
        "n": Cells.number,
        "commit": Cells.text,
        "note": Cells.text,
    },
}
"""What `columns` may name for each kind of fact, and how its cells are read."""

NEEDED: Mapping[RowKind, tuple[tuple[str, ...], ...]] = {
    "deployments": (("commit",), ("created_at", "started_at", "at", "finished_at")),
    "runs": (("run",), ("created_at", "started_at")),
    "changes": (("commit",), ("merged_at",)),
    "incidents": (("opened_at",),),
    "samples": (("value",), ("at", "day")),
}
"""Of each group a row must have at least one."""

_NATURAL: Mapping[RowKind, tuple[str, ...]] = {
    "deployments": ("environment", "commit", "created_at", "started_at", "run", "ref"),
    "runs": ("workflow", "run", "attempt"),
    "changes": ("commit",),
    "incidents": ("opened_at", "title"),
    "samples": ("at", "day"),
}
"""What makes the key of a row that has none."""

_NATURAL_WHERE_SAID: Mapping[RowKind, tuple[str, ...]] = {"deployments": ("workflow",)}
"""What makes it too where the row says it: one commit may be deployed to two services at once."""


LONGEST_KEY = 1000
"""Bytes. An index of PostgreSQL takes no entry of over 2,700."""


@dataclass(frozen=True, slots=True)
class FactMaker:
    """Makes facts of one kind."""

    kind: RowKind
    subject: str
    calendar: Calendar
    now: datetime

    def make(self, values: Values) -> Fact:
        """
        Raises:
            ValueError: in words, where the row lacks what the fact needs.
        """
        for group in NEEDED[self.kind]:
            if not any(field in values for field in group):
                raise ValueError(f"it says no {' or '.join(group)}")
        known = {k: v for k, v in values.items() if k in ("url",)}
        known |= {"key": self._key(values), "subject": values.get("subject", self.subject)}
        if self.kind == "samples":
            known |= self._time(values)
        fact = _MAKERS[self.kind](values, known)
        if fact.at > self.now:
            raise NotYet(f"{fact.at:%Y-%m-%d %H:%M} UTC is not yet")
        return fact

    def _time(self, values: Values) -> dict[str, Any]:
        """The instant of a sample, or all of the day that it describes."""
        if (day := values.get("day")) is None:
            return {"at": values["at"]}
        end = self.calendar.end_of(day)
        return {"at": self.calendar.start_of(day), "until": min(end, self.now), "final": end <= self.now}

    def _key(self, values: Values) -> str:
        """Unique among all subjects, which share one stream."""
        said = values.get("key")
        if said is None:
            natural = "\x1f".join(self._natural(values))
            said = hashlib.sha256(natural.encode()).hexdigest()[:20]
        key = full_key(values["subject"], said) if "subject" in values else str(said)
        if len(key.encode(errors="replace")) > LONGEST_KEY:
            raise ValueError(f"its key {key[:40]!r}… is longer than {LONGEST_KEY:,} bytes: name a shorter column")
        return key

    def _natural(self, values: Values) -> Iterator[str]:
        for field in _NATURAL[self.kind]:
            yield str(values.get(field, ""))
        for field in _NATURAL_WHERE_SAID.get(self.kind, ()):
            if field in values:
                yield str(values[field])
        if self.kind == "deployments" and not {"created_at", "started_at"} & set(values):
            yield str(_ended(values))


class NotYet(ValueError):
    """A row of the future: to be read again when its time has come."""


def _deployment(values: Values, known: dict[str, Any]) -> Deployment:
    started, ended = values.get("started_at"), _ended(values)
    created: datetime = next(
        values[field] for field in ("created_at", "started_at", "finished_at", "at") if field in values
    )
    status = values.get("status", "").lower()
    _among(status, STATES, "status")
    statuses = [StatusChange("in_progress", started)] if started else []
    if status:
        statuses.append(StatusChange(status, ended or created))
    return Deployment(
        **known,
        **_given(values, "task", "ref", "run", "workflow", "marked_rollback"),
        environment=values.get("environment", "production"),
        commit=values["commit"],
        created_at=created,
        statuses=tuple(statuses),
    )


def _ended(values: Values) -> datetime | None:
    return values.get("finished_at") or values.get("at")


def _run(values: Values, known: dict[str, Any]) -> Run:
    conclusion = values.get("conclusion", "").lower()
    _among(conclusion, CONCLUSIONS, "conclusion")
    return Run(
        **known,
        **_given(values, "started_at", "completed_at", "event"),
        **{field: values.get(field, "") for field in ("workflow", "branch", "commit")},
        run=values["run"],
        attempt=values.get("attempt", 1),
        created_at=values.get("created_at") or values["started_at"],
        conclusion=conclusion or None,
    )


def _change(values: Values, known: dict[str, Any]) -> Change:
    _among(values.get("author_kind", ""), ("person", "bot", "unknown"), "author_kind")
    return Change(**known, **{k: v for k, v in values.items() if k not in ("key", "subject", "url")})


def _incident(values: Values, known: dict[str, Any]) -> Incident:
    return Incident(**known, **{k: v for k, v in values.items() if k not in ("key", "subject", "url")})


def _sample(values: Values, known: dict[str, Any]) -> Sample:
    return Sample(**known, **_given(values, "value", "n", "commit", "note"))


_MAKERS: Mapping[RowKind, Callable[[Values, dict[str, Any]], Fact]] = {
    "deployments": _deployment,
    "runs": _run,
    "changes": _change,
    "incidents": _incident,
    "samples": _sample,
}


def _given(values: Values, *fields: str) -> dict[str, Any]:
    return {field: values[field] for field in fields if field in values}


def _among(word: str, known: Sequence[str], field: str) -> None:
    if word and word not in known:
        raise ValueError(
            f"{word[:40]!r} is no {field}; known are {', '.join(known)}: "
            f'say values = {{ {field} = {{ "{word[:40]}" = "…" }} }}'
        )
