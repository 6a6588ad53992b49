"""A report as files, in each of its formats."""

from __future__ import annotations

from collections.abc import Iterator

from ..config.model import Format
from ..reports import machine, markdown, terminal
from ..reports.printed import plain
from ..reports.progress_report import ProgressReport
from .workspace import Workspace

ENDINGS: dict[Format, str] = {"terminal": "txt", "markdown": "md", "html": "html", "json": "json"}


def files(
    workspace: Workspace, report: ProgressReport, form: Format, name: str, evidence: str = ""
) -> Iterator[tuple[str, str]]:
    """Paths from the report's folder on, and what belongs there; the report itself, as `name`, comes last.

    `evidence` is the folder of pages beside a page, where it is not the usual one.
    """
    if form == "html":
        from . import pages

        yield from pages.pages(workspace, report, name, evidence or pages.FOLDER)
    else:
        yield name, text(workspace, report, form)


def text(workspace: Workspace, report: ProgressReport, form: Format) -> str:
    """The report in one piece."""
    match form:
        case "html":
            from .pages import page

            return page(workspace, report)
        case "markdown":
            return markdown.full_report(report)
        case "json":
            return machine.full_report(report)
        case "terminal":
            return plain(terminal.full_report(report))
