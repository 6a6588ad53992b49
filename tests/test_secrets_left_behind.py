"""Secrets end to end: the command itself, sources on good days and hostile ones, and then a look into everything left.

What is looked into: the store with its write-ahead log, reports in every format, and whatever any command printed or
logged, at the finest level of every library. What is looked for: each secret as it is, as URLs and base64 write it,
and its beginning.

Most commands are calls within this process, for a start takes longer than what it starts.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TextIO
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from keyresults.cli.main import main
from keyresults.config.load import load
from keyresults.jobs.collectors import construct
from keyresults.jobs.workspace import Workspace
from pytest_httpserver import HTTPServer
from standins import histories
from standins.github_control import GitHubProcess, github_process
from werkzeug import Request, Response

pytestmark = pytest.mark.soak  # many whole commands: too long for every change, and in CI all the same

PASSWORD = "hunter2/und+mehr?geheim"
OTHER_TOKEN = "github_pat_11AAAAAAA0expiredexpired_expiredexpired0123"
CHANNEL = "https://hooks.example.com/services/T0SECRET/B0SECRET/verygeheimeshook"
STORE_PASSWORD = "datenbankgeheimnis99"
CLAIM = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
"""What the key signs begins with it, whatever is claimed."""

START_OF = 12

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "{cycle}"

[sources.github]
type = "github"
api_url = "{github}"
token = {{ env = "KR_TOKEN" }}
repositories = ["acme/*"]

[sources.installed]
type = "github"
api_url = "{github}"
app = {{ id = 7, installation = 8, key = {{ file = "app.pem" }} }}
repositories = ["acme/payments"]

[sources.prometheus]
type = "prometheus"
url = "{prometheus}"
basic = {{ user = "kr", password = {{ file = "password" }} }}

[metrics.often]
source = "github"
measure = "deployment_frequency"

[metrics.green]
source = "installed"
measure = "ci_success_rate"

[metrics.errors]
source = "prometheus"
query = "sum(increase(errors_total[$day]))"
unit = "count"
aggregate = "sum"

[notify.chat]
url = {{ env = "KR_CHANNEL" }}

[[objectives]]
id = "flow"
title = "Changes flow"

[[objectives.key_results]]
id = "often"
title = "Deploy often"
metric = "often"
target = {{ at_least = "1/day" }}

[[objectives.key_results]]
id = "green"
title = "Builds are green"
metric = "green"
target = {{ to = "99%" }}
"""

LOUD = """
import logging, sys
import github
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("github").setLevel(logging.DEBUG)
from keyresults.cli.main import main
sys.exit(main(sys.argv[1:]))
"""

CRASHING = """
import keyresults.collectors.github_client as client
def crash(*_, **__): raise ZeroDivisionError("made to crash")
client.GitHubClient._send = crash
"""

DELIVERING = """
import logging
from datetime import UTC, datetime
from pathlib import Path
from keyresults.jobs.deliver import deliver
from keyresults.jobs.workspace import Workspace
from keyresults.storage.outbox import Notice
logging.basicConfig(level=logging.DEBUG)
with Workspace.open(Path("keyresults.toml"), writing=True) as one:
    now = datetime.now(UTC)
    told = Notice(key=f"status/{now}", channel="chat", occasion="status", title="often", body="on track")
    one.store.tell([told], {}, now)
    deliver(one, now)
    for waiting in one.store.unsent():
        print(waiting.error)
        one.store.end_notice(waiting.id, now, "given_up", waiting.error)
"""


