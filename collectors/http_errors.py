"""Network errors in words: what failed and where, without credentials, query strings or Python's own phrasing."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from requests import exceptions as failures
from urllib3 import exceptions as transport


def place(url: str | None) -> str:
    """Host and port of a URL: all that may be told of one. Credentials, path and query stay out."""
    try:
        parts = urlsplit(url or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        return "the server"
    if host is None:
        return "the server"
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def explain(error: BaseException) -> str:
    """One sentence on a failed request, for people. Never repeats the URL, headers or body."""
    request = getattr(error, "request", None)
    where = place(getattr(request, "url", None))
    causes = list(_causes(error))
    for kinds, words in _WORDS:
        if any(isinstance(cause, kinds) for cause in causes):
            return words.format(where=where)
    return f"the request to {where} failed ({type(error).__name__})"


_WORDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (failures.InvalidURL, failures.MissingSchema, failures.InvalidSchema),
        "the URL is not one of http:// or https://",
    ),
    ((failures.TooManyRedirects,), "{where} redirects in circles"),
    ((failures.ProxyError, transport.ProxyError), "the proxy on the way to {where} did not answer"),
    (
        (failures.SSLError, transport.SSLError, ssl.SSLError),
        "{where} has no certificate that is trusted here (a private authority is named with `ca`)",
    ),
    ((socket.gaierror, transport.NameResolutionError), "the host name of {where} is unknown"),
    ((ConnectionRefusedError,), "{where} refused the connection: is it running?"),
    ((failures.ConnectTimeout, transport.ConnectTimeoutError), "{where} could not be reached in time"),
    ((failures.Timeout, transport.ReadTimeoutError, TimeoutError), "{where} did not answer in time"),
    ((failures.ContentDecodingError,), "{where} sent an answer that can't be unpacked"),
    ((failures.JSONDecodeError, json.JSONDecodeError), "{where} did not answer in JSON (is it a login page?)"),
    ((failures.ChunkedEncodingError, transport.ProtocolError, ConnectionError), "the connection to {where} broke"),
    ((failures.ConnectionError, transport.NewConnectionError), "{where} could not be reached"),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it was made of: its cause, context, arguments and urllib3's `reason`."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [*one.args, one.__cause__, one.__context__, getattr(one, "reason", None)]
    yield from seen
