"""Issues on the stand-in for GitHub, pull requests among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keyresults.metrics.facts import Incident

from .github_payloads import API, WEB, user, written


@dataclass
class Issue:
    """`told` is the incident it is, as far as it goes; `touched` is when it was last updated."""

    told: Incident
    touched: datetime
    body: str | None = None
    is_pull: bool = False
    deleted: bool = False
    moved_to: str | None = None


def listed(issues: Sequence[Issue], label: str | None, now: datetime) -> list[Issue]:
    """Those opened by now that carry the label, the last touched first."""
    there = [one for one in issues if one.told.opened_at <= now and not one.deleted and not one.moved_to]
    if label is not None:
        there = [one for one in there if label.casefold() in {name.casefold() for name in one.told.labels}]
    return sorted(there, key=lambda one: (one.touched, int(one.told.key)), reverse=True)


def payload(one: Issue, now: datetime) -> dict[str, object]:
    told = one.told
    home = one.moved_to or told.subject
    api, web = f"{API}/repos/{home}", f"{WEB}/{home}"
    closed = told.closed_at is not None and told.closed_at <= now
    links = {f"{name}_url": f"{api}/issues/{told.key}/{name}" for name in ("labels", "comments", "events")}
    pull = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), f"{web}/pull/{told.key}")
    return {
        "id": int(told.key),
        "node_id": f"I_{told.key}",
        "number": int(told.key),
        "title": told.title,
        "body": one.body,
        "state": "closed" if closed else "open",
        "state_reason": "completed" if closed else None,
        "labels": [label_payload(name, api) for name in told.labels],
        "user": user("someone"),
        "assignee": None,
        "milestone": None,
        "locked": False,
        "comments": 0,
        "created_at": written(told.opened_at),
        "updated_at": written(one.touched),
        "closed_at": written(told.closed_at) if closed and told.closed_at else None,
        "repository_url": api,
        "url": f"{api}/issues/{told.key}",
        "html_url": told.url,
        **links,
        **({"pull_request": pull} if one.is_pull else {}),
    }


def label_payload(name: str, api: str) -> dict[str, object]:
    return {
        "id": sum(map(ord, name)),
        "node_id": f"LA_{name}",
        "url": f"{api}/labels/{name}",
        "name": name,
        "description": None,
        "color": "ff0000",
        "default": False,
    }