@dataclass
class Scene:
    folder: Path
    github: GitHubProcess
    key: str
    runs: int = 0

    def run(self, *arguments: str, token: str | None = None) -> int:
        """One command, as loud as it gets; what it prints is left beside the store."""
        with self._streams() as (out, err), pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
            for name, value in self._known(token).items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            with redirect_stderr(err), logging_all(err):
                return main([*arguments])

    def start(self, *arguments: str, before: str = "", channel: str = CHANNEL) -> int:
        """The same in a process of its own, where `before` runs first."""
        with self._streams() as (out, err):
            command = [sys.executable, "-c", before + LOUD, *arguments]
            environment = {**os.environ, **self._known(None), "KR_CHANNEL": channel}
            return subprocess.run(
                command, cwd=self.folder, env=environment, stdout=out, stderr=err, timeout=120
            ).returncode

    def _known(self, token: str | None) -> dict[str, str]:
        return {"KR_TOKEN": token or self.github.token, "KR_CHANNEL": CHANNEL, "COLUMNS": "200"}

    @contextmanager
    def _streams(self) -> Iterator[tuple[TextIO, TextIO]]:
        self.runs += 1
        with (
            (self.folder / f"{self.runs}.stdout").open("w") as out,
            (self.folder / f"{self.runs}.stderr").open("w") as err,
        ):
            yield out, err

    def printed(self) -> str:
        """By the last command."""
        return "".join((self.folder / f"{self.runs}.{stream}").read_text() for stream in ("stdout", "stderr"))

    def secrets(self) -> dict[str, str]:
        lines = self.key.splitlines()
        key = {f"line {n} of the App's key": line for n, line in enumerate(lines) if not line.startswith("-----")}
        return {
            "token": self.github.token,
            "other token": OTHER_TOKEN,
            "password": PASSWORD,
            "channel": CHANNEL.removeprefix("https://hooks.example.com/"),
            "password of the store": STORE_PASSWORD,
            "claim of the App": CLAIM,
            **key,
        }


@contextmanager
def logging_all(stream: TextIO) -> Iterator[None]:
    """What LOUD does, for a while; and what a command before this one silenced speaks again."""
    loud = [logging.getLogger(name) for name in ("root", "github", "github.Requester", "urllib3.connectionpool")]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
    before = [logger.level for logger in loud]
    for logger in loud:
        logger.setLevel(logging.DEBUG)
    loud[0].addHandler(handler)
    try:
        yield
    finally:
        loud[0].removeHandler(handler)
        for logger, level in zip(loud, before, strict=True):
            logger.setLevel(level)


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubProcess]:
    with github_process() as running:
        yield running


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@pytest.fixture
def scene(github: GitHubProcess, key: str, httpserver: HTTPServer, tmp_path: Path) -> Scene:
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - timedelta(days=5)
    github.set("world.now", now)
    github.set("always", None)
    github.call("world.repositories.clear")
    github.add(
        "acme/payments",
        [*histories.deployments(1, start=start, days=5), *histories.runs(1, start=start, days=5, per_day=4)],
    )
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(well)
    httpserver.expect_request("/api/v1/query").respond_with_handler(well)
    (tmp_path / "app.pem").write_text(key)
    (tmp_path / "password").write_text(PASSWORD)
    quarter = f"{now.year}-Q{(now.month + 2) // 3}"
    config = CONFIG.format(github=github.url, prometheus=httpserver.url_for("").rstrip("/"), cycle=quarter)
    (tmp_path / "keyresults.toml").write_text(config)
    return Scene(tmp_path, github, key)


INPUTS = ("app.pem", "password")


def well(request: Request) -> Response:
    return Response(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}}))


def echoing(request: Request) -> Response:
    """Says the credential back wherever there is room."""
    said = request.headers.get("Authorization", "")
    body = {"status": "error", "errorType": "internal", "error": f"no {said} {PASSWORD}", "data": said}
    return Response(json.dumps(body), 500, {"X-Echo": said, "WWW-Authenticate": said})


def redirecting(request: Request) -> Response:
    said = quote(request.headers.get("Authorization", "") + PASSWORD)
    return Response("", 302, {"Location": f"http://kr:{quote(PASSWORD)}@127.0.0.1:9/login?next={said}"})


