"""Merged pull requests on the stand-in for GitHub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keyresults.metrics.facts import Change

from .github_payloads import user, written

SCHEMA = """
enum PullRequestState { CLOSED MERGED OPEN }
enum IssueOrderField { COMMENTS CREATED_AT UPDATED_AT }
input IssueOrder { direction: OrderDirection! field: IssueOrderField! }
interface Actor { login: String! }
type User implements Actor & Node { id: ID! login: String! }
type Bot implements Actor & Node { id: ID! login: String! }
type Label implements Node { id: ID! name: String! }
type LabelConnection { nodes: [Label] pageInfo: PageInfo! totalCount: Int! }
type PullRequestReview implements Node { id: ID! author: Actor submittedAt: DateTime }
type PullRequestReviewConnection { nodes: [PullRequestReview] pageInfo: PageInfo! totalCount: Int! }
type PullRequestCommit implements Node { id: ID! commit: Commit! }
type PullRequestCommitConnection { nodes: [PullRequestCommit] pageInfo: PageInfo! totalCount: Int! }
type PullRequestChangedFile { path: String! }
type PullRequestChangedFileConnection { nodes: [PullRequestChangedFile] pageInfo: PageInfo! totalCount: Int! }
type PullRequest implements Node {
  id: ID!
  number: Int!
  title: String!
  body: String!
  createdAt: DateTime!
  updatedAt: DateTime!
  mergedAt: DateTime
  baseRefName: String!
  headRefName: String!
  url: URI!
  mergeCommit: Commit
  author: Actor
  labels(after: String, first: Int): LabelConnection
  reviews(after: String, first: Int): PullRequestReviewConnection
  commits(after: String, first: Int): PullRequestCommitConnection!
  files(after: String, first: Int): PullRequestChangedFileConnection
}
type PullRequestConnection { nodes: [PullRequest] pageInfo: PageInfo! totalCount: Int! }
"""

FIELDS = """
  pullRequest(number: Int!): PullRequest
  pullRequests(
    after: String, baseRefName: String, first: Int, orderBy: IssueOrder, states: [PullRequestState!]
  ): PullRequestConnection!
"""


@dataclass
class Pull:
    """`told` is the change it is; `touched` is when it was last updated, its merge or later."""

    told: Change
    touched: datetime
    body: str = ""

    def files(self, connection: Any) -> Callable[..., Any]:
        """Null where nobody said which files it touched, as GitHub has it where it can't tell the difference."""
        paths = self.told.paths
        listed = [{"path": path} for path in paths or ()]
        return lambda _, **page: None if paths is None else connection(listed, page)


def newest(pulls: Sequence[Pull], now: datetime) -> list[Pull]:
    there = [one for one in pulls if one.told.merged_at <= now]
    return sorted(there, key=lambda one: (one.touched, int(one.told.key)), reverse=True)


def fields(pulls: Sequence[Pull], now: datetime, connection: Any, files: Any) -> dict[str, object]:
    def pull_request(_: object, number: int) -> Any:
        return next(_node(one, files) for one in newest(pulls, now) if one.told.key == str(number))

    def pull_requests(_: object, states: list[str], orderBy: Any, baseRefName: Any = None, **page: Any) -> Any:  # noqa: N803 (GitHub's names)
        assert (states, orderBy["field"]) == (["MERGED"], "UPDATED_AT")
        told = [_node(one, files) for one in newest(pulls, now) if baseRefName in (None, one.told.base)]
        return connection(told if orderBy["direction"] == "DESC" else told[::-1], page)

    return {"pullRequest": pull_request, "pullRequests": pull_requests}


def payload(one: Pull, repository: dict[str, object]) -> dict[str, object]:
    """As a list shows it."""
    told, owner = one.told, str(repository["full_name"]).partition("/")[0]
    assert told.opened_at
    api, web = f"{repository['url']}/pulls/{told.key}", f"{repository['html_url']}/pull/{told.key}"
    issue = f"{repository['url']}/issues/{told.key}"
    links = {
        "self": api,
        "html": web,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": f"{repository['url']}/pulls/comments{{/number}}",
        "commits": f"{api}/commits",
        "statuses": f"{repository['url']}/statuses/{told.commit}",
    }
    return {
        "id": int(told.key),
        "node_id": f"PR_{told.key}",
        "number": int(told.key),
        "state": "closed",
        "locked": False,
        "draft": False,
        "title": told.title,
        "body": one.body,
        "labels": [_label(n, name, api) for n, name in enumerate(told.labels)],
        **{f"{kind}_at": written(told.merged_at) for kind in ("merged", "closed")},
        "created_at": written(told.opened_at),
        "updated_at": written(one.touched),
        "merge_commit_sha": told.commit,
        "user": user("robot[bot]" if told.author_kind == "bot" else "someone"),
        "author_association": "MEMBER",
        **dict.fromkeys(("assignee", "milestone", "auto_merge"), None),
        "head": _end(owner, told.head, told.commit, repository),
        "base": _end(owner, told.base, told.commit, repository),
        "url": api,
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        **{f"{kind}_url": href for kind, href in links.items() if kind not in ("self", "html")},
        "_links": {kind: {"href": href} for kind, href in links.items()},
    }


def _end(owner: str, branch: str, commit: str, repository: dict[str, object]) -> dict[str, object]:
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": commit, "user": user(owner), "repo": repository}


def _label(number: int, name: str, url: str) -> dict[str, object]:
    ids = {"id": number, "node_id": f"LA_{number}", "url": url}
    return {**ids, "name": name, "description": "", "color": "ededed", "default": False}


def _node(one: Pull, files: Any) -> dict[str, object]:
    told = one.told
    assert told.opened_at
    assert told.first_commit_at
    bot = told.author_kind == "bot"
    author = {"__typename": "Bot" if bot else "User", "login": "robot" if bot else "someone"}
    own = {"author": author, "submittedAt": written(told.opened_at)}
    other = {"__typename": "User", "login": "other"}
    late = [{"author": other, "submittedAt": written(told.first_review_at)}] if told.first_review_at else []
    return {
        "id": f"PR_{told.key}",
        "number": int(told.key),
        "title": told.title,
        "body": one.body,
        "createdAt": written(told.opened_at),
        "updatedAt": written(one.touched),
        "mergedAt": written(told.merged_at),
        "baseRefName": told.base,
        "headRefName": told.head,
        "url": told.url,
        "mergeCommit": {"__typename": "Commit", "oid": told.commit},
        "author": author,
        "labels": {"nodes": [{"name": name} for name in told.labels]},
        "files": one.files(files),
        "reviews": {"nodes": [own, *late]},
        "commits": {"nodes": [{"commit": {"__typename": "Commit", "authoredDate": written(told.first_commit_at)}}]},
    }
