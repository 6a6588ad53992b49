"""GitHub: deployments however they are told, workflow runs with every attempt, merged changes."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

from ..metrics.facts import FactKind
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Json, Stream
from .contract import ConfigError, Context, FactQuery, ProbeResult, SourceOptions, files_only_of
from .foresight import Asked, Expected, Foresight
from .git_clone import Clone
from .git_shipments import Pair
from .github_client import PER_MINUTE, GitHubClient
from .github_cursor import Progress
from .github_foresight import Planner
from .github_labels import require_one
from .github_options import (
    MOST_AT_ONCE,
    SAMPLE,
    ChangesQuery,
    DeploymentsQuery,
    FiguresQuery,
    GitHubOptions,
    IncidentsQuery,
    RunsQuery,
)
from .github_repositories import Repository, chosen, look_around, look_up
from .github_runs import KEPT_PUBLIC
from .github_shipments import ShipmentReader
from .github_streams import reader_of
from .github_transport import Transport


class GitHub:
    """One GitHub (github.com or an Enterprise server), seen through one credential.

    A stream is one kind of fact of one repository. Deployments of every environment and task are
    read, so that a metric can tell which there are when its own is never seen.

    | `deployments =` | what counts as a deployment |
    |---|---|
    | (nothing written) | deployments of GitHub's deployments API |
    | `{ workflow = "deploy.yml", branch = "main" }` | successful attempts of a workflow on a branch (`"*"`: any) |
    | `{ releases = true }` | published releases |
    | `{ tags = "v*" }` | tags whose names match a pattern |
    | `{ merges = "main" }` | every first-parent commit of a branch |

    Exactly one of them; a source says it for all its metrics, a metric for itself. A workflow without
    `branch` counts on the default branch.

    Incidents are issues, from opening to closing, that carry one of the labels in
    `incidents = { labels = ["incident"] }` (or in a metric's own `labels`). Lines of an issue's text may
    name what broke: `Caused-by: <whole commit id>`, `Deployment: <its number>`, `Environment: <name>`.
    An issue that loses its labels, is deleted or moves away is no incident any longer.
    Labels that no repository of the source has are refused: a misspelt one would read as no incidents.

    Figures are those of the default branch's own commits, each dated by its commit:

    | `figures =` | what is read |
    |---|---|
    | `{ status = "codecov/project" }` | the percentage in a commit status' description |
    | `{ check = "coverage" }` | the percentage in a check run's title, else its summary, else its text |
    | `{ artifact = "reports", files = ["lcov.info", "junit/*.xml"] }` | coverage and JUnit files of an artifact |

    The percentage is the first one without a sign: 92.3 in "92.3% (+0.4%)", 87.5 in "increased (+0.2%) to
    87.5%". `pattern = 'branches ([\\d.]+)%'` says which one else; its one group is the number. Words without a
    percentage are a problem that the collection tells, and no figure. An artifact is downloaded once for each
    commit (the newest one that its runs left), without the credential. Artifacts expire: what is gone before it
    was read is told, and no time before it counts as collected. `*` in `files` spans folders; each pattern must
    match, and without `files` everything in it counts.

    At most 64 MB of an artifact are downloaded, and 200 MB unpacked, of a zip with at most 10,000 files, stored or
    deflated. What they say may take 160 MB of memory (about 900,000 lines of code, or 450,000 in coverage.py's
    JSON) and 5 million XML elements. An artifact beyond that is a problem that is told, and no figure: let `files`
    name fewer reports, upload fewer, or write them where the `coverage` source finds them, which reads up to
    200 MB of each.

    Where a metric has to know which commits a deployment brought beside the one before it, both are
    compared: a request for each deployment, once. A clone of the repository, kept fetched by
    somebody else and named in `clones`, tells it without any.
    """

    type: ClassVar[str] = "github"
    Options: ClassVar[builtins.type[SourceOptions]] = GitHubOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {
        "deployments": DeploymentsQuery,
        "runs": RunsQuery,
        "changes": ChangesQuery,
        "incidents": IncidentsQuery,
        "samples": FiguresQuery,
    }
    sample_config: ClassVar[str] = SAMPLE

    def __init__(self, options: GitHubOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._transport = Transport(options, context)
        self._looked_up: dict[str, Repository] = {}
        self._chosen: list[str] | None = None
        self._choosing = threading.Lock()

    @classmethod
    def keeps(cls, stream: Stream) -> timedelta | None:
        """Runs, checks and statuses go after 90 days; a private repository may be set to keep them longer."""
        source = stream.query.get("deployments")
        of_runs = stream.kind == "runs" or (isinstance(source, Mapping) and "workflow" in source)
        return KEPT_PUBLIC if of_runs or stream.kind == "samples" else None

    @property
    def concurrency(self) -> int:
        """More repositories than requests: while the answers for some are stored, others are asked about."""
        at_once = self._options.concurrency
        return 1 if at_once == 1 else min(2 * at_once, MOST_AT_ONCE)

    def probe(self) -> ProbeResult:
        """A GraphQL query, or one more for each hundred repositories of a glob's owner: what the credential sees."""
        return look_around(self._client(), self._options)

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        """One per repository and query; asks GitHub only where the config has globs or topics, and not each time."""
        if not queries:
            return []
        repositories = self._repositories()
        asked: list[tuple[FactKind, Json]] = [(kind, self._query(kind, query)) for kind, query in queries]
        for kind, query in asked:
            if kind == "incidents":
                require_one(self._client(), repositories, IncidentsQuery.model_validate(query).labels or ())
        source = self._context.source
        return [
            Stream(source, kind, name, files_only_of(name, query)) for kind, query in asked for name in repositories
        ]

    def _repositories(self) -> list[str]:
        with self._choosing:
            if self._chosen is None:
                self._chosen = chosen(self._client(), self._options)
            return self._chosen

    def _query(self, kind: FactKind, query: Json) -> Json:
        """With the source's own word for incidents: to change it is to start another stream."""
        return {"labels": self._labels(IncidentsQuery.model_validate(query))} if kind == "incidents" else query

    def _labels(self, query: IncidentsQuery) -> list[str]:
        """Which labels make an issue an incident, each once."""
        said = query if query.labels else IncidentsQuery.model_validate(self._options.asks("incidents"))
        if not said.labels:
            where = f"[sources.{self._context.source}]"
            raise ConfigError(
                "nothing says which issues are incidents: write "
                f'incidents = {{ labels = ["incident"] }} in {where}, or labels = ["incident"] in the metric'
            )
        return list(said.labels)

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        client = self._client()
        repository = self._repository(client, stream.subject)
        yield from reader_of(stream, client, repository, Progress.of(cursor)).read(window)

    def resolve(self, pairs: Sequence[Pair]) -> Iterator[Batch]:
        """A comparison takes a request, and one more per 100 commits beyond 250; pairs that a clone knows take none."""
        yield from ShipmentReader(client=self._client(), clone=self._clone(pairs[0][0]) if pairs else None).read(pairs)

    def _clone(self, subject: str) -> Clone | None:
        named = {name.lower(): path for name, path in self._options.clones.items()}
        path = named.get(subject.lower())
        return None if path is None else Clone(self._context.base / path, None)

    def _repository(self, client: GitHubClient, subject: str) -> Repository:
        """Looked up once for all of its streams."""
        if subject not in self._looked_up:
            self._looked_up[subject] = look_up(client, subject)
        return self._looked_up[subject]

    def foresee(self, asked: Sequence[Asked]) -> Foresight:
        """One request for each repository and each stream of runs, and one for many repositories' other lists."""
        client = self._client()
        planner = Planner(client, partial(self._repository, client))
        listed = planner.expected([one for one in asked if not one.pairs])
        return Foresight(
            expected=(*listed, *(self._comparing(one) for one in asked if one.pairs)),
            spent=client.take_count(),
            credential=self._transport.account,
            per_minute=PER_MINUTE,
            at_once=self._options.concurrency,
        )

    def _comparing(self, asked: Asked) -> Expected:
        """With a look at the repository. What a clone knows takes no request; how much that is isn't looked up here."""
        requests = 0 if self._clone(asked.stream.subject) else len(asked.pairs) + 1
        return Expected(stream=asked.stream, requests={"core": requests}, at_least=True)

    def close(self) -> None:
        self._transport.close()

    def _client(self) -> GitHubClient:
        return GitHubClient(self._transport, self._context)
