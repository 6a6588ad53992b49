"""The sockets of the stand-in for GitHub: requests in, answers out, whole or broken."""

from __future__ import annotations

import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from .github_answers import Answer, Asked, Trouble

CONTROL = "/control"
"""No path of GitHub's: a test that runs the stand-in in a process of its own reaches it here."""

WORTH_PACKING = 1000
"""Bytes: shorter bodies are sent as they are."""


def packed(body: bytes) -> bytes:
    return gzip.compress(body, 1)


class Answering(Protocol):
    def respond(self, asked: Asked, headers: Any) -> Answer | Trouble: ...

    latency: float

    def wait(self, seconds: float) -> None: ...

    def controlled(self, key: str, order: bytes) -> bytes | None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, standin: Answering) -> None:
        self.standin = standin
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server
    due = 0.0
    """When the answer is sent, by the monotonic clock: what making it takes is part of the latency."""

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != CONTROL:
            return self._answer(json.loads(sent))
        reply = self.server.standin.controlled(self.headers.get("Authorization", ""), sent)
        return self._send(Answer(404 if reply is None else 200, None), reply or b"")

    def _answer(self, body: dict[str, Any]) -> None:
        self.due = monotonic() + self.server.standin.latency
        parts = urlsplit(self.path)
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), body)
        reply = self.server.standin.respond(asked, self.headers)
        if isinstance(reply, Answer):
            asked.status = reply.status
            self._send(reply, reply.written())
        elif reply == "hang":
            self.server.standin.wait(3.5)
            self.close_connection = True
        elif reply == "login page":
            self._send(Answer(200, None, {"Content-Type": "text/html"}), b"<html>Sign in</html>")
        else:
            cut = b'{"data": {"repository":'
            self._send(Answer(200, None), cut, promise=5000 if reply == "truncated" else len(cut))

    def _send(self, reply: Answer, body: bytes, promise: int | None = None) -> None:
        self.send_response_only(reply.status)  # no date of this machine: the answer's own is the world's
        headers = {"Content-Type": "application/json; charset=utf-8", **reply.headers}
        taken = "gzip" in self.headers.get("Accept-Encoding", "") and "Content-Encoding" not in headers
        if promise is None and len(body) > WORTH_PACKING and taken:
            headers["Content-Encoding"] = "gzip"
            body = packed(body)
        self.server.standin.wait(self.due - monotonic())
        for name, value in headers.items():
            self.send_header(name, value)
        if reply.status != 304:
            self.send_header("Content-Length", str(promise or len(body)))
        self.end_headers()
        self._pour(body, reply.slow)
        self.close_connection = self.close_connection or promise is not None

    def _pour(self, body: bytes, slow: bool) -> None:
        size = max(len(body) // 5, 1) if slow else len(body) or 1
        for start in range(0, len(body), size):
            if slow:
                self.server.standin.wait(0.2)
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass
