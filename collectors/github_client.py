"""Requests to GitHub: counted, paced, tried again where that may help; waiting is left to the scheduler."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .contract import Context, CredentialRefused, Quota, SourceError, Unauthorized
from .github_broken import Passing, broken, parsed
from .github_clock import ahead
from .github_pages import Reads
from .github_refusals import Headers, Overloaded, is_limit, number, refusal
from .github_transport import Transport

PAUSES = (0.2, 0.8)
"""Seconds before a second and a third try; a longer wait is the scheduler's."""


PER_MINUTE = {"core": 900, "graphql": 2000}
"""The most requests GitHub takes within a minute before its secondary limits hold."""


_Reply = tuple[int, dict[str, str], str, datetime]
"""Status, headers, body and when it was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`sent` is the instant before the request left, by the earlier of both clocks: what it shows is at least that new.

    `body` is None for a 304.
    """

    status: int
    headers: Headers
    body: Any
    sent: datetime

    @property
    def unchanged(self) -> bool:
        return self.status == 304

    @property
    def following(self) -> str | None:
        """Where `rel="next"` points; the client follows it on the configured host only."""
        for part in self.headers.get("link", "").split(","):
            target, _, relation = part.partition(";")
            if 'rel="next"' in relation:
                return target.strip().strip("<>")
        return None


@dataclass(frozen=True, slots=True)
class GraphQLAnswer:
    """`data` may hold holes, and `errors` then says where."""

    data: Mapping[str, Any]
    errors: tuple[Mapping[str, Any], ...]
    sent: datetime


