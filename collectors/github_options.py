"""What `[sources.NAME] type = "github"` may say, and what a metric may put to GitHub."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ..metrics.facts import FactKind
from ..metrics.stream import Json
from .contract import ChangesOfServices, FactQuery, SourceOptions, WrongKeys
from .coverage_tally import Kind
from .secrets import SecretRef

MOST_AT_ONCE = 10
"""Requests, and repositories, at a time: well below GitHub's limit of 100 for all that one credential does."""

_REPOSITORY = re.compile(r"^[A-Za-z0-9-]+/[A-Za-z0-9._*?-]+$")

SAMPLE = """\
[sources.github]
type = "github"
api_url = "https://api.github.com"       # an Enterprise server's: "https://github.example.com/api/v3"
token = { env = "GITHUB_TOKEN" }         # may read actions, checks, statuses, deployments, contents, pulls, issues
repositories = ["acme/payments", "acme/shop-*"]
exclude = ["acme/shop-old"]
every = "15m"
"""


def _is_repository(written: str) -> str:
    if _REPOSITORY.match(written) is None:
        raise ValueError(f'{written!r} is no repository: write "owner/name"; * and ? may stand in the name only')
    return written


def _is_http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError('write the address of the API, such as "https://api.github.com", without a credential')
    return urlunsplit(parts).rstrip("/")


