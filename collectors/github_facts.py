"""GitHub's answers as facts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from ..metrics.facts import Deployment, Run, StatusChange
from .github_cursor import instant

Node = Mapping[str, Any]

_ATTEMPT = re.compile(r"/actions/runs/(\d+)/attempts/(\d+)")

LONGEST_BELIEVED = timedelta(hours=6)
"""Where a run's `updated_at` says more than this, something touched the run after its end: its jobs are asked."""


def deployment_fact(node: Node, statuses: Sequence[Node], subject: str) -> Deployment:
    """A deployment with its whole history of statuses, oldest first.

    `key` is the id of the REST API; GraphQL hands none over for ids beyond 32 bits, the node's own id stands in there.
    `run` is known only where the payload or a status names run and attempt: GitHub's own log links name no attempt.
    """
    payload = _payload(node.get("payload"))
    environment = node.get("environment") or ""
    task = node.get("task") or "deploy"
    return Deployment(
        key=str(node.get("databaseId") or node["id"]),
        subject=subject,
        environment=environment,
        commit=node["commitOid"],
        created_at=instant(node["createdAt"]),
        statuses=tuple(
            sorted((StatusChange(s["state"].lower(), instant(s["createdAt"])) for s in statuses), key=lambda s: s.at)
        ),
        task=task,
        ref=(node.get("ref") or {}).get("name"),
        run=_run_of(node, statuses, payload),
        marked_rollback=payload.get("rollback") is True or "rollback" in task.lower(),
        payload=payload,
        url=f"{node['repository']['url']}/deployments/{quote(environment, safe='')}",
    )


def run_fact(payload: Node, subject: str, jobs_ended: datetime | None = None) -> Run:
    """One attempt. Without its jobs' word, the end is `updated_at`, which GitHub also moves for other reasons."""
    done = payload["status"] == "completed"
    run, attempt = str(payload["id"]), int(payload["run_attempt"])
    return Run(
        key=f"{run}/{attempt}",
        subject=subject,
        workflow=workflow_file(payload),
        run=run,
        attempt=attempt,
        branch=payload.get("head_branch") or "",
        commit=payload["head_sha"],
        created_at=instant(payload["created_at"]),
        started_at=instant(payload.get("run_started_at") or payload["created_at"]),
        completed_at=(jobs_ended or instant(payload["updated_at"])) if done else None,
        conclusion=payload["conclusion"] if done else None,
        event=payload.get("event"),
        end_estimated=done and jobs_ended is None,
        url=f"{payload['html_url']}/attempts/{attempt}",
    )


def end_is_doubtful(payload: Node) -> bool:
    if payload["status"] != "completed":
        return False
    started = instant(payload.get("run_started_at") or payload["created_at"])
    return instant(payload["updated_at"]) - started > LONGEST_BELIEVED


def workflow_file(payload: Node) -> str:
    """`ci.yml` of `.github/workflows/ci.yml@main`; the name for workflows that live in no file."""
    path = str(payload.get("path") or "").partition("@")[0]
    return path.rpartition("/")[2] or str(payload.get("name") or "")


def workflow_deployment(run: Run) -> Deployment:
    """An attempt of a workflow that deploys: it is in production once the attempt has succeeded."""
    statuses = [StatusChange("in_progress", run.started_at)] if run.started_at else []
    state = _STATES.get(run.conclusion or "")
    if state and run.completed_at:
        statuses.append(StatusChange(state, run.completed_at))
    return Deployment(
        key=run.key,
        subject=run.subject,
        environment="production",
        commit=run.commit,
        created_at=run.created_at,
        statuses=tuple(statuses),
        ref=run.branch or None,
        run=run.key,
        origin="workflow",
        workflow=run.workflow,
        url=run.url,
    )


_STATES = {"success": "success", "failure": "failure", "timed_out": "failure", "startup_failure": "error"}


def _payload(written: object) -> Mapping[str, object]:
    """Deployments carry JSON as text, and some clients wrap it twice; what is no object says nothing to us."""
    for _ in range(2):
        if isinstance(written, str):
            try:
                written = json.loads(written)
            except ValueError:
                return {}
    return written if isinstance(written, dict) else {}


def _run_of(node: Node, statuses: Sequence[Node], payload: Mapping[str, object]) -> str | None:
    run, attempt = payload.get("run_id"), payload.get("run_attempt")
    if run is not None and attempt is not None:
        return f"{run}/{attempt}"
    places = [str(node.get("payload") or ""), *(str(s.get("logUrl") or "") for s in statuses)]
    found = next((match for match in map(_ATTEMPT.search, places) if match), None)
    return f"{found[1]}/{found[2]}" if found else None
