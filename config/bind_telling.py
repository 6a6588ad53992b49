"""Reports, check-ins, channels, the daemon."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..krs.rhythm import Rhythm
from .bind_tracker import check_channels
from .findings import Findings
from .model import BackupSettings, DaemonSettings, NotifyChannel, ReportSettings
from .places import Key
from .schedule import cron_of, hour_of, longest_gap
from .schema_telling import CheckinsTable, DaemonTable, NotifyTable, ReportTable


def bind_reports(table: object, channels: Collection[str], base: Path, findings: Findings) -> dict[str, ReportSettings]:
    reports = {}
    for name, one, key in findings.tables(table, ("reports",)):
        written, _ = findings.patched(ReportTable, one, key, {"at": "00:00"})
        if written is None:
            continue
        check_channels(written.notify, channels, (*key, "notify"), findings)
        reports[name] = ReportSettings(
            name=name,
            schedule=_schedule(written.at, written.cron, key, findings),
            formats=tuple(written.formats),
            directory=base / written.directory,
            notify=tuple(written.notify),
        )
    return reports


def bind_checkins(table: object, findings: Findings) -> Rhythm | None:
    if table is None:
        return None
    written, _ = findings.patched(CheckinsTable, table, ("checkins",), {"every": "1 week", "on": "00:00"})
    if written is None:
        return None
    try:
        return Rhythm(written.every, *hour_of(written.on))
    except ValueError as error:
        findings.add(("checkins", "on"), str(error))
        return None


def bind_notify(table: object, findings: Findings) -> dict[str, NotifyChannel]:
    channels = {}
    for name, one, key in findings.tables(table, ("notify",)):
        written = findings.salvaged(NotifyTable, one, key)
        if written:
            channels[name] = NotifyChannel(name, written.url, tuple(written.tell))
    return channels


def bind_daemon(table: object, base: Path, findings: Findings) -> DaemonSettings:
    written = findings.salvaged(DaemonTable, table, ("daemon",)) or DaemonTable()
    backup = written.backup
    return DaemonSettings(
        written.listen,
        BackupSettings(backup.every, base / backup.directory, backup.keep) if backup else None,
        written.keep_runs,
        written.keep_said,
    )


def _schedule(at: str | None, cron: str | None, key: Key, findings: Findings) -> str:
    try:
        schedule = cron_of(at) if at is not None else cron or ""
        longest_gap(schedule)
    except ValueError as error:
        findings.add((*key, "at" if at is not None else "cron"), str(error))
        return ""
    return schedule
