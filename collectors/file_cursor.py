"""What one reading of fact files leaves for the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..metrics.stream import Json
from .file_reading import Reading
from .remembered import remember

REMEMBERED = 50_000
"""How many of the newest rows are watched for being taken out of the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`files` are size and modification by name; `settled` says that unchanged files need no reading."""

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
    def after(cls, reading: Reading, files: Mapping[str, list[int]], problems: tuple[str, ...]) -> Known:
        return cls(
            files=dict(files),
            first=reading.first,
            last=reading.last,
            settled=reading.settled,
            problems=problems,
            rows=remember(reading.times, REMEMBERED),
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
