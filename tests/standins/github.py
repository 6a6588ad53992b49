"""A GitHub on the loopback: its REST and GraphQL answers, its paging, its limits and its bad days.

`python -m standins.github` runs one as a process of its own, with a made-up history.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import select
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlencode

from keyresults.metrics.facts import Run

from . import github_code, github_compare, github_details, github_figures, github_issues, github_pulls, histories
from . import github_payloads as payloads
from .github_answers import BROKEN, Answer, Asked, Trouble, refusal
from .github_control import obey
from .github_described import FOLDER, Described
from .github_graphql import Limits, answer, schema
from .github_http import Server, packed
from .github_quota import Quota
from .github_world import Repository, World

__all__ = ["ROUTES", "TOKEN", "Answer", "Asked", "GitHubStandIn", "Trouble", "github"]

CAP = 1000
TOKEN = "ghp_standinstandinstandin0123456789"


class GitHubStandIn:
    """`always` makes every answer bad; `plan` names the requests (counted from 1) that go wrong, once each.

    `latency` is how many seconds an answer takes at least. `complaints` are questions and answers GitHub doesn't know.
    `kept` are packed answers to give again, for a world that stands still: making one may take longer than `latency`.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.limits = Limits()
        self.always: Trouble | None = None
        self.plan: dict[int, Trouble] = {}
        self.asked: list[Asked] = []
        self.quota = Quota(world)
        self.drift = 1.0
        self.largest_page = 100
        self.latency = 0.0
        self.kept: dict[str, Answer] | None = None
        self.complaints: list[str] = []
        self.description = Described(self.complaints) if FOLDER else None
        self.key = secrets.token_hex(16)
        self._telling = threading.RLock()
        self._server = Server(self)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        schema()  # Made once a process, in a second that no client's patience is to pay for.
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def counts(self) -> Counter[int]:
        """How many answers had which status."""
        return Counter(one.status for one in self.asked)

    def processor_seconds(self) -> float:
        """Of the whole process it runs in."""
        return time.process_time()

    def forget(self) -> None:
        self.asked.clear()

    # ---- answering

    def respond(self, asked: Asked, headers: Any) -> Answer | Trouble:
        with self._telling:
            reply = self._told(asked, headers)
        if isinstance(reply, Answer):
            reply.headers["Date"] = format_datetime(self.world.now, usegmt=True)
        return reply

    def _told(self, asked: Asked, headers: Any) -> Answer | Trouble:
        self.asked.append(asked)
        trouble = self.plan.pop(len(self.asked), None) or self.always
        if trouble in BROKEN:
            asked.status = BROKEN[trouble]
            return trouble
        credential = headers.get("Authorization", "")
        if trouble not in (None, "slow"):
            return refusal(trouble, self._used_up(), credential)
        if re.fullmatch(r"/app/installations/\d+/access_tokens", asked.path):
            return self._described(asked, self._installation_token(credential))
        if credential not in (f"token {TOKEN}", f"Bearer {TOKEN}"):
            return Answer(401, {"message": "Bad credentials"})
        reply = self._good(asked) if self.kept is None else self._once(asked, self.kept)
        reply.slow = trouble == "slow"
        return self._accounted(asked, reply, headers.get("If-None-Match"))

    def _good(self, asked: Asked) -> Answer:
        if asked.path == "/graphql":
            return self._graphql(asked)
        reply = self._described(asked, self._rest(asked))
        if reply.status == 200:
            reply.body = reply.written().replace(payloads.API.encode(), self.url.encode())
            reply.headers["ETag"] = f'W/"{hashlib.sha256(TOKEN.encode() + reply.body).hexdigest()}"'
        return reply

    def _once(self, asked: Asked, kept: dict[str, Answer]) -> Answer:
        question = repr((asked.path, asked.query, asked.body))
        if question not in kept:
            made = self._good(asked)
            kept[question] = Answer(made.status, packed(made.written()), {**made.headers, "Content-Encoding": "gzip"})
        return replace(kept[question], headers=dict(kept[question].headers))

    def _described(self, asked: Asked, answer: Answer) -> Answer:
        if self.description:
            self.description.look_at(asked, answer)
        return answer

    def wait(self, seconds: float) -> None:
        if seconds > 0:
            self._stopping.wait(seconds)

    def controlled(self, key: str, order: bytes) -> bytes | None:
        """What a test in another process orders; nothing is done for those that don't know the key."""
        if not secrets.compare_digest(key, self.key):
            return None
        with self._telling:
            return obey(self, order)

    def _installation_token(self, authorization: str) -> Answer:
        """What an App gets for its signed claim; the signature itself is not checked here."""
        if authorization.count(".") != 2:
            return Answer(401, {"message": "A JSON web token could not be decoded"})
        until = datetime.now(UTC) + timedelta(hours=1)
        return Answer(201, {"token": TOKEN, "expires_at": payloads.written(until), "permissions": {}})

    def _accounted(self, asked: Asked, reply: Answer, etag: str | None) -> Answer:
        if etag is not None and etag == reply.headers.get("ETag"):
            reply = Answer(304, None, {"ETag": etag})
        resource = "graphql" if asked.path == "/graphql" else "core"
        if not self.quota.take(resource, free=reply.status == 304):
            return refusal("primary limit", self._used_up(), "")
        reply.headers |= self.quota.headers(resource)
        return reply

    def _used_up(self) -> dict[str, str]:
        return self.quota.headers("core") | {"X-RateLimit-Remaining": "0"}

    def _graphql(self, asked: Asked) -> Answer:
        body = answer(asked.body, self.world, self.limits)
        # Errors of GitHub's have a type; one without is a query it would not understand, or a fault of the stand-in.
        new = {e["message"] for e in body.get("errors", ()) if not e["type"]} - set(self.complaints)
        self.complaints += sorted(new)
        return Answer(200, body)

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
        if repository.empty and rest.startswith(("/git/", "/commits/")):
            return Answer(409, {"message": "Git Repository is empty."})
        for pattern, method in ROUTES:
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
        return Answer(200, self._whole(repository))

    def _whole(self, repository: Repository) -> dict[str, object]:
        return payloads.full_repository(
            repository.name,
            repository.number,
            private=repository.private,
            archived=repository.archived,
            default_branch=repository.default_branch,
            at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    def _deployments(self, repository: Repository, asked: Asked) -> Answer:
        told = self.world.deployments(repository)
        return self._page(asked, told, lambda part, _: [payloads.deployment(fact) for fact in part])

    def _statuses(self, repository: Repository, asked: Asked, key: str) -> Answer:
        told = [github_details.statuses(fact) for fact in self.world.deployments(repository) if fact.key == key]
        return self._page(asked, told[0], lambda part, _: part) if told else Answer(404, {"message": "Not Found"})

    def _of_pull(self, repository: Repository, asked: Asked, key: str, what: str) -> Answer:
        tell = github_details.commits if what == "commits" else github_details.reviews
        told = [tell(one) for one in github_pulls.newest(repository.pulls, self.world.now) if one.told.key == key]
        return self._page(asked, told[0], lambda part, _: part) if told else Answer(404, {"message": "Not Found"})

    def _runs(self, repository: Repository, asked: Asked, workflow: str | None = None) -> Answer:
        runs = self.world.latest_attempts(repository)
        if workflow is not None and workflow not in {run.workflow for run in runs} | repository.workflows:
            return Answer(404, {"message": "Not Found"})
        first, last = _created(asked.query.get("created"))
        branch = asked.query.get("branch")
        runs = [
            run
            for run in runs
            if first <= run.created_at <= last
            and repository.listed.get(run.run, run.created_at) <= self.world.now
            and (branch is None or run.branch == branch)
            and (workflow is None or run.workflow == workflow)
        ]
        filtered = workflow is not None or bool({"branch", "created", "status", "event", "actor"} & set(asked.query))
        promised = round(len(runs) * self.drift)
        return self._page(
            asked,
            runs[:CAP] if filtered else runs,
            lambda part, _: self._printed(repository, part, promised),
        )

    def _printed(self, repository: Repository, runs: list[Run], promised: int) -> bytes:
        own = payloads.minimal_repository(repository.name, repository.number, repository.private)
        printers = [payloads.RunPrinter(own, head) for head in (own, _FORK)]
        told = [printers[run.run in repository.forks].written(run, self._touched(repository, run)) for run in runs]
        return f'{{"total_count": {promised}, "workflow_runs": [{", ".join(told)}]}}'.encode()

    def _touched(self, repository: Repository, run: Run) -> datetime | None:
        touched = repository.touched.get(run.key)
        return touched if touched and touched <= self.world.now else None

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
        whole = self._whole(repository)
        pulls = github_pulls.newest(repository.pulls, self.world.now)
        return self._page(asked, pulls, lambda part, _: [github_pulls.payload(one, whole) for one in part])

    def _issues(self, repository: Repository, asked: Asked) -> Answer:
        assert (asked.query["state"], asked.query["sort"], asked.query["direction"]) == ("all", "updated", "desc")
        found = github_issues.listed(repository.issues, asked.query.get("labels"), self.world.now)
        told = [github_issues.payload(one, self.world.now) for one in found]
        return self._page(asked, told, lambda part, _: part)

    def _labels(self, repository: Repository, asked: Asked) -> Answer:
        api = f"{payloads.API}/repos/{repository.name}"
        names = sorted(repository.labels.union(*(one.told.labels for one in repository.issues)))
        return self._page(asked, [github_issues.label_payload(name, api) for name in names], lambda part, _: part)

    def _issue(self, repository: Repository, asked: Asked, number: str) -> Answer:
        found = next((one for one in repository.issues if one.told.key == number), None)
        if found is None or found.deleted:
            return Answer(410 if found else 404, {"message": "This issue was deleted"})
        return Answer(200, github_issues.payload(found, self.world.now))

    def _compare(self, repository: Repository, asked: Asked, base: str, head: str) -> Answer:
        found = github_compare.compared(repository.code, base, head)
        if found is None:
            return Answer(404, {"message": "Not Found"})
        if not {"page", "per_page"} & set(asked.query):
            newest = found[2][-github_compare.NEWEST :]
            return Answer(200, github_compare.comparison(found, newest, repository.name, head))
        return self._page(
            asked, found[2], lambda part, _: github_compare.comparison(found, part, repository.name, head)
        )

    def _status(self, repository: Repository, asked: Asked, branch: str) -> Answer:
        oid = repository.code.branches.get(unquote(branch))
        if oid is None:
            return Answer(422, {"message": f"No commit found for SHA: heads/{branch}"})
        beside = repository.code.beside.get(oid, github_figures.Beside())
        return Answer(200, github_figures.combined(repository.name, repository.number, oid, beside))

    def _artifacts(self, repository: Repository, asked: Asked) -> Answer:
        there = github_figures.listed(repository.code.artifacts, asked.query.get("name"), self.world.now)
        told = [github_figures.artifact(one, repository.name, repository.number, self.world.now) for one in there]
        return self._page(asked, told, lambda part, all: {"total_count": len(all), "artifacts": part})

    def _artifact(self, repository: Repository, asked: Asked, number: str, form: str) -> Answer:
        found = next((one for one in repository.code.artifacts if one.number == int(number)), None)
        if found is None or form != "zip" or found.address is None or found.expires <= self.world.now:
            return Answer(410 if found else 404, {"message": "Artifact has expired"})
        return Answer(302, b"<html>moved</html>", {"Location": found.address})

    def _references(self, repository: Repository, asked: Asked, place: str) -> Answer:
        return Answer(200, github_code.references(repository.code, repository.name, f"refs/{place}"))

    def _reference(self, repository: Repository, asked: Asked, place: str) -> Answer:
        found = github_code.references(repository.code, repository.name, f"refs/{unquote(place)}")
        exact = [one for one in found if one["ref"] == f"refs/{unquote(place)}"]
        return Answer(200, exact[0]) if exact else Answer(404, {"message": "Not Found"})

    def _run_payload(self, repository: Repository, run: Run) -> dict[str, object]:
        own = payloads.minimal_repository(repository.name, repository.number, repository.private)
        head = _FORK if run.run in repository.forks else own
        return payloads.run(run, own, head, self._touched(repository, run))

    def _page(self, asked: Asked, items: list[Any], body: Callable[[list[Any], list[Any]], Any]) -> Answer:
        size = min(int(asked.query.get("per_page", "30")), self.largest_page)
        page = int(asked.query.get("page", "1"))
        part = items[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(items):
            query = urlencode({**asked.query, "page": page + 1})
            headers["Link"] = f'<{self.url}{asked.path}?{query}>; rel="next"'
        return Answer(200, body(part, items), headers)


ROUTES: tuple[tuple[str, Callable[..., Answer]], ...] = (
    (r"", GitHubStandIn._repository),
    (r"/deployments", GitHubStandIn._deployments),
    (r"/deployments/(\d+)/statuses", GitHubStandIn._statuses),
    (r"/pulls", GitHubStandIn._pulls),
    (r"/pulls/(\d+)/(commits|reviews)", GitHubStandIn._of_pull),
    (r"/commits/(?:heads/)?(.+)/status", GitHubStandIn._status),
    (r"/actions/artifacts", GitHubStandIn._artifacts),
    (r"/actions/artifacts/(\d+)/(\w+)", GitHubStandIn._artifact),
    (r"/issues", GitHubStandIn._issues),
    (r"/issues/(\d+)", GitHubStandIn._issue),
    (r"/labels", GitHubStandIn._labels),
    (r"/releases", GitHubStandIn._releases),
    (r"/compare/(.+)\.\.\.(.+)", GitHubStandIn._compare),
    (r"/git/matching-refs/(.+)", GitHubStandIn._references),
    (r"/git/ref/(.+)", GitHubStandIn._reference),
    (r"/actions/runs", GitHubStandIn._runs),
    (r"/actions/workflows", GitHubStandIn._workflows),
    (r"/actions/workflows/([^/]+)/runs", GitHubStandIn._runs),
    (r"/actions/runs/(\d+)", GitHubStandIn._run),
    (r"/actions/runs/(\d+)/attempts/(\d+)", GitHubStandIn._run),
    (r"/actions/runs/(\d+)/attempts/(\d+)/jobs", GitHubStandIn._jobs),
)


_FORK = payloads.minimal_repository("someone/fork", 999, private=False)


def _created(written: str | None) -> tuple[datetime, datetime]:
    """Both ends included, as GitHub does."""
    if written is None:
        return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    first, _, last = written.partition("..")
    return datetime.fromisoformat(first), datetime.fromisoformat(last)


@contextmanager
def github(world: World) -> Iterator[GitHubStandIn]:
    standin = GitHubStandIn(world)
    standin.start()
    try:
        yield standin
    finally:
        standin.stop()
    assert not standin.complaints, "\n".join(standin.complaints)


def main() -> None:
    """Prints the address, the token and the key of the control; ends with its standard input.

    With `--empty` a test fills it; without, it tells a made-up history as time goes by.
    """
    world = World(datetime.now(UTC).replace(microsecond=0))
    own_time = "--empty" not in sys.argv[1:]
    if own_time:
        start = world.now - timedelta(days=60)
        told = [*histories.deployments(1, start=start, days=60), *histories.runs(1, start=start, days=60)]
        world.add("acme/payments", told)
    with github(world) as standin:
        sys.stdout.write(f"{standin.url} {TOKEN} {standin.key}\n")
        sys.stdout.flush()
        while not select.select([sys.stdin], [], [], 1)[0]:
            if own_time:
                world.now = datetime.now(UTC).replace(microsecond=0)


if __name__ == "__main__":
    main()