def forms(secret: str) -> set[bytes]:
    """As it is, as URLs and JSON write it, and in base64 wherever it begins within three bytes; each with its start."""
    plain = [secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]]
    coded = [base64.b64encode(("x" * n + secret).encode()).decode()[4 if n else 0 :] for n in range(3)]
    # The last characters hold bits of whatever follows.
    whole = [*plain, *(one.rstrip("=")[:-1] for one in coded)]
    return {form[:START_OF].encode() for form in whole} | {base64.b64encode(f"kr:{secret}".encode())[:-4]}


def leaks(scene: Scene, *, besides: tuple[str, ...] = ()) -> list[str]:
    wanted = {name: forms(secret) for name, secret in scene.secrets().items()}
    files = [f for f in scene.folder.rglob("*") if f.is_file() and f.name not in (*INPUTS, *besides)]
    assert len(files) > scene.runs
    return [
        f"{name} in {file.name}: …{_around(content, form)}…"
        for file in files
        for content in (file.read_bytes(),)
        for name, some in wanted.items()
        for form in some
        if form in content
    ]


def _around(content: bytes, form: bytes) -> str:
    at = content.index(form)
    return content[max(at - 60, 0) : at + 20].decode(errors="replace")


METRICS = ("often", "green", "errors")
READING = (
    ("status", "--json"),
    ("sources", "--json"),
    ("sources",),
    ("report", "--json"),
    ("report", "--format", "terminal", "--output", "report.txt"),
    ("report", "--format", "markdown", "--output", "report.md"),
    ("report", "--format", "html", "--output", "report.html"),
    *(("metric", name, "--json") for name in METRICS),
    *(("explain", name, "--json") for name in METRICS),
)


