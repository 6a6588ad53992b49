"""What GitHub's REST API tells of one deployment or one pull request, for those that ask one by one."""

from __future__ import annotations

from keyresults.metrics.facts import Deployment

from .github_payloads import API, WEB, user, written
from .github_pulls import Pull


def statuses(fact: Deployment) -> list[dict[str, object]]:
    """Newest first."""
    repository = f"{API}/repos/{fact.subject}"
    deployment = f"{repository}/deployments/{fact.key}"
    return [
        {
            "id": number,
            "node_id": f"DES_{fact.key}_{number}",
            "state": one.state,
            "creator": user("someone"),
            "description": "",
            "environment": fact.environment,
            "target_url": fact.url or deployment,
            "deployment_url": deployment,
            "repository_url": repository,
            "url": f"{deployment}/statuses/{number}",
            "created_at": written(one.at),
            "updated_at": written(one.at),
        }
        for number, one in reversed([*enumerate(fact.statuses)])
    ]


def commits(one: Pull) -> list[dict[str, object]]:
    """The first one alone, whose date is all that is known of any."""
    told = one.told
    assert told.first_commit_at
    api, web = f"{API}/repos/{told.subject}/commits/{told.commit}", f"{WEB}/{told.subject}/commit/{told.commit}"
    someone = {"name": "Someone", "email": "someone@example.com", "date": written(told.first_commit_at)}
    tree = {"sha": told.commit, "url": f"{API}/repos/{told.subject}/git/trees/{told.commit}"}
    return [
        {
            "sha": told.commit,
            "node_id": f"C_{told.commit}",
            "url": api,
            "html_url": web,
            "comments_url": f"{api}/comments",
            "commit": {
                "url": api,
                "message": told.title,
                "author": someone,
                "committer": someone,
                "tree": tree,
                "comment_count": 0,
            },
            "author": user("someone"),
            "committer": user("someone"),
            "parents": [],
        }
    ]


def reviews(one: Pull) -> list[dict[str, object]]:
    told = one.told
    if told.first_review_at is None:
        return []
    pull, web = f"{API}/repos/{told.subject}/pulls/{told.key}", f"{WEB}/{told.subject}/pull/{told.key}"
    return [
        {
            "id": int(told.key),
            "node_id": f"PRR_{told.key}",
            "user": user("other"),
            "body": "",
            "state": "APPROVED",
            "commit_id": told.commit,
            "html_url": web,
            "pull_request_url": pull,
            "_links": {"html": {"href": web}, "pull_request": {"href": pull}},
            "author_association": "MEMBER",
            "submitted_at": written(told.first_review_at),
        }
    ]
