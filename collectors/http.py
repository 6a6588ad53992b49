"""The one HTTP door: timeouts, one layer of retries, bounded answers, credentials that stay with their host."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from .contract import CollectorError, RetryAt, SourceError, Unauthorized
from .http_errors import explain, place

if TYPE_CHECKING:
    from urllib3.connectionpool import ConnectionPool
    from urllib3.response import BaseHTTPResponse

    from .secrets import Secret

__all__ = ["Basic", "Bearer", "DoorSession", "HttpDoor", "explain", "place", "refusal", "retry_time"]

TIMEOUT = 30.0
BODY_SECONDS = 120.0
MAX_BYTES = 64 * 1024 * 1024
PAUSE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(days=1)


class Bearer(AuthBase):
    """A bearer token that no repr shows."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        return request


class Basic(AuthBase):
    """User and password of basic authentication, in UTF-8; no repr shows them."""

    def __init__(self, user: str, secret: Secret) -> None:
        self._user = user
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        pair = f"{self._user}:{self._secret.reveal()}".encode()
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
        return request


class _Anonymous(AuthBase):
    """Sends no credential. Without it requests would look one up in ~/.netrc, which nobody configured here."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _FewRetries(Retry):
    """Retries broken connections and gateways' errors, but no timeout: a hanging server would hang thrice as long."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


class DoorSession(requests.Session):
    """A requests session with the door's rules. One per collector and thread; close it."""

    def __init__(
        self, *, timeout: float, max_bytes: int, ca: Path | None, own_headers: Mapping[str, str], encrypted: bool
    ) -> None:
        super().__init__()
        self._encrypted = encrypted
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._ca = str(ca) if ca is not None else None
        self._own_headers = tuple(own_headers)
        self.headers.update(own_headers)
        self.max_redirects = 5
        self.hooks["response"].append(self._read)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401 (requests' signature)
        """Called for each redirect too."""
        if self._encrypted and not (request.url or "").lower().startswith("https:"):
            raise SourceError(f"{place(request.url)} would be asked without encryption")
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        return super().send(request, **kwargs)

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (requests' signature)
        settings = super().merge_environment_settings(*args, **kwargs)
        if self._ca is not None:
            # requests lets $REQUESTS_CA_BUNDLE win over a session's own authority.
            settings["verify"] = self._ca
        return settings

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Called for each redirect: nothing that was meant for one host goes to another."""
        elsewhere: bool = self.should_strip_auth(response.request.url, prepared_request.url)  # type: ignore[no-untyped-call]  # requests has no types for it
        if elsewhere:
            for name in ("Authorization", *self._own_headers):
                prepared_request.headers.pop(name, None)

    def _read(self, response: requests.Response, *, stream: bool = False, **_: object) -> None:
        """Reads the whole body within bounds; requests itself would read a body of any length, for any time."""
        if stream:
            return
        try:
            response._content = self._body(response)
        except requests.RequestException as error:
            error.request = error.request or response.request
            raise
        except CollectorError:
            response.close()
            raise

    def _body(self, response: requests.Response) -> bytes:
        until = time.monotonic() + max(BODY_SECONDS, self._timeout)
        body = bytearray()
        for chunk in response.iter_content(65536):
            body += chunk
            if len(body) > self._max_bytes:
                raise SourceError(f"{place(response.url)} answered with more than {self._max_bytes:,} bytes")
            if time.monotonic() > until:
                raise SourceError(f"{place(response.url)} took over {BODY_SECONDS:g} s to send its answer")
        return bytes(body)


@dataclass(frozen=True, slots=True)
class HttpDoor:
    """Gives sessions to collectors. `timeout` is in seconds, for connecting and for each wait; `attempts` in all."""

    timeout: float = TIMEOUT
    attempts: int = 3
    max_bytes: int = MAX_BYTES

    def session(
        self,
        *,
        ca: Path | None = None,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        encrypted: bool = False,
    ) -> DoorSession:
        """A session whose own `headers` and `auth` are never sent to another host by a redirect.

        An `encrypted` one asks no address, nor follows a redirect to one, but those of https; it raises a
        `SourceError` instead.
        """
        session = DoorSession(
            timeout=timeout or self.timeout,
            max_bytes=self.max_bytes,
            ca=ca,
            own_headers=headers or {},
            encrypted=encrypted,
        )
        session.headers["User-Agent"] = f"keyresults/{release()}"
        # requests accepts any callable; its stubs know only pairs.
        session.auth = cast(Any, auth or _Anonymous())
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=self.retry()))
        return session

    def retry(self) -> Retry:
        """The one layer of retries, at most a few seconds long; also for clients that mount their own adapter.

        A 429 is not retried, nor Retry-After slept through: `refusal` makes a `RetryAt` of it for the scheduler.
        """
        return _FewRetries(
            total=self.attempts - 1,
            status_forcelist=(502, 503, 504),
            backoff_factor=0.25,
            backoff_max=2,
            respect_retry_after_header=False,
            raise_on_status=False,
            redirect=False,
        )


def refusal(response: requests.Response, now: datetime) -> CollectorError | None:
    """What an answer's status means to a runner; None below 400."""
    status, where = response.status_code, place(response.url)
    if status < 400:
        return None
    if status == 401:
        return Unauthorized(f"{where} refused the credential, or wants one (401)")
    if status == 403:
        return Unauthorized(f"{where} forbids this to the credential (403)")
    if status == 429:
        return RetryAt(retry_time(response, now), f"{where} has had too many requests (429)")
    return SourceError(f"{where} answered with {status} {response.reason or ''}".rstrip())


def retry_time(response: requests.Response, now: datetime) -> datetime:
    """When an answer's Retry-After (seconds or a date) wants to be asked again; a minute from now without one."""
    wait = _retry_after(response.headers.get("Retry-After", ""), now)
    return now + min(max(wait, timedelta(seconds=1)), LONGEST_PAUSE)


def _retry_after(written: str, now: datetime) -> timedelta:
    try:
        seconds = float(written)
    except ValueError:
        return _until(written, now)
    return timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds())) if math.isfinite(seconds) else PAUSE


def _until(date: str, now: datetime) -> timedelta:
    try:
        instant = parsedate_to_datetime(date)
    except ValueError:
        return PAUSE
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - now


@cache
def release() -> str:
    """That of keyresults."""
    try:
        return version("keyresults")
    except PackageNotFoundError:  # run from a checkout
        return "0"
