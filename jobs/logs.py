"""Logs: one line for whatever happened, as text or JSON, and no secret in any."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, TextIO
from unicodedata import category

from ..collectors.redaction import HIDDEN, without
from ..collectors.secrets import resolved_secrets

Form = Literal["text", "json"]

OURS = "keyresults"

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SENT = re.compile(r"(?<=://)[^/\s@]+(?=@)|(?<=\bBearer )\S+|(?<=\bBasic )\S+")
"""Credentials as requests carry them, whoever they belong to."""


def configure(form: Form = "text", level: int | str = logging.INFO, stream: TextIO | None = None) -> None:
    """Write logs to `stream` (standard error): ours from `level` on, what libraries say from warnings on.

    May be called again: the last call holds.
    """
    handler = _Handler(sys.stderr if stream is None else stream)
    handler.prefixed = _is_the_journal(handler.stream)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level)


def without_secrets(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of the record, whose message, what was raised and all that is told beside it hold no secret."""
    clean = logging.makeLogRecord(vars(record))
    clean.msg, clean.args = _clean(_message(record)), None
    raised = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else record.exc_text
    clean.exc_info, clean.exc_text = None, _clean(raised.rstrip("\n")) if raised else None
    clean.stack_info = _clean(record.stack_info) if record.stack_info else None
    for name, value in _beside(record):
        setattr(clean, name, _clean_value(value))
    return clean


class TextLines(logging.Formatter):
    """When, how bad, who, what, and `name=value` of what is told beside it; what was raised is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        said = " | ".join(_message(record).splitlines())
        beside = "".join(f" {name}={_in_a_word(value)}" for name, value in _beside(record))
        below = "\n".join(text for text in (record.exc_text, record.stack_info) if text)
        line = f"{_at(record)} {record.levelname} {record.name} {said}{beside}"
        return "\n  ".join(map(_shown, (line, *below.splitlines())))


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said = {"ts": _at(record), "level": record.levelname, "logger": record.name, "msg": _message(record)}
        raised = {"exc": record.exc_text} if record.exc_text else {}
        beside = {name: value for name, value in _beside(record) if name not in said and name != "exc"}
        return json.dumps(said | beside | raised, default=str)


class _Handler(logging.StreamHandler[TextIO]):
    """No line leaves it with a secret in it. `prefixed` ones begin with how bad it is, for a journal."""

    prefixed = False

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(without_secrets(record))
        return "\n".join(f"<{_badness(record)}>{line}" for line in text.splitlines()) if self.prefixed else text

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (as the standard library has it)
        """Nothing: it would be told with the record as it was, and the place to tell it is gone."""


def _is_the_journal(stream: TextIO) -> bool:
    """Whether systemd reads the stream into its journal: it names the journal's end to those it starts."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # no file at all
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _badness(record: logging.LogRecord) -> int:
    """Syslog's number: 3 for an error, 4 for a warning, 6 for what is said, 7 for what looks into it."""
    levels = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
    return next((number for level, number in levels if record.levelno >= level), 7)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # a message whose arguments don't fit is still worth more than none
        return f"{record.msg} {record.args}"


def _beside(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(record).items() if name not in _USUAL)


def _clean(text: str) -> str:
    return _SENT.sub(HIDDEN, without(text, resolved_secrets()))


def _clean_value(value: object) -> object:
    """Numbers as they are, all else as text."""
    return value if value is None or isinstance(value, (bool, int, float)) else _clean(str(value))


def _shown(line: str) -> str:
    """What a server said may move a terminal's cursor. Marked, not left out: parts of a secret would meet."""
    return line if line.isprintable() else "".join(c if c.isprintable() or category(c) == "Zs" else "�" for c in line)


def _in_a_word(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)
