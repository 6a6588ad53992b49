"""When the last job of a run's attempt ended, where the run itself doesn't tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from .contract import SourceError
from .github_client import Answer, GitHubClient
from .github_cursor import instant
from .github_facts import Node
from .github_refusals import NotVisible


def last_job_ended(
    client: GitHubClient, actions: str, subject: str, payload: Node, ours: Callable[[object], Node]
) -> datetime | None:
    """None where GitHub has no jobs of the attempt, or none that ended. `actions` is the path of a repository's.

    Raises:
        SourceError: where it tells less than all of them, or not of this run. `ours` raises it for another repository.
    """
    jobs = _all(client, actions, subject, payload)
    if not jobs:
        # Another repository's empty list looks like this run's own: only once the run itself is found it is believed.
        try:
            ours(client.get(f"{actions}/runs/{payload['id']}", subject).body)
        except NotVisible:
            raise SourceError(f"{subject}: GitHub listed run {payload['id']} and does not find it") from None
        jobs = _all(client, actions, subject, payload)
    return max((instant(job["completed_at"]) for job in jobs if job.get("completed_at")), default=None)


def _all(client: GitHubClient, actions: str, subject: str, payload: Node) -> list[Node]:
    path = f"{actions}/runs/{payload['id']}/attempts/{payload['run_attempt']}/jobs"
    jobs: list[Node] = []
    promised = 0
    try:
        for answer in client.pages(path, subject, {}):
            jobs += _jobs(answer, payload, subject)
            promised = max(promised, int(answer.body["total_count"]))
    except NotVisible:
        if not jobs:
            return []
    if len(jobs) < promised:
        raise SourceError(f"{subject}: GitHub left out jobs of run {payload['id']}")
    return jobs


def _jobs(answer: Answer, payload: Node, subject: str) -> Sequence[Node]:
    jobs: Sequence[Node] = answer.body["jobs"]
    if any(job.get("run_id") != payload["id"] for job in jobs):
        raise SourceError(f"{subject}: GitHub answered with the jobs of another run than {payload['id']}")
    return jobs