def read(scene: Scene, commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        assert scene.run(*command) == 0, scene.printed()[-2000:]


def test_the_search_finds_what_it_looks_for(scene: Scene) -> None:
    for n, (name, secret) in enumerate(scene.secrets().items()):
        for text in (secret, quote(secret, safe=""), base64.b64encode(f"kr:{secret}".encode()).decode(), secret[:12]):
            (scene.folder / "left").write_text(f"some words {'x' * n}{text} and others")
            assert any(leak.startswith(name) for leak in leaks(scene)), text
    (scene.folder / "left").write_text("nothing of that kind")
    assert leaks(scene) == []


def test_a_good_day_leaves_no_secret_behind(scene: Scene) -> None:
    assert scene.run("check", "--probe") == 0, scene.printed()[-2000:]
    assert "INFO:werkzeug:" in scene.printed(), "whatever is logged is heard"
    assert scene.start("collect") == 0, scene.printed()[-2000:]
    store = scene.folder / ".keyresults" / "store.db"
    with closing(sqlite3.connect(store)) as reader:
        # Whoever reads keeps the write-ahead log from being folded in and removed.
        reader.execute("BEGIN").execute("SELECT count(*) FROM deployments").fetchone()
        assert scene.run("collect", "github") == 0
        assert scene.run("--debug", "backfill", "--since", f"{datetime.now(UTC) - timedelta(days=9):%Y-%m-%d}") == 0
        read(scene, READING)
        assert (store.parent / "store.db-wal").stat().st_size > 0
        assert leaks(scene) == []
        assert reader.execute("SELECT count(*) FROM deployments").fetchone()[0] > 5
    assert leaks(scene) == []


def test_a_hostile_server_gets_no_secret_written_down(scene: Scene, httpserver: HTTPServer) -> None:
    assert scene.run("collect") == 0
    for trouble, handler in (("echo", echoing), ("sent elsewhere", redirecting), ("sent astray", redirecting)):
        httpserver.clear()
        httpserver.expect_request("/api/v1/query_range").respond_with_handler(handler)
        httpserver.expect_request("/api/v1/query").respond_with_handler(handler)
        scene.github.set("always", trouble)
        assert scene.run("--debug", "collect") == 3
        scene.run("check", "--probe")
    scene.github.set("always", None)
    read(scene, (READING[1], READING[3], READING[-3]))
    assert leaks(scene) == []


def test_a_token_said_back_in_facts_and_tags_is_not_stored(scene: Scene) -> None:
    scene.github.call("world.repositories.clear")
    late = histories.deployments(1, start=datetime.now(UTC).replace(microsecond=0) - timedelta(days=2), days=2)
    told = [replace(one, environment=f"x {scene.github.token}") for one in late]
    scene.github.add("acme/payments", told)
    scene.run("collect")
    read(scene, (READING[1], READING[3], READING[-3]))
    assert leaks(scene) == []


def test_refusals_leave_no_secret_behind(scene: Scene) -> None:
    for trouble in ("401", "403", "truncated"):
        scene.github.set("always", trouble)
        assert scene.run("--debug", "collect", "github", "installed") == 3
    assert scene.run("sources", "--json") == 0
    assert leaks(scene) == []


def test_an_expired_token_and_a_broken_key_are_not_told(scene: Scene) -> None:
    assert scene.run("--debug", "collect", "github", token=OTHER_TOKEN) == 3
    broken = scene.key.replace(scene.key.splitlines()[3], scene.key.splitlines()[4])
    (scene.folder / "app.pem").write_text(broken)
    assert scene.run("--debug", "collect", "installed") == 3
    assert "key" in scene.printed()
    assert leaks(scene) == []


def test_a_crash_shows_where_and_no_secret(scene: Scene) -> None:
    for source, code in (("github", 70), ("installed", 3)):
        assert scene.start("--debug", "collect", source, before=CRASHING) == code
        assert "ZeroDivisionError" in scene.printed()
    assert leaks(scene) == []


@pytest.mark.parametrize("scheme", ["http", "json"])
def test_a_channel_is_told_and_its_address_is_not(scene: Scene, httpserver: HTTPServer, scheme: str) -> None:
    """By our own POST and by apprise, to receivers that refuse, that say back what they got, and that are not there."""

    def refusing(request: Request) -> Response:
        said = f"{request.path} {request.headers.get('Authorization', '')}"
        return Response(json.dumps({"error": said}), 503, {"X-Echo": said, "WWW-Authenticate": said})

    path = CHANNEL.removeprefix("https://hooks.example.com")
    httpserver.expect_request(path).respond_with_handler(refusing)
    there = httpserver.url_for(path).replace("http://", f"{scheme}://kr:{quote(PASSWORD, safe='')}@")
    nowhere = f"{scheme}://kr:{quote(PASSWORD, safe='')}@127.0.0.1:9{path}"
    for channel in (there, nowhere):
        assert scene.start("--debug", "notify", "--test", "chat", channel=channel) == 3
        assert "Error: the " in scene.printed()
        scene.start("check", before=DELIVERING, channel=channel)
        assert "could not be told yet" in scene.printed()
    assert any(request.path == path for request, _ in httpserver.log)
    assert leaks(scene) == []


def test_the_daemon_tells_no_secret_in_its_log_and_to_those_who_look_from_outside(
    scene: Scene, httpserver: HTTPServer
) -> None:
    httpserver.clear()
    httpserver.expect_request("/api/v1/query_range").respond_with_handler(echoing)
    httpserver.expect_request("/api/v1/query").respond_with_handler(echoing)
    scene.github.set("always", "echo")
    config, address = scene.folder / "keyresults.toml", f"127.0.0.1:{free_port()}"
    config.write_text(f'{config.read_text()}\n[daemon]\nlisten = "{address}"\n')
    with scene._streams() as (out, err):
        environment = {**os.environ, **scene._known(None)}
        command = [sys.executable, "-c", LOUD, "run", "--log", "json"]
        daemon = subprocess.Popen(command, cwd=scene.folder, env=environment, stdout=out, stderr=err)
        try:
            wait_until(
                lambda: set(jobs(scene)) >= {f"collect/{name}" for name in ("github", "installed", "prometheus")}
            )
            for page in ("metrics", "readyz", "healthz"):
                with closing(HTTPConnection(address, timeout=20)) as asking:
                    asking.request("GET", f"/{page}")
                    (scene.folder / page).write_bytes(asking.getresponse().read())
        finally:
            daemon.terminate()
            assert daemon.wait(timeout=20) == 0
            scene.github.set("always", None)
    assert jobs(scene)["collect/prometheus"] == "failed"
    assert "keyresults_source_last_run_outcome" in (scene.folder / "metrics").read_text()
    assert '"job": "collect/prometheus"' in scene.printed()
    assert leaks(scene) == []


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def jobs(scene: Scene) -> dict[str, str]:
    """The outcomes of those that have run."""
    store = scene.folder / ".keyresults" / "store.db"
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as reader:
            return dict(reader.execute("SELECT name, outcome FROM jobs WHERE outcome IS NOT NULL"))
    except sqlite3.OperationalError:
        return {}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


WRONG_PLACES = {
    "a literal": ('token = { env = "KR_TOKEN" }', 'token = "{token}"'),
    "a variable's name": ('env = "KR_TOKEN"', 'env = "{token}"'),
    "a file's name": ('token = { env = "KR_TOKEN" }', 'token = {{ file = "{token}" }}'),
    "an unknown key": ('token = { env = "KR_TOKEN" }', 'tokn = "{token}"'),
    "the address": ('api_url = "http://', 'api_url = "http://kr:{token}@'),
    "a repository": ('repositories = ["acme/*"]', 'repositories = ["{token}"]'),
    "the address of Prometheus": ('\nurl = "http://', '\nurl = "http://kr:{password}@'),
    "the store": ("[tracker]\n", '[tracker]\nstore = "postgresql://kr:{store}@localhost/kr"\n'),
    "a channel": ('url = { env = "KR_CHANNEL" }', 'url = "{channel}"'),
    "broken TOML": ('token = { env = "KR_TOKEN" }', 'token = "{token}'),
}


@pytest.mark.parametrize("where", WRONG_PLACES)
def test_a_secret_in_the_wrong_place_is_refused_and_not_repeated(
    scene: Scene, where: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    right, wrong = WRONG_PLACES[where]
    config = scene.folder / "keyresults.toml"
    known = {"token": scene.github.token, "password": "hunter2undmehr", "store": STORE_PASSWORD, "channel": CHANNEL}
    text = config.read_text()
    assert right in text
    config.write_text(text.replace(right, wrong.format(**known).replace("hunter2undmehr", PASSWORD[:14]), 1))
    monkeypatch.chdir(scene.folder)
    monkeypatch.setenv("KR_TOKEN", scene.github.token)
    monkeypatch.setenv("KR_CHANNEL", CHANNEL)
    # In this process: a score of commands would take a score of starts.
    assert main(["check"]) == 2 or main(["--debug", "collect"]) != 0
    (scene.folder / "printed").write_text("".join(capfd.readouterr()))
    assert leaks(scene, besides=("keyresults.toml",)) == []


def test_no_object_shows_a_secret(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KR_TOKEN", scene.github.token)
    monkeypatch.setenv("KR_CHANNEL", CHANNEL)
    said = []
    with Workspace(load(scene.folder / "keyresults.toml"), writing=True) as workspace:
        said += [repr(workspace), repr(workspace.config)]
        for source in workspace.config.sources.values():
            collector = construct(workspace, source)
            said += [repr(collector), *(f"{name} {value!r}" for name, value in vars(collector).items())]
            for part in vars(collector).values():
                said += [f"{name} {value!r}" for name, value in getattr(part, "__dict__", {}).items()]
            collector.close()
    (scene.folder / "said").write_text("\n".join(said))
    assert len(said) > 10
    assert leaks(scene) == []
