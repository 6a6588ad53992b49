"""What a repository's GitHub workflows are for, as far as their files tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..collectors.contract import CollectorError
from ..collectors.git_program import GitProgram

FOLDER = ".github/workflows/"
MOST = 50
"""Files that are read; a repository with more of them has its tests among the first or says so by their name."""

_TESTS = re.compile(r"(?:^|[^a-z])(?:ci|tests?|checks?|build|main|python|node|go|rust|java|maven|gradle)(?:[^a-z]|$)")
_DEPLOYS = re.compile(r"deploy|release|publish|(?:^|[^a-z])cd(?:[^a-z]|$)|production")
_ASIDE = re.compile(r"codeql|lint|label|stale|docs?|triage|scorecard|zizmor|dependabot|lock|greet|benchmark|nightly")
_ON_CHANGES = re.compile(r"^[ \t]*(?:-[ \t]*)?(?:['\"]?on['\"]?:.*)?\b(?:pull_request|push)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Workflow:
    """`file` is its name in the folder; `on_changes` says that pushes or pull requests start it."""

    file: str
    on_changes: bool

    @property
    def deploys(self) -> bool:
        return _DEPLOYS.search(self._stem) is not None

    @property
    def tests(self) -> int:
        """How much it looks like the one that tests every change; 0 for not at all."""
        if self.deploys or not self.on_changes:
            return 0
        named = _TESTS.search(self._stem) is not None
        return 1 + 2 * named - (_ASIDE.search(self._stem) is not None)

    @property
    def _stem(self) -> str:
        return self.file.rpartition(".")[0].lower()


def workflows(git: GitProgram, commit: str) -> tuple[Workflow, ...]:
    """The workflows of that commit, by name: those that run, whatever lies in the folder uncommitted."""
    listed = git.line("ls-tree", "--full-tree", "--name-only", commit, "--", FOLDER) or ""
    files = [name for name in listed.splitlines() if name.endswith((".yml", ".yaml"))][:MOST]
    return tuple(Workflow(name.removeprefix(FOLDER), _runs_on_changes(git, commit, name)) for name in files)


def workflow_that_tests(found: Iterable[Workflow]) -> Workflow | None:
    """The one that tests every change; None where none looks like it."""
    fit: Sequence[Workflow] = [w for w in found if w.tests > 0]
    return max(fit, key=lambda w: w.tests, default=None)


def _runs_on_changes(git: GitProgram, commit: str, name: str) -> bool:
    try:
        return _ON_CHANGES.search(git.text("show", f"{commit}:{name}")) is not None
    except CollectorError:  # a partial clone may lack the file
        return False
