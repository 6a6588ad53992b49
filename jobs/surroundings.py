"""What a directory stands in: its repository, the files a build left, a Prometheus, the machine's zone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..collectors.contract import CollectorError
from ..collectors.git_clone import Branch, Clone, Commit
from .nearby_prometheus import NearbyPrometheus, look_for_prometheus
from .tag_families import TagFamily, tag_families
from .workflows import Workflow, workflows

COVERAGE_FILES = (
    "coverage.xml",
    "coverage.json",
    "lcov.info",
    "coverage/lcov.info",
    "coverage/coverage.xml",
    "coverage/cobertura-coverage.xml",
    "reports/coverage.xml",
    "build/coverage.xml",
    "target/site/jacoco/jacoco.xml",
    "*/target/site/jacoco/jacoco.xml",
    "build/reports/jacoco/test/jacocoTestReport.xml",
    "*/build/reports/jacoco/test/jacocoTestReport.xml",
    "cover.out",
    "coverage.out",
)
"""The usual places; the first pattern that matches is taken, for two files may tell of the same run."""

JUNIT_FILES = (
    "junit.xml",
    "junit-*.xml",
    "test-results.xml",
    "test-report.xml",
    "reports/junit*.xml",
    "build/junit*.xml",
    "test-results/*.xml",
    "test-reports/*.xml",
    "target/surefire-reports/TEST-*.xml",
    "*/target/surefire-reports/TEST-*.xml",
    "build/test-results/test/TEST-*.xml",
    "*/build/test-results/test/TEST-*.xml",
)

GITHUB = "github.com"
PUBLIC_API = "https://api.github.com"
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
ENTERPRISE_TOKENS = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")

_ADDRESS = re.compile(r"^(?:(?:https?|ssh|git)://(?:[^/@]*@)?([^/:]+)(?::\d+)?/|(?:[^/@:]+@)?([^/:@]{2,}):(?!//))(.+)$")
_SLUG = re.compile(r"^([A-Za-z0-9-]+)/([A-Za-z0-9._-]+)$")
_ALIAS = re.compile(r"^(?:ssh\.|www\.)?github\.com(?:-[\w.-]+)?$")


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """Where the repository is fetched from: a host, and the path there."""

    host: str
    path: str

    @property
    def github(self) -> str | None:
        """`owner/name`, where the host is GitHub or is called after it."""
        return self.path if "github" in self.host and _SLUG.match(self.path) else None

    def is_own(self, environ: Mapping[str, str]) -> bool:
        """Whether this runs in a workflow of that very host."""
        return environ.get("GITHUB_SERVER_URL", "").rstrip("/") == f"https://{self.host}"

    def api_url(self, environ: Mapping[str, str]) -> str:
        if self.host == GITHUB:
            return PUBLIC_API
        said = environ.get("GITHUB_API_URL", "") if self.is_own(environ) else ""
        return said or f"https://{self.host}/api/v3"

    def token(self, environ: Mapping[str, str]) -> str | None:
        """The name of the variable that holds a token for this host: one for github.com goes to no other."""
        return next((name for name in self.token_variables(environ) if environ.get(name, "").strip()), None)

    def token_variables(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return TOKENS if self.host == GITHUB or self.is_own(environ) else ENTERPRISE_TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One clone. `branch` is the line of development that is measured; None while there is no commit.

    `known_until` is when it was last fetched, or now where it is fetched from nowhere. A clone that
    `may_lack_tags` was fetched without them, or from where there are none. `token_variable` is
    where a token for its host would be looked for.
    """

    label: str
    bare: bool
    shallow: bool
    branch: str | None
    commits: int
    first: datetime | None
    known_until: datetime
    may_lack_tags: bool
    families: tuple[TagFamily, ...]
    workflows: tuple[Workflow, ...]
    remote: RemotePlace | None
    api_url: str
    token_variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`no_repository` says why there is none; `coverage` and `junit` are patterns; `token` is a variable's name."""

    directory: Path
    timezone: str
    repository: Repository | None
    no_repository: str
    coverage: str | None
    junit: str | None
    prometheus: NearbyPrometheus | None
    token: str | None


def look_around(directory: Path, environ: Mapping[str, str], now: datetime) -> Surroundings:
    repository, trouble = None, ""
    try:
        repository = _repository(directory, environ, now)
    except CollectorError as error:
        trouble = str(error)
    remote = repository.remote if repository else None
    return Surroundings(
        directory=directory,
        timezone=local_zone(environ),
        repository=repository,
        no_repository=trouble,
        coverage=_first_match(COVERAGE_FILES, directory),
        junit=_first_match(JUNIT_FILES, directory),
        prometheus=look_for_prometheus(),
        token=remote.token(environ) if remote and remote.github else None,
    )


def remote_place(url: str) -> RemotePlace | None:
    """Host and path of a remote's URL, without any credential in it; None for a folder."""
    found = _ADDRESS.match(url.strip())
    if found is None:
        return None
    host = (found[1] or found[2]).lower()
    path = found[3].strip("/").removesuffix(".git")
    return RemotePlace(GITHUB if _ALIAS.match(host) else host, path)


def local_zone(environ: Mapping[str, str], link: Path = Path("/etc/localtime")) -> str:
    """The machine's IANA zone: `$TZ`, else where /etc/localtime leads to; UTC where neither names one."""
    said = environ.get("TZ", "").removeprefix(":")
    _, _, linked = str(link.resolve()).partition("/zoneinfo/")
    return next((name for name in (said, linked) if _is_zone(name)), "UTC")


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and name[0] != "/" and ZoneInfo(name).key not in ("Etc/UTC", "localtime")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _repository(directory: Path, environ: Mapping[str, str], now: datetime) -> Repository:
    clone = Clone(directory, None)
    branch = _line_of_development(clone)
    line: Sequence[Commit] = clone.first_parents(branch.ref) if branch else ()
    tags = clone.tags()
    address = clone.git.line("remote", "get-url", clone.remote) if clone.remote else None
    remote = remote_place(address) if address else None
    return Repository(
        label=clone.label,
        bare=clone.git.line("rev-parse", "--is-bare-repository") == "true",
        shallow=clone.is_shallow,
        branch=branch.name if branch else None,
        commits=len(line),
        first=line[-1].at if line else None,
        known_until=clone.known_until(branch, now) if branch else now,
        may_lack_tags=clone.remote is not None and not (tags and clone.brings_tags),
        families=tag_families(tags, now),
        workflows=workflows(clone.git, branch.ref) if branch else (),
        remote=remote,
        api_url=remote.api_url(environ) if remote else PUBLIC_API,
        token_variable=(remote.token_variables(environ) if remote else TOKENS)[0],
    )


def _line_of_development(clone: Clone) -> Branch | None:
    """The default branch; where no remote names one, `main` or `master` rather than what happens to be checked out."""
    default = clone.default_branch()
    told = clone.remote and clone.git.line("symbolic-ref", "-q", f"refs/remotes/{clone.remote}/HEAD")
    if default is None or told:
        return default
    known = clone.branches
    usual = next((name for name in ("main", "master") if name in known), None)
    return clone.branch(usual) if usual else default


def _first_match(patterns: Sequence[str], directory: Path) -> str | None:
    return next((p for p in patterns if any(f.is_file() for f in directory.glob(p))), None)
