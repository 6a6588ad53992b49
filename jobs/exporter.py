"""The daemon seen from outside: whether it is well, whether it is ready, and what it has to tell monitoring."""

from __future__ import annotations

import json
import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from ..storage.errors import StoreError
from .exposition import Exposition
from .pulse import Pulse
from .workspace import Workspace

LISTEN = "127.0.0.1:9464"
"""For this machine alone, unless the config says otherwise."""

WELL_FOR = 120.0
"""Seconds after a beat for which the scheduler counts as alive; it beats every 30."""

LAST_PORT = 65535

PATIENCE = 10.0
"""Seconds that somebody who asks may take to do so."""

Answer = tuple[HTTPStatus, str, bytes]

log = logging.getLogger("keyresults.exporter")


class CannotListen(Exception):
    """The address can't be had; `str()` is for people."""


def serve(workspace: Callable[[], Workspace], pulse: Pulse, listen: str | None = None) -> Exporter:
    """Answer at `listen` ("127.0.0.1:9464", "[::1]:9464"; port 0 for any free one) until it is closed.

    `workspace` is asked each time, for the config may change.

    Raises:
        CannotListen: where the address is taken, or none of this machine.
    """
    wanted = listen or LISTEN
    host, _, port = wanted.rpartition(":")
    try:
        if int(port) > LAST_PORT:
            raise OSError(None, "there is no such port")
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        server = _Server(family, address, Pages(workspace, pulse))
    except OSError as error:
        raise CannotListen(f"can't listen on {wanted}: {error.strerror}; say another one at [daemon] listen") from error
    return Exporter(server)


class Exporter:
    """Runs in a thread of its own. `address` is where, with the port that was chosen."""

    def __init__(self, server: _Server) -> None:
        host, port = server.server_address[:2]
        self.address = f"[{host!s}]:{port}" if server.address_family == socket.AF_INET6 else f"{host!s}:{port}"
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="exporter", daemon=True)
        self._thread.start()
        log.info("health and metrics are told at %s", self.address)

    def close(self) -> None:
        """Answer nobody any more. Safe to call twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class Pages:
    """What is answered where."""

    def __init__(self, workspace: Callable[[], Workspace], pulse: Pulse) -> None:
        self._workspace = workspace
        self._pulse = pulse
        self._exposition = Exposition(workspace, pulse)
        self._routes = {"/healthz": self._health, "/readyz": self._readiness, "/metrics": self._metrics}

    def answer(self, path: str, accepted: str) -> Answer:
        route = self._routes.get(path.partition("?")[0])
        if route is None:
            return _told(HTTPStatus.NOT_FOUND, "not found", f"there is {', '.join(self._routes)}")
        return route(accepted)

    def _health(self, accepted: str) -> Answer:
        silent = self._pulse.age
        if silent < WELL_FOR:
            return _told(HTTPStatus.OK, "ok")
        return _told(HTTPStatus.SERVICE_UNAVAILABLE, "hanging", f"nothing was scheduled for {silent:.0f} s")

    def _readiness(self, accepted: str) -> Answer:
        if self._pulse.stopping:
            return _told(HTTPStatus.SERVICE_UNAVAILABLE, "stopping")
        try:
            self._workspace().store.job("evaluate")
        except StoreError as error:
            return _told(HTTPStatus.SERVICE_UNAVAILABLE, "no store", str(error))
        if not self._pulse.ready:
            return _told(HTTPStatus.SERVICE_UNAVAILABLE, "starting", "not all was evaluated yet since the start")
        problem = self._pulse.config_error
        return _told(HTTPStatus.OK, "ready", f"the changed config is not used: {problem}" if problem else "")

    def _metrics(self, accepted: str) -> Answer:
        return HTTPStatus.OK, *self._exposition.text(accepted)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, family: int, address: Any, pages: Pages) -> None:  # noqa: ANN401 (an address differs by family)
        self.address_family = family
        self.pages = pages
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without asking the network what this machine is called, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = map(str, self.server_address[:2])  # type: ignore[assignment]  # unused

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (as the standard library has it)
        """Whoever asked has gone."""
        log.debug("an answer was not sent", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server_version = "keyresults"
    sys_version = ""
    timeout = PATIENCE

    def _answer(self) -> None:
        try:
            status, content_type, body = cast("_Server", self.server).pages.answer(
                self.path, self.headers.get("Accept", "")
            )
        except Exception:
            log.exception("answering %s failed in a way it should not", self.path.partition("?")[0])
            status, content_type, body = _told(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "the log says why")
        self._send(status, content_type, body)

    def _refuse(self) -> None:
        self._send(*_told(HTTPStatus.METHOD_NOT_ALLOWED, "refused", "only GET and HEAD"))

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = _answer  # noqa: N815 (names that the standard library looks for)
    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse  # noqa: N815 (likewise)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 (as the standard library has it)
        """Not a line for each time somebody looks."""


def _told(status: HTTPStatus, word: str, reason: str = "") -> Answer:
    said = {"status": word} | ({"reason": reason} if reason else {})
    return status, "application/json; charset=utf-8", (json.dumps(said, ensure_ascii=False) + "\n").encode()