@dataclass(slots=True)
class GitHubClient:
    """What one collection asks. Counts its requests, retries twice within a second, and never waits longer.

    Raises:
        RetryAt: where GitHub limits, or the budget is down to its reserve.
        Unauthorized: for 401, 403 and (as `NotVisible`) 404.
        ConfigError: for a question GitHub refuses.
        SourceError: for everything else that is no answer; `Overloaded` where asking for less may help.
    """

    transport: Transport
    context: Context
    made: int = 0
    _ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """By our clock, but no later than GitHub's own was at its last answer."""
        return self.context.clock() - self._ahead

    def credential_mark(self) -> str:
        """Tells one credential's ETags from another's; nothing can be learned from it."""
        try:
            return hashlib.sha256(self._credential().encode()).hexdigest()[:12]
        except Passing as error:
            raise error.meaning from None

    def take_count(self) -> int:
        """Requests made since the last call."""
        made, self.made = self.made, 0
        return made

    def get(
        self,
        path: str,
        about: str,
        parameters: Mapping[str, str | int] | None = None,
        etag: str | None = None,
        reads: Reads = json.loads,
    ) -> Answer:
        """One GET; with an `etag` the answer may be an `unchanged` one. `about` names in words what is asked."""
        headers = {"If-None-Match": etag} if etag else {}
        return self._ask("GET", path, about, reads=reads, parameters=dict(parameters or {}), headers=headers)

    def pages(
        self, path: str, about: str, parameters: Mapping[str, str | int], reads: Reads = json.loads
    ) -> Iterator[Answer]:
        """A list, page by page, for as long as the answers name a next one."""
        answer = self.get(path, about, {"per_page": 100, **parameters}, reads=reads)
        yield answer
        while (following := answer.following) is not None:
            answer = self.get(following, about, reads=reads)
            yield answer

    def graphql(self, query: str, variables: Mapping[str, object], about: str) -> GraphQLAnswer:
        """One GraphQL query. An answer with holes is handed over with its errors; one without any data raises."""
        answer = self._ask("POST", "/graphql", about, "graphql", input={"query": query, "variables": dict(variables)})
        body = answer.body if isinstance(answer.body, Mapping) else {}
        errors = tuple(e for e in body.get("errors") or () if isinstance(e, Mapping))
        if any(e.get("type") in ("RATE_LIMITED", "RATE_LIMIT") for e in errors):
            raise self.transport.refused(answer.headers, about)
        self.transport.answered()
        data = body.get("data")
        if not isinstance(data, Mapping):
            raise self._without_data(errors, about)
        return GraphQLAnswer(data, errors, answer.sent)

    def _without_data(self, errors: tuple[Mapping[str, Any], ...], about: str) -> Exception:
        words = self.transport.without_secrets("; ".join(str(e.get("message", "")) for e in errors))[:300]
        if any(e.get("type") in ("FORBIDDEN", "INSUFFICIENT_SCOPES") for e in errors):
            return Unauthorized(f"{about}: forbidden to this token: {words}")
        return Overloaded(f"{about}: GitHub answered without data: {words or 'no reason given'}")

    def _ask(
        self,
        verb: str,
        url: str,
        about: str,
        resource: str = "core",
        *,
        reads: Reads = json.loads,
        **request: Any,  # noqa: ANN401 (requestJson's arguments)
    ) -> Answer:
        for pause in (*PAUSES, None):
            try:
                return self._ask_once(verb, url, about, resource, reads, **request)
            except Passing as error:
                if pause is None:
                    raise error.meaning from None
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _ask_once(
        self,
        verb: str,
        url: str,
        about: str,
        resource: str,
        reads: Reads,
        **request: Any,  # noqa: ANN401 (requestJson's arguments)
    ) -> Answer:
        status, headers, text, sent = self._exchange(verb, url, about, resource, **request)
        body = parsed(text, about, status, reads)
        if status >= 400:
            self._refuse(status, headers, body, about)
        if status == 200:
            self.transport.is_counted = "x-ratelimit-limit" in headers
        if resource != "graphql":  # whose refusals look like answers
            self.transport.answered()
        self._ahead = found if (found := ahead(sent, headers)) is not None else self._ahead
        return Answer(status, headers, body, sent - self._ahead)

    def _exchange(self, verb: str, url: str, about: str, resource: str, **request: Any) -> _Reply:  # noqa: ANN401 (requestJson's arguments)
        budget = self.transport.budget
        # An Enterprise server that limits nothing says nothing of limits.
        pace = PER_MINUTE.get(resource) if self.transport.is_counted else None
        status, headers = 0, dict[str, str]()
        time.sleep(budget.spend(resource, per_minute=pace))
        try:
            with self.transport.turn:
                budget.check(resource)  # others may have been refused meanwhile
                self.made += 1
                sent = self.context.clock()
                status, headers, text = self._send(verb, url, about, **request)
            text = self.transport.clean(text)
            headers = {name: self.transport.clean(value) for name, value in headers.items()}
        finally:
            # An authorised 304 costs nothing.
            budget.learn(resource, _quota(headers, resource), free=status == 304)
        return status, headers, text, sent

    def _send(self, verb: str, url: str, about: str, **request: Any) -> tuple[int, dict[str, str], str]:  # noqa: ANN401 (requestJson's arguments)
        import requests

        self._credential()
        try:
            requester = self.transport.requester()
            # An Enterprise server's lies beside what all other paths begin with.
            return requester.requestJson(verb, requester.graphql_url if verb == "POST" else url, **request)
        except requests.RequestException as error:
            raise broken(error, about) from None
        except (AssertionError, RuntimeError) as error:
            raise SourceError(f"{about}: {self.transport.without_secrets(str(error))[:200]}") from None

    def _credential(self) -> str:
        import requests
        from github import GithubException
        from jwt import PyJWTError

        about = "the App's token"
        try:
            token = self.transport.credential()
            self.made += self.transport.take_renewals()
            return token
        except requests.RequestException as error:
            raise broken(error, about) from None
        except (AssertionError, RuntimeError) as error:
            raise SourceError(f"{about}: {self.transport.without_secrets(str(error))[:200]}") from None
        except PyJWTError:
            raise Unauthorized("the App's key is no private key in PEM form") from None
        except GithubException as error:
            self._refuse(error.status, error.headers or {}, error.data, about)
            raise SourceError(f"{about} can't be renewed ({error.status})") from None

    def _refuse(self, status: int, headers: Headers, body: object, about: str) -> None:
        said = body.get("message") if isinstance(body, Mapping) else None
        message = self.transport.without_secrets(str(said or "no reason given"))[:200]
        if is_limit(status, headers, message):
            raise self.transport.refused(headers, about)
        error = refusal(status, headers, message, about, self.context.clock())
        if isinstance(error, Overloaded):
            raise Passing(error)
        if isinstance(error, CredentialRefused):
            raise CredentialRefused(f"{error}; {self.transport.credential_place}: expired, mistyped or revoked?")
        if error is not None:
            raise error


def _quota(headers: Headers, resource: str) -> Quota | None:
    """What GitHub says is left of this resource; an Enterprise server may say nothing."""
    limit, remaining, reset = (number(headers, f"x-ratelimit-{name}") for name in ("limit", "remaining", "reset"))
    if not limit or remaining is None or reset is None or headers.get("x-ratelimit-resource", resource) != resource:
        return None
    return Quota(limit=int(limit), remaining=int(remaining), reset=datetime.fromtimestamp(reset, UTC))
