"""The JSON report of coverage.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .contract import ConfigError
from .coverage_tally import Kind, Report
from .file_patterns import SourceFile, UnreadableFile


def read_coverage_py(file: SourceFile, kind: Kind) -> Report:
    """Lines are the statements coverage.py counts; `combined` adds branches to them, as its `percent_covered` does.

    Raises:
        ConfigError: where branches are asked of a measurement without them.
    """
    if file.bound is None:
        return _read(file, _parsed(file, file.path.read_bytes()), kind)
    with file.bound.lend(file.path.stat().st_size, file.name):
        raw = file.path.read_bytes()
        with file.bound.lend(_costs(raw), file.name):
            return _read(file, _parsed(file, raw), kind)


def _read(file: SourceFile, whole: Mapping[str, Any], kind: Kind) -> Report:
    meta = whole["meta"]
    if kind == "branch" and not meta.get("branch_coverage"):
        raise ConfigError(f"{file.name} was measured without branches: run coverage with --branch, or ask for lines")
    report = Report(file, stated=_instant(meta.get("timestamp")))
    try:
        for path, measured in whole["files"].items():
            _add(report, path, measured, kind)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UnreadableFile(file.name, None, f"it lacks what coverage.py writes ({error!r})") from None
    return report


def _add(report: Report, path: str, measured: Mapping[str, Any], kind: Kind) -> None:
    if kind != "branch":
        for line in measured["executed_lines"]:
            report.add(path, int(line), 1, 1)
        for line in measured["missing_lines"]:
            report.add(path, int(line), 0, 1)
    if kind in ("branch", "combined"):
        _add_branches(report, path, measured)


def _add_branches(report: Report, path: str, measured: Mapping[str, Any]) -> None:
    if "executed_branches" in measured:
        for name, covered in (("executed_branches", 1), ("missing_branches", 0)):
            for start, end in measured[name]:
                report.add(path, (start, end), covered, 1)
    else:
        summary = measured["summary"]
        if summary.get("num_branches"):
            report.add(path, "branches", int(summary["covered_branches"]), int(summary["num_branches"]))


def _parsed(file: SourceFile, raw: bytes) -> dict[str, Any]:
    try:
        whole = json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise UnreadableFile(file.name, error.lineno, f"the JSON ends or breaks here ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(file.name, None, f"it can't be read ({error})") from None
    if not isinstance(whole, dict) or "files" not in whole or not isinstance(whole.get("meta"), dict):
        raise UnreadableFile(file.name, None, "it is JSON, but not coverage.py's: it has no `meta` and `files`")
    return whole


def _costs(raw: bytes) -> int:
    """Bytes of memory that the JSON takes at most beside itself while it is read, by what it holds."""
    text = len(raw) * (2 if raw.isascii() else 8)
    held = {b"{": 232, b"[": 112, b":": 220, b",": 50, b'"': 40}
    return text + sum(size * raw.count(sign) for sign, size in held.items())


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