Repository = Annotated[str, AfterValidator(_is_repository)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class App(_Table):
    """A GitHub App's installation as the credential."""

    id: int = Field(gt=0, description="The App's id.")
    installation: int = Field(gt=0, description="The id of its installation at the repositories' owner.")
    key: SecretRef = Field(description="The App's private key (PEM).")


def _is_label(written: str) -> str:
    if not written.strip() or "," in written:
        raise ValueError(f"{written!r} is no label that GitHub can be asked for: it must not be empty or hold a comma")
    return written


Label = Annotated[str, AfterValidator(_is_label)]


class IncidentLabels(_Table):
    labels: tuple[Label, ...] = Field(min_length=1, description="Issues with any of these labels are incidents.")


class DeploymentSource(_Table):
    """What counts as a deployment where it isn't the deployments API; exactly one of the four."""

    workflow: str | None = Field(default=None, description="File of a workflow whose successful attempts deploy.")
    branch: str | None = Field(default=None, description='With `workflow`: its branch (default: the default one; "*").')
    releases: bool | None = Field(default=None, description="true: published releases.")
    tags: str | None = Field(default=None, description='Tags that match this glob, such as "v*".')
    merges: str | None = Field(default=None, description="Every first-parent commit of this branch.")

    @field_validator("releases", mode="before")
    @classmethod
    def _no_pattern(cls, written: object) -> object:
        if isinstance(written, str):
            raise ValueError('write releases = true; a pattern goes with tags, such as tags = "v*"')
        return written

    @model_validator(mode="after")
    def _one_of_four(self) -> Self:
        said = [name for name in ("workflow", "releases", "tags", "merges") if getattr(self, name)]
        if len(said) != 1:
            raise WrongKeys.not_one(said, "say exactly one of workflow, releases = true, tags or merges")
        if self.branch is not None and self.workflow is None:
            raise WrongKeys((("branch",), "branch goes with workflow only"))
        return self


class GitHubOptions(SourceOptions):
    api_url: Annotated[str, AfterValidator(_is_http)] = Field(
        default="https://api.github.com", description="Address of the API; an Enterprise server's ends in /api/v3."
    )
    ca: str | None = Field(default=None, description="File with the certificate of a private authority.")
    token: SecretRef | None = Field(default=None, description="A token that may read the repositories.")
    app: App | None = Field(default=None, description="An App's installation instead of a token.")
    repositories: tuple[Repository, ...] = Field(
        min_length=1, description='Repositories as "owner/name"; * and ? may stand in the name.'
    )
    exclude: tuple[Repository, ...] = Field(default=(), description="Repositories to leave out, globs too.")
    topics: tuple[str, ...] = Field(
        default=(), description="Also the repositories of the same owners that carry one of these topics."
    )
    incidents: IncidentLabels | None = Field(default=None, description="Which issues are incidents.")
    deployments: DeploymentSource | None = Field(
        default=None, description="What counts as a deployment; default: the deployments API."
    )
    clones: dict[Repository, str] = Field(
        default={},
        description="Local clones (folders, relative to the config file; bare or not) that tell without a request "
        'which commits a deployment brought: { "acme/payments" = "../payments.git" }.',
    )
    concurrency: int = Field(
        default=4, ge=1, le=MOST_AT_ONCE, description="Requests that may be under way at the same time."
    )

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        said = [name for name in ("token", "app") if getattr(self, name) is not None]
        if len(said) != 1:
            raise WrongKeys.not_one(said, 'say one of token = { env = "NAME" } and app = { id, installation, key }')
        return self

    def asks(self, kind: FactKind) -> Json:
        return {"labels": self.incidents.labels} if kind == "incidents" and self.incidents else {}


class DeploymentsQuery(FactQuery):
    deployments: DeploymentSource | None = Field(
        default=None, description="What counts as a deployment; default: the deployments API, all environments."
    )


class RunsQuery(FactQuery):
    workflow: str | None = Field(default=None, description='File of the workflow, such as "ci.yml"; default: all.')
    branch: str | None = Field(default=None, description='Branch; default: the default branch; "*": all.')


class ChangesQuery(ChangesOfServices):
    branch: str | None = Field(default=None, description="Branch merged into; default: the default branch.")


class IncidentsQuery(FactQuery):
    labels: tuple[Label, ...] | None = Field(
        default=None, min_length=1, description="Issues with any of these labels; default: the source's `incidents`."
    )

    @field_validator("labels")
    @classmethod
    def _each_once(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """In whatever order they are written, they ask the same."""
        return labels and tuple(sorted({label.casefold(): label for label in reversed(labels)}.values()))


class Figures(_Table):
    """Where figures stand; exactly one of status, check and artifact."""

    status: str | None = Field(default=None, description='Context of a commit status, such as "codecov/project".')
    check: str | None = Field(default=None, description="Name of a check run.")
    pattern: str | None = Field(
        default=None,
        description="With `status` or `check`: regular expression whose one group is the percentage in the text; "
        'default: the first percentage without a sign, such as the 92.3 of "92.3% (+0.4%)".',
    )
    artifact: str | None = Field(default=None, description="Name of a workflow artifact.")
    files: tuple[str, ...] = Field(
        default=(),
        description="With `artifact`: which files in it count (`*` spans folders too), coverage and JUnit alike; "
        "each pattern must match; default: all of them.",
    )

    @field_validator("pattern")
    @classmethod
    def _one_group(cls, written: str | None) -> str | None:
        try:
            groups = re.compile(written).groups if written is not None else 1
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        if groups != 1:
            raise ValueError(f"it has {groups} groups; the one around the percentage is needed, others are (?:…)")
        return written

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        said = [name for name in ("status", "check", "artifact") if getattr(self, name)]
        if len(said) != 1:
            raise WrongKeys.not_one(said, "say exactly one of status, check or artifact")
        if self.files and not self.artifact:
            raise WrongKeys((("files",), "files goes with artifact only"))
        if self.pattern and self.artifact:
            raise WrongKeys((("pattern",), "pattern goes with status or check only"))
        return self


class FiguresQuery(FactQuery):
    measures: ClassVar[tuple[str, ...] | None] = ("test_coverage", "test_pass_rate", "test_count")

    figures: Figures = Field(description="Where the figures stand: { status }, { check } or { artifact, files }.")
    kind: Kind = Field(
        default="line", description='What coverage files of an artifact are asked for: "line", "branch", "statement" …'
    )

    def lacks(self, measure: str) -> str | None:
        if measure == "test_coverage" or self.figures.artifact:
            return None
        return f'only artifacts hold what {measure} is made of: figures = {{ artifact = "…", files = ["…"] }}'
