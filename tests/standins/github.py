"""A GitHub on the loopback: its REST and GraphQL answers, its paging, its limits and its bad days.

`python -m standins.github` runs one as a process of its own, with a made-up history.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from graphql import GraphQLSchema

from . import github_code, github_pulls
from . import github_payloads as payloads
from .github_graphql import Limits, answer, schema
from .github_quota import Quota
from .github_world import Repository, World

Trouble = Literal[
    "401",
    "403",
    "429",
    "500",
    "502",
    "hang",
    "login page",
    "truncated",
    "cut off",
    "primary limit",
    "secondary limit",
    "secondary limit, no hint",
    "graphql limit",
]

CAP = 1000
TOKEN = "ghp_standinstandinstandin0123456789"


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    verb: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    status: int = 0


class GitHubStandIn:
    """`always` makes every answer bad; `plan` names the requests (counted from 1) that go wrong, once each."""

    def __init__(self, world: World, graphql_schema: GraphQLSchema | None = None) -> None:
        self.world = world
        self.limits = Limits()
        self.always: Trouble | None = None
        self.plan: dict[int, Trouble] = {}
        self.asked: list[Asked] = []
        self.quota = Quota(world)
        self.drift = 1.0
        self._schema = graphql_schema or schema()
        self._server = _Server(self)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def counts(self) -> Counter[int]:
        """How many answers had which status."""
        return Counter(one.status for one in self.asked)

    def forget(self) -> None:
        self.asked.clear()

    # ---- answering

    def respond(self, asked: Asked, headers: Any) -> Answer | Trouble:
        self.asked.append(asked)
        trouble = self.plan.pop(len(self.asked), None) or self.always
        if trouble:
            asked.status = {"hang": 0, "truncated": 200, "cut off": 200, "login page": 200}.get(trouble, 0)
            return trouble if asked.status or trouble == "hang" else self._refusal(trouble)
        if re.fullmatch(r"/app/installations/\d+/access_tokens", asked.path):
            return self._installation_token(headers.get("Authorization", ""))
        if headers.get("Authorization") not in (f"token {TOKEN}", f"Bearer {TOKEN}"):
            return Answer(401, {"message": "Bad credentials"})
        reply = self._graphql(asked) if asked.path == "/graphql" else self._rest(asked)
        return self._accounted(asked, reply, headers.get("If-None-Match"))

    def hang(self) -> None:
        self._stopping.wait(3.5)

    def _installation_token(self, authorization: str) -> Answer:
        """What an App gets for its signed claim; the signature itself is not checked here."""
        if authorization.count(".") != 2:
            return Answer(401, {"message": "A JSON web token could not be decoded"})
        until = datetime.now(UTC) + timedelta(hours=1)
        return Answer(201, {"token": TOKEN, "expires_at": payloads.written(until), "permissions": {}})

    def _accounted(self, asked: Asked, reply: Answer, etag: str | None) -> Answer:
        if asked.verb == "GET" and reply.status == 200:
            digest = hashlib.sha256((TOKEN + json.dumps(reply.body, sort_keys=True)).encode()).hexdigest()
            reply.headers["ETag"] = f'W/"{digest}"'
            if etag == reply.headers["ETag"]:
                reply = Answer(304, None, {"ETag": etag})
        resource = "graphql" if asked.path == "/graphql" else "core"
        if not self.quota.take(resource, free=reply.status == 304):
            return self._refusal("primary limit")
        reply.headers |= self.quota.headers(resource)
        return reply

    def _refusal(self, trouble: Trouble) -> Answer:
        secondary = {
            "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        }
        primary = {"message": "API rate limit exceeded for user ID 1."}
        limited = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
        used_up = self.quota.headers("core") | {"X-RateLimit-Remaining": "0"}
        return {
            "401": Answer(401, {"message": "Bad credentials"}),
            "403": Answer(403, {"message": "Resource not accessible by personal access token"}),
            "429": Answer(429, {"message": "Too many requests"}),
            "500": Answer(500, {"message": "Server Error"}),
            "502": Answer(502, {"message": "Server Error"}),
            "primary limit": Answer(403, primary, used_up),
            "secondary limit": Answer(403, secondary, {"Retry-After": "90"}),
            "secondary limit, no hint": Answer(403, secondary),
            "graphql limit": Answer(200, limited, {**used_up, "X-RateLimit-Resource": "graphql"}),
        }[trouble]

    def _graphql(self, asked: Asked) -> Answer:
        return Answer(200, answer(asked.body, self.world, self.limits, self._schema))

    def _rest(self, asked: Asked) -> Answer:
        moved = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", asked.path)
        if moved and moved[1].lower() in self.world.renamed:
            repository = self.world.find(moved[1])
            assert repository is not None
            place = f"{self.url}/repositories/{repository.number}{moved[2] or ''}?{urlencode(asked.query)}"
            return Answer(301, {"message": "Moved Permanently", "url": place}, {"Location": place})
        repository, rest = self._place(asked.path)
        if repository is None:
            return Answer(404, {"message": "Not Found"})
        if repository.forbidden:
            return Answer(403, {"message": "Resource protected by organization SAML enforcement."})
        for pattern, method in _ROUTES:
            if found := re.fullmatch(pattern, rest):
                return method(self, repository, asked, *found.groups())
        return Answer(404, {"message": "Not Found"})

    def _place(self, path: str) -> tuple[Repository | None, str]:
        if found := re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", path):
            name = self.world.impostor if self.world.impostor and found[2] else found[1]
            return self.world.find(name, renames=False), found[2] or ""
        if found := re.fullmatch(r"/repositories/(\d+)(/.*)?", path):
            return self.world.numbered(int(found[1])), found[2] or ""
        return None, ""

    def _repository(self, repository: Repository, asked: Asked) -> Answer:
        return Answer(
            200,
            payloads.full_repository(
                repository.name,
                repository.number,
                private=repository.private,
                archived=repository.archived,
                default_branch=repository.default_branch,
                at=datetime(2026, 1, 1, tzinfo=UTC),
            ),
        )

    def _deployments(self, repository: Repository, asked: Asked) -> Answer:
        told = [
            payloads.deployment(fact, max([fact.created_at, *(s.at for s in fact.statuses)]))
            for fact in self.world.deployments(repository)
        ]
        return self._page(asked, told, lambda part, _: part)

    def _runs(self, repository: Repository, asked: Asked, workflow: str | None = None) -> Answer:
        runs = self.world.latest_attempts(repository)
        if workflow is not None and workflow not in {run.workflow for run in runs}:
            return Answer(404, {"message": "Not Found"})
        first, last = _created(asked.query.get("created"))
        runs = [
            run
            for run in runs
            if (workflow is None or run.workflow == workflow)
            and asked.query.get("branch") in (None, run.branch)
            and first <= run.created_at <= last
        ]
        filtered = workflow is not None or bool({"branch", "created", "status", "event", "actor"} & set(asked.query))
        promised = round(len(runs) * self.drift)
        return self._page(
            asked,
            runs[:CAP] if filtered else runs,
            lambda part, _: {
                "total_count": promised,
                "workflow_runs": [self._run_payload(repository, run) for run in part],
            },
        )

    def _run(self, repository: Repository, asked: Asked, number: str, attempt: str | None = None) -> Answer:
        attempts = self.world.attempts(repository, number)
        chosen = [run for run in attempts if attempt is None or run.attempt == int(attempt)]
        return (
            Answer(200, self._run_payload(repository, chosen[-1])) if chosen else Answer(404, {"message": "Not Found"})
        )

    def _jobs(self, repository: Repository, asked: Asked, number: str, attempt: str) -> Answer:
        chosen = [run for run in self.world.attempts(repository, number) if run.attempt == int(attempt)]
        if not chosen:
            return Answer(404, {"message": "Not Found"})
        return self._page(asked, payloads.jobs(chosen[0]), lambda part, all: {"total_count": len(all), "jobs": part})

    def _workflows(self, repository: Repository, asked: Asked) -> Answer:
        files = sorted({run.workflow for run in self.world.latest_attempts(repository)})
        told = [payloads.workflow(file, n, self.world.now) for n, file in enumerate(files)]
        return self._page(asked, told, lambda part, all: {"total_count": len(all), "workflows": part})

    def _releases(self, repository: Repository, asked: Asked) -> Answer:
        listed = repository.code.listed_releases(self.world.now)
        told = [github_code.release(one, repository.name, self.world.now) for one in listed]
        return self._page(asked, told, lambda part, _: part)

    def _pulls(self, repository: Repository, asked: Asked) -> Answer:
        return self._page(asked, github_pulls.listed(repository.pulls, self.world.now), lambda part, _: part)

    def _references(self, repository: Repository, asked: Asked, place: str) -> Answer:
        return Answer(200, github_code.references(repository.code, repository.name, f"refs/{place}"))

    def _reference(self, repository: Repository, asked: Asked, place: str) -> Answer:
        found = github_code.references(repository.code, repository.name, f"refs/{unquote(place)}")
        exact = [one for one in found if one["ref"] == f"refs/{unquote(place)}"]
        return Answer(200, exact[0]) if exact else Answer(404, {"message": "Not Found"})

    def _run_payload(self, repository: Repository, run: Any) -> dict[str, object]:
        own = payloads.minimal_repository(repository.name, repository.number, repository.private)
        head = payloads.minimal_repository("someone/fork", 999, False) if run.run in repository.forks else own
        touched = repository.touched.get(run.key)
        return payloads.run(run, own, head, touched if touched and touched <= self.world.now else None)

    def _page(self, asked: Asked, items: list[Any], body: Callable[[list[Any], list[Any]], Any]) -> Answer:
        size = min(int(asked.query.get("per_page", "30")), 100)
        page = int(asked.query.get("page", "1"))
        part = items[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(items):
            query = urlencode({**asked.query, "page": page + 1})
            headers["Link"] = f'<{self.url}{asked.path}?{query}>; rel="next"'
        return Answer(200, body(part, items), headers)


_ROUTES: tuple[tuple[str, Callable[..., Answer]], ...] = (
    (r"", GitHubStandIn._repository),
    (r"/deployments", GitHubStandIn._deployments),
    (r"/pulls", GitHubStandIn._pulls),
    (r"/releases", GitHubStandIn._releases),
    (r"/git/matching-refs/(.+)", GitHubStandIn._references),
    (r"/git/ref/(.+)", GitHubStandIn._reference),
    (r"/actions/runs", GitHubStandIn._runs),
    (r"/actions/workflows", GitHubStandIn._workflows),
    (r"/actions/workflows/([^/]+)/runs", GitHubStandIn._runs),
    (r"/actions/runs/(\d+)", GitHubStandIn._run),
    (r"/actions/runs/(\d+)/attempts/(\d+)", GitHubStandIn._run),
    (r"/actions/runs/(\d+)/attempts/(\d+)/jobs", GitHubStandIn._jobs),
)


def _created(written: str | None) -> tuple[datetime, datetime]:
    """Both ends included, as GitHub does."""
    if written is None:
        return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    first, _, last = written.partition("..")
    return datetime.fromisoformat(first), datetime.fromisoformat(last)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: dict[str, Any]) -> None:
        parts = urlsplit(self.path)
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), body)
        reply = self.server.standin.respond(asked, self.headers)
        if isinstance(reply, Answer):
            asked.status = reply.status
            self._send(reply, b"" if reply.status == 304 else json.dumps(reply.body).encode())
        elif reply == "hang":
            self.server.standin.hang()
            self.close_connection = True
        elif reply == "login page":
            self._send(Answer(200, None, {"Content-Type": "text/html"}), b"<html>Sign in</html>")
        else:
            cut = b'{"data": {"repository":'
            self._send(Answer(200, None), cut, promise=5000 if reply == "truncated" else len(cut))

    def _send(self, reply: Answer, body: bytes, promise: int | None = None) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **reply.headers}.items():
            self.send_header(name, value)
        if reply.status != 304:
            self.send_header("Content-Length", str(promise or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = self.close_connection or promise is not None

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, standin: GitHubStandIn) -> None:
        self.standin = standin
        super().__init__(("127.0.0.1", 0), _Handler)


@contextmanager
def github(world: World, graphql_schema: GraphQLSchema | None = None) -> Iterator[GitHubStandIn]:
    standin = GitHubStandIn(world, graphql_schema)
    standin.start()
    try:
        yield standin
    finally:
        standin.stop()


def main() -> None:
    from . import histories

    world = World(datetime.now(UTC).replace(microsecond=0))
    start = world.now - timedelta(days=60)
    world.add(
        "acme/payments", [*histories.deployments(1, start=start, days=60), *histories.runs(1, start=start, days=60)]
    )
    with github(world) as standin:
        sys.stdout.write(f"{standin.url} {TOKEN}\n")
        sys.stdout.flush()
        while True:
            time.sleep(1)
            world.now = datetime.now(UTC).replace(microsecond=0)


if __name__ == "__main__":
    main()
