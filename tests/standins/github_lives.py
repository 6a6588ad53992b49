"""Every kind of thing GitHub tells of, each with a life."""

from __future__ import annotations

from collections.abc import Mapping

from .github_life import Life
from .github_lives_code import Merges, Releases, Tags
from .github_lives_figures import CheckFigures, StatusFigures
from .github_lives_runs import Deployments, Runs, RunsOfOneWorkflow, WorkflowDeployments
from .github_lives_talk import Changes, Incidents

LIVES: Mapping[str, type[Life]] = {
    "deployments": Deployments,
    "runs": Runs,
    "runs of one workflow": RunsOfOneWorkflow,
    "workflow deployments": WorkflowDeployments,
    "changes": Changes,
    "incidents": Incidents,
    "releases": Releases,
    "tags": Tags,
    "merges": Merges,
    "figures of statuses": StatusFigures,
    "figures of checks": CheckFigures,
}
