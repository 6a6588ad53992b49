"""Telling people on a rhythm: reports, and reminders of check-ins. What is to be sent waits in the outbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ..config.model import Format, ReportSettings
from ..reports import messages
from ..reports.progress_report import ProgressReport
from ..reports.values import DueCheckIn
from .checkin import due as check_ins_due
from .readers import readers, report_readers
from .report_files import ENDINGS, files
from .tell_changes import notices, tell_changes
from .telling import SINCE, report_of
from .whole_files import write_whole
from .workspace import Workspace

__all__ = ["tell_changes", "tell_checkins", "tell_report"]

_DAY = timedelta(days=1)


def tell_report(workspace: Workspace, settings: ReportSettings, due: datetime) -> list[Path]:
    """Write a report as of `due` and put its first screen into the outbox; the files, each as it is named for good.

    It tells what moved since the run before this one. Asked again for the same time, it writes the same again, as far
    as the store holds the same, and sends nothing.

    Raises:
        NoCycle: where the config names none to show.
        OSError: where a file can't be written; those written by then stay, each whole.
    """
    topic = f"report/{settings.name}"
    since = _since(workspace, workspace.store.told().get(topic), due)
    report = report_of(workspace, as_of=due, since=since)
    day = workspace.config.calendar.day_of(due).isoformat()
    written = [_write(workspace, report, settings, form, day) for form in settings.formats]
    message = messages.of_report(report, [_shown(workspace, dated) for dated, _ in written])
    key = f"{topic}/{_instant(due)}"
    channels = report_readers(workspace.config, settings.notify)
    topics = {topic: json.dumps({"due": _instant(due), "since": since.isoformat()})}
    workspace.store.tell([*notices(message, key, channels, "report")], topics, workspace.clock())
    return [path for pair in written for path in pair]


def tell_checkins(workspace: Workspace, due: datetime) -> None:
    """Remind those who answer for key results that await a check-in; of none, nobody.

    Raises:
        CannotCheckIn: where the config has no rhythm.
        NoCycle: where it names no cycle to show.
    """
    found = check_ins_due(workspace, None, None)
    if not found:
        return
    report = report_of(workspace, as_of=due)
    key = f"checkin/{report.cycle.name}/{_instant(due)}"
    told = [
        notice
        for channel, asked in _by_channel(workspace, found).items()
        for notice in notices(messages.of_check_ins(report, asked), key, (channel,), "checkin")
    ]
    workspace.store.tell(told, {}, workspace.clock())


def _by_channel(workspace: Workspace, found: list[DueCheckIn]) -> Mapping[str, list[DueCheckIn]]:
    asked: dict[str, list[DueCheckIn]] = {}
    for one in found:
        for channel in readers(workspace.config, "checkin", one.owners):
            asked.setdefault(channel, []).append(one)
    return asked


def _since(workspace: Workspace, told: str | None, due: datetime) -> date:
    """The day of the run before the one for `due`; a week back where there was none."""
    calendar = workspace.config.calendar
    today = calendar.day_closed_by(due)
    last = json.loads(told) if told else None
    if last is None:
        return today - SINCE
    if last["due"] == _instant(due):
        return date.fromisoformat(last["since"])
    before = calendar.day_closed_by(datetime.fromisoformat(last["due"]))
    return min(before, today - _DAY)


def _write(
    workspace: Workspace, report: ProgressReport, settings: ReportSettings, form: Format, day: str
) -> tuple[Path, Path]:
    """The one of the day, kept, and the newest one under a name that stays; both are the same."""
    ending, folder = ENDINGS[form], settings.directory
    dated, newest = f"{settings.name}-{day}", folder / f"{settings.name}.{ending}"
    text = ""
    for name, text in files(workspace, report, form, f"{dated}.{ending}", evidence=f"evidence/{dated}"):
        write_whole(folder / name, text)
    write_whole(newest, text)  # the report comes last
    return folder / f"{dated}.{ending}", newest


def _shown(workspace: Workspace, path: Path) -> str:
    """As it stands from the config on; where it lies elsewhere on the machine is nobody's business in a chat."""
    home = workspace.config.path.parent
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else path.name


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
