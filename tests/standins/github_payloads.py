"""What GitHub's REST API answers about facts: the fields its published description demands."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from keyresults.metrics.facts import Deployment, Run

WEB = "https://github.com"
API = "https://api.github.com"

_LINKS = re.findall(
    r"\w+",
    "archive assignees blobs branches collaborators comments commits compare contents contributors deployments "
    "downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels "
    "languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags "
    "teams trees",
)
_USER_LINKS = re.findall(
    r"\w+", "avatar events followers following gists html organizations received_events repos starred subscriptions"
)


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def minimal_repository(full_name: str, number: int, private: bool) -> dict[str, object]:
    owner, _, name = full_name.partition("/")
    api = f"{API}/repos/{full_name}"
    return {
        "id": number,
        "node_id": f"R_{number}",
        "name": name,
        "full_name": full_name,
        "owner": user(owner),
        "private": private,
        "fork": False,
        "description": None,
        "html_url": f"{WEB}/{full_name}",
        "url": api,
        **{f"{link}_url": f"{api}/{link}" for link in _LINKS},
    }


def full_repository(
    full_name: str, number: int, *, private: bool, archived: bool, default_branch: str, at: datetime
) -> dict[str, object]:
    return {
        **minimal_repository(full_name, number, private),
        **{f"{kind}_url": f"{WEB}/{full_name}.git" for kind in ("clone", "git", "ssh", "svn")},
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "default_branch": default_branch,
        "archived": archived,
        "disabled": False,
        **dict.fromkeys(
            ("has_issues", "has_projects", "has_wiki", "has_pages", "has_downloads", "has_discussions"), True
        ),
        **dict.fromkeys(("forks", "forks_count", "open_issues", "open_issues_count", "size", "watchers"), 0),
        **dict.fromkeys(("watchers_count", "stargazers_count", "network_count", "subscribers_count"), 0),
        **dict.fromkeys(("pushed_at", "created_at", "updated_at"), written(at)),
    }


def deployment(fact: Deployment) -> dict[str, object]:
    api = f"{API}/repos/{fact.subject}"
    return {
        "id": int(fact.key),
        "node_id": f"DE_{fact.key}",
        "sha": fact.commit,
        "ref": fact.ref or fact.commit,
        "task": fact.task,
        "environment": fact.environment,
        "original_environment": fact.environment,
        "creator": None,
        "payload": dict(fact.payload),
        "description": None,
        "url": f"{api}/deployments/{fact.key}",
        "statuses_url": f"{api}/deployments/{fact.key}/statuses",
        "repository_url": api,
        "created_at": written(fact.created_at),
        "updated_at": written(max([fact.created_at, *(status.at for status in fact.statuses)])),
    }


def run(
    fact: Run, repository: dict[str, object], head: dict[str, object], touched: datetime | None
) -> dict[str, object]:
    """`touched`: when GitHub last moved `updated_at`, where that was not the end of the attempt."""
    return _run_traits(fact, touched) | _run_place(fact.run, repository, head)


class RunPrinter:
    """Writes the runs of one repository as `run` tells them, without making anew what is the same in all of them."""

    _NUMBER = "-the number of the run-"

    def __init__(self, repository: dict[str, object], head: dict[str, object]) -> None:
        self._place = json.dumps(_run_place(self._NUMBER, repository, head))[1:]

    def written(self, fact: Run, touched: datetime | None) -> str:
        return f"{json.dumps(_run_traits(fact, touched))[:-1]}, {self._place.replace(self._NUMBER, fact.run)}"


def _run_traits(fact: Run, touched: datetime | None) -> dict[str, object]:
    assert fact.started_at is not None
    return {
        "id": int(fact.run),
        "node_id": f"WFR_{fact.run}",
        "name": fact.workflow.partition(".")[0],
        "head_branch": fact.branch,
        "head_sha": fact.commit,
        "path": f".github/workflows/{fact.workflow}",
        "run_number": int(fact.run) % 1000,
        "run_attempt": fact.attempt,
        "event": fact.event or "push",
        "status": "completed" if fact.conclusion is not None else "in_progress",
        "conclusion": fact.conclusion,
        "workflow_id": sum(map(ord, fact.workflow)),
        "created_at": written(fact.created_at),
        "run_started_at": written(fact.started_at),
        "updated_at": written(touched or fact.completed_at or fact.started_at),
        "head_commit": _commit(fact),
    }


def _run_place(number: str, repository: dict[str, object], head: dict[str, object]) -> dict[str, object]:
    api = f"{repository['url']}/actions/runs/{number}"
    return {
        "display_title": "A change",
        "pull_requests": [],
        "repository": repository,
        "head_repository": head,
        "url": api,
        "html_url": f"{repository['html_url']}/actions/runs/{number}",
        **{f"{link}_url": f"{api}/{link}" for link in ("jobs", "logs", "check_suite", "cancel", "rerun", "artifacts")},
        "workflow_url": f"{repository['url']}/actions/workflows/1",
    }


def jobs(fact: Run) -> list[dict[str, object]]:
    """A hundred and twenty jobs, more than a page holds; the last one of the second page ends last."""
    if fact.completed_at is None or fact.started_at is None:
        return []
    count = 120
    return [_job(fact, n, fact.completed_at - timedelta(seconds=count - 1 - n)) for n in range(count)]


def workflow(file: str, number: int, at: datetime) -> dict[str, object]:
    url = f"{API}/workflows/{number}"
    return {
        "id": number,
        "node_id": f"W_{number}",
        "name": file,
        "path": f".github/workflows/{file}",
        "state": "active",
        "url": url,
        "html_url": url,
        "badge_url": url,
        "created_at": written(at),
        "updated_at": written(at),
    }


def _job(fact: Run, number: int, ended: datetime) -> dict[str, object]:
    assert fact.started_at is not None
    url = f"{API}/repos/{fact.subject}/actions/jobs/{number}"
    return {
        "id": number,
        "node_id": f"J_{number}",
        "run_id": int(fact.run),
        "run_attempt": fact.attempt,
        "run_url": url,
        "url": url,
        "html_url": url,
        "check_run_url": url,
        "head_sha": fact.commit,
        "head_branch": fact.branch,
        "workflow_name": fact.workflow,
        "name": f"job {number}",
        "status": "completed",
        "conclusion": "success",
        "created_at": written(fact.started_at),
        "started_at": written(fact.started_at),
        "completed_at": written(max(ended, fact.started_at)),
        "labels": [],
        **dict.fromkeys(("runner_id", "runner_name", "runner_group_id", "runner_group_name"), None),
    }


def _commit(fact: Run) -> dict[str, object]:
    someone = {"name": "Someone", "email": "someone@example.com"}
    return {
        "id": fact.commit,
        "tree_id": fact.commit,
        "message": "A change",
        "timestamp": written(fact.created_at),
        "author": someone,
        "committer": someone,
    }


def user(login: str) -> dict[str, object]:
    return {
        "login": login,
        "id": 1,
        "node_id": "O_1",
        "gravatar_id": None,
        "site_admin": False,
        "type": "Organization",
        "url": f"{API}/users/{login}",
        **{f"{link}_url": f"{API}/users/{login}/{link}" for link in _USER_LINKS},
    }
