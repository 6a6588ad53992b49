"""A real PostgreSQL on loopback, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

PASSWORD = "hunter2!"
_PLACES = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The folder of the server's programs: on the path, or the newest that Debian put aside."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(_PLACES.glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    return versions[-1].parent if versions else None


def missing() -> str | None:
    """Why no server can be started here; None where one can."""
    if programs() is None:
        return "needs PostgreSQL's server (Debian: apt install postgresql)"
    if os.getuid() == 0 and _somebody() is None:
        return "PostgreSQL refuses to run as root, and there is no user postgres"
    return None


def _somebody() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


class Server:
    """Started and stopped as often as a test likes; `url` is that of a database, with user and without password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        tools = programs()
        assert tools is not None
        self._tools = tools
        folder.mkdir(parents=True)
        somebody = _somebody() if os.getuid() == 0 else None
        self._as: dict[str, object] = {}
        if somebody is not None:
            self._as = {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
            os.chown(folder, somebody.pw_uid, somebody.pw_gid)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", str(folder / "data"), "-U", "kr", "-A", "scram-sha-256", "--pwfile", str(secret),
                  "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        ran = subprocess.run(
            [self._tools / program, *arguments], capture_output=True, text=True, cwd=self.folder, env=_ENV, **self._as
        )
        assert ran.returncode == 0, ran.stderr

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "60",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._tools / "postgres", "-D", str(self.folder / "data"), *options],
                stdout=log, stderr=log, cwd=self.folder, env=_ENV, **self._as,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                self.execute("SELECT 1")
                return
            except Exception:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self, *, at_once: bool = False) -> None:
        """As `pg_ctl stop -m fast`; `at_once` as a crash of the machine."""
        if self._process is not None:
            self._process.send_signal(3 if at_once else 2)  # SIGQUIT or SIGINT
            self._process.wait(30)
            self._process = None

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="kr", password=PASSWORD, dbname=database, autocommit=True,
            connect_timeout=5,
        ) as connection:  # fmt: skip
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def schema(self, name: str) -> str:
        """The URL of a new, empty schema, with the password in it; a database of its own takes much longer to make."""
        self.execute(f'CREATE SCHEMA "{name}"')
        return f"postgresql://kr:{quote(PASSWORD)}@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{name}"


_ENV = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running() -> Iterator[Server]:
    """In a folder beside pytest's own: those are closed to all others, the server's user among them, at every start."""
    with tempfile.TemporaryDirectory(prefix="keyresults-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "server")
        server.start()
        try:
            yield server
        finally:
            server.stop()
