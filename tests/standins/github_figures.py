"""What stands beside commits on the stand-in for GitHub: statuses, check runs, and artifacts, which lie elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .github_payloads import API, WEB, minimal_repository, written

SCHEMA = """
extend type Commit {
  status: Status
  checkSuites(after: String, filterBy: CheckSuiteFilter, first: Int): CheckSuiteConnection
}
type Status implements Node { id: ID! context(name: String!): StatusContext }
enum StatusState { ERROR EXPECTED FAILURE PENDING SUCCESS }
type StatusContext implements Node {
  id: ID!
  context: String!
  description: String
  state: StatusState!
  targetUrl: URI
}
input CheckSuiteFilter { appId: Int checkName: String }
enum CheckRunType { ALL LATEST }
enum CheckStatusState { COMPLETED IN_PROGRESS PENDING QUEUED REQUESTED WAITING }
enum CheckConclusionState {
  ACTION_REQUIRED CANCELLED FAILURE NEUTRAL SKIPPED STALE STARTUP_FAILURE SUCCESS TIMED_OUT
}
input CheckRunFilter { appId: Int checkName: String checkType: CheckRunType }
type CheckSuiteConnection { nodes: [CheckSuite] pageInfo: PageInfo! totalCount: Int! }
type CheckSuite implements Node {
  id: ID!
  checkRuns(after: String, filterBy: CheckRunFilter, first: Int): CheckRunConnection
}
type CheckRunConnection { nodes: [CheckRun] pageInfo: PageInfo! totalCount: Int! }
type CheckRun implements Node {
  id: ID!
  completedAt: DateTime
  conclusion: CheckConclusionState
  detailsUrl: URI
  status: CheckStatusState!
  summary: String
  text: String
  title: String
}
"""


@dataclass
class Status:
    context: str
    state: str
    description: str | None


@dataclass
class Check:
    """`conclusion` is None until it has completed at `at`."""

    name: str
    conclusion: str | None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    at: datetime = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass
class Beside:
    """What stands beside one commit."""

    statuses: list[Status] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


@dataclass
class Artifact:
    """`address` is where it lies; None where the API names no place for it."""

    number: int
    name: str
    commit: str
    created: datetime
    expires: datetime
    address: str | None = None
    branch: str = "main"
    forked: bool = False
    size: int = 1000


# ---- GraphQL


def of_commit(oid: str, beside: Beside | None, connection: Any) -> dict[str, object]:
    def check_suites(_: object, filterBy: dict[str, str], **page: Any) -> Any:  # noqa: N803 (GitHub's names)
        named = [one for one in (beside.checks if beside else ()) if one.name == filterBy["checkName"]]
        return connection([_suite(oid, n, one, connection) for n, one in enumerate(named)], page)

    told = {one.context: _context(oid, one) for one in beside.statuses} if beside else {}
    status = {"id": f"S_{oid}", "context": lambda _, name: told.get(name)} if told else None
    return {"status": status, "checkSuites": check_suites}


def _context(oid: str, one: Status) -> dict[str, object]:
    return {
        "id": f"SC_{oid}",
        "context": one.context,
        "state": one.state.upper(),
        "description": one.description,
        "targetUrl": f"https://coverage.example.com/{oid}",
    }


def _suite(oid: str, number: int, one: Check, connection: Any) -> dict[str, object]:
    def check_runs(_: object, filterBy: dict[str, str], **page: Any) -> Any:  # noqa: N803 (GitHub's names)
        assert filterBy == {"checkName": one.name, "checkType": "LATEST"}
        return connection([run], page)

    run = {
        "id": f"CR_{oid}_{number}",
        "status": "COMPLETED" if one.conclusion else "IN_PROGRESS",
        "conclusion": one.conclusion.upper() if one.conclusion else None,
        "title": one.title,
        "summary": one.summary,
        "text": one.text,
        "completedAt": written(one.at) if one.conclusion else None,
        "detailsUrl": f"https://coverage.example.com/{oid}",
    }
    return {"id": f"CS_{oid}_{number}", "checkRuns": check_runs}


# ---- REST


def combined(repository: str, number: int, oid: str, beside: Beside) -> dict[str, object]:
    api = f"{API}/repos/{repository}"
    return {
        "state": "success",
        "sha": oid,
        "total_count": len(beside.statuses),
        "statuses": [_simple(api, oid, n, one) for n, one in enumerate(beside.statuses)],
        "repository": minimal_repository(repository, number, private=False),
        "commit_url": f"{api}/commits/{oid}",
        "url": f"{api}/commits/{oid}/status",
    }


def _simple(api: str, oid: str, number: int, one: Status) -> dict[str, object]:
    at = written(datetime(2026, 10, 1, tzinfo=UTC))
    return {
        "id": number,
        "node_id": f"SC_{oid}",
        "context": one.context,
        "state": one.state.lower(),
        "description": one.description,
        "target_url": f"https://coverage.example.com/{oid}",
        "avatar_url": None,
        "url": f"{api}/statuses/{oid}",
        "created_at": at,
        "updated_at": at,
    }


def listed(artifacts: Sequence[Artifact], name: str | None, now: datetime) -> list[Artifact]:
    there = [one for one in artifacts if name in (None, one.name) and one.created <= now]
    return sorted(there, key=lambda one: one.number, reverse=True)


def artifact(one: Artifact, repository: str, number: int, now: datetime) -> dict[str, object]:
    url = f"{API}/repos/{repository}/actions/artifacts/{one.number}"
    run = {"id": 7000 + one.number, "head_branch": one.branch, "head_sha": one.commit, "repository_id": number}
    return {
        "id": one.number,
        "node_id": f"A_{one.number}",
        "name": one.name,
        "size_in_bytes": one.size,
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": one.expires <= now,
        "created_at": written(one.created),
        "updated_at": written(one.created),
        "expires_at": written(one.expires),
        "workflow_run": {**run, "head_repository_id": 999 if one.forked else number},
    }


def run_page(repository: str, one: Artifact) -> str:
    return f"{WEB}/{repository}/actions/runs/{7000 + one.number}"


# ---- the place artifacts lie at


@dataclass
class Storage:
    """Another server. As GitHub's own storage does, it refuses whoever sends a credential beside the signed address."""

    url: str
    held: dict[str, bytes] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, name: str, packed: bytes) -> str:
        self.held[f"/{name}"] = packed
        return f"{self.url}/{name}?sig=signed"


@contextmanager
def storage() -> Iterator[Storage]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: place))
    place = Storage(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(place: Callable[[], Storage]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, signature = self.path.partition("?")
            place().asked.append((path, dict(self.headers)))
            body = place().held.get(path, b"")
            refused = "Authorization" in self.headers or signature != "sig=signed"
            found = 500 if path in place().broken else 200 if path in place().held else 404
            self.send_response(400 if refused else found)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
