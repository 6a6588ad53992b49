"""The report as pages of HTML: one that stands alone, and others beside it for facts it has no room for."""

from __future__ import annotations

from collections.abc import Iterator

from ..metrics.reading import FactNote
from ..reports import html
from ..reports.html_key_result import MOST_FACTS, cuts_facts
from ..reports.progress_report import ProgressReport, ReportedKeyResult
from .evidence import Evaluation
from .planned import with_planned
from .workspace import Workspace

FOLDER = "evidence"


def page(workspace: Workspace, report: ProgressReport) -> str:
    """The report alone, for wherever there is no place for others beside it."""
    return html.full_report(with_planned(workspace.config, report))


def pages(workspace: Workspace, report: ProgressReport, name: str, folder: str = FOLDER) -> Iterator[tuple[str, str]]:
    """Paths from the report's folder on, and what belongs there; the report itself, as `name`, comes last.

    The others are put into `folder`.
    """
    evaluation = Evaluation(workspace.config, workspace.store, report.as_of)
    names, beside, home = html.names(report), {}, "../" * len(folder.split("/"))
    for kr in (kr for o in report.objectives for kr in o.key_results):
        if len(kr.evidence) < MOST_FACTS and not cuts_facts(kr):
            continue
        facts = _all_facts(evaluation, kr)
        if len(facts) > len(kr.evidence) or cuts_facts(kr):
            beside[kr.id] = f"{folder}/{names[kr.id]}.html"
            yield beside[kr.id], html.facts_page(report, kr, facts, back=f"{home}{name}")
    yield name, html.full_report(with_planned(workspace.config, report), beside)


def _all_facts(evaluation: Evaluation, kr: ReportedKeyResult) -> list[FactNote]:
    """Newest first, those left out included."""
    judged = kr.judgement
    if judged.reading is None or judged.metric not in evaluation.config.metrics:
        return []
    return evaluation.measurement(judged.metric).evidence(judged.reading)[::-1]
