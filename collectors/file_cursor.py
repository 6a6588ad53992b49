"""What one reading of fact files leaves for the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..metrics.facts import Fact
from ..metrics.stream import Json
from .file_reading import Reading
from .remembered import remember

REMEMBERED = 50_000
"""How many of a subject's newest rows are watched for being taken out of the files."""

FileStates = Mapping[str, list[int]]
"""Size and time of modification (ns) of each file, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`files` are `FileStates`; `first` and `last` are of all rows, `rows` the stream's own.

    `settled` says that unchanged files need no reading.
    """

    files: object = None
    first: datetime | None = None
    last: datetime | None = None
    settled: bool = False
    problems: tuple[str, ...] = ()
    rows: object = None

    @classmethod
    def of(cls, cursor: Json) -> Known:
        problems = cursor.get("problems")
        return cls(
            files=cursor.get("files"),
            first=_instant(cursor.get("first")),
            last=_instant(cursor.get("last")),
            settled=cursor.get("settled") is True,
            problems=tuple(map(str, problems)) if isinstance(problems, list) else (),
            rows=cursor.get("rows"),
        )

    @classmethod
    def after(cls, reading: Reading, files: FileStates, problems: tuple[str, ...], times: Mapping[str, int]) -> Known:
        return cls(
            files=dict(files),
            first=reading.first,
            last=reading.last,
            settled=reading.settled,
            problems=problems,
            rows=remember(times, REMEMBERED),
        )

    def cursor(self) -> Json:
        return {
            "files": self.files,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "settled": self.settled,
            "problems": list(self.problems),
            "rows": self.rows,
        }


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Whose facts the files told of, by the newest row's time (s), when they were in this state."""

    newest: Mapping[str, int]
    files: object = None

    @classmethod
    def of(cls, memo: str | None) -> Subjects:
        kept = json.loads(memo) if memo else {}
        return cls(newest=kept.get("newest", {}), files=kept.get("files"))

    def after(self, told: Mapping[str, Mapping[str, Fact]], reading: Reading, files: FileStates) -> Subjects:
        """Those told of now, and those whose rows have all fallen off the beginning of the files."""
        if not reading.complete:
            return Subjects(newest={**self.newest, **_newest(told)})
        since = int(reading.first.timestamp()) if reading.first else None
        fallen = {name: at for name, at in self.newest.items() if since is None or at < since}
        return Subjects(newest={**fallen, **_newest(told)}, files=dict(files) if reading.settled else None)

    def memo(self) -> str:
        return json.dumps({"newest": self.newest, "files": self.files})


def _newest(told: Mapping[str, Mapping[str, Fact]]) -> dict[str, int]:
    return {name: max(int(fact.at.timestamp()) for fact in facts.values()) for name, facts in told.items()}
