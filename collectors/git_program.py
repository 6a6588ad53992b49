"""The git program: one door to a local clone, without network, prompts, pager or the user's aliases."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from .contract import ConfigError, SourceError

SECONDS = 120.0

_SAFE = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "protocol.allow=never"),  # a partial clone would fetch what it lacks
    *("-c", "log.showSignature=false"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
)
CREDENTIALS = re.compile(r"://[^/@\s]*@")
_LAST_SECOND = 253_402_300_799


class GitProgram:
    """Runs git in one folder."""

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self.path = path
        self.seconds = seconds

    def lines(self, *arguments: str) -> list[str]:
        return self.text(*arguments).splitlines()

    def line(self, *arguments: str) -> str | None:
        """The one line git says; None where it says nothing or refuses."""
        done = self._run(arguments, None)
        return done.stdout.strip() or None if done.returncode == 0 else None

    def text(self, *arguments: str, given: str | None = None) -> str:
        """What git prints.

        Raises:
            ConfigError: for a path that is no repository, or one git distrusts.
            SourceError: for any other failure.
        """
        done = self._run(arguments, given)
        if done.returncode != 0:
            raise self._failure(arguments[0], done.stderr)
        return done.stdout

    def _run(self, arguments: tuple[str, ...], given: str | None) -> subprocess.CompletedProcess[str]:
        if not self.path.is_dir():
            raise ConfigError(f"{self.path} is no folder: `path` names the folder of a clone")
        try:
            return subprocess.run(  # noqa: S603 (a fixed program; the arguments are ours, refs come from git itself)
                ["git", *_SAFE, *arguments],  # noqa: S607 (the git of the machine's PATH is meant)
                cwd=self.path,
                env=_environment(),
                input=given or "",
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.seconds,
                check=False,
            )
        except FileNotFoundError:
            raise SourceError("the program git is not installed, or not on the PATH") from None
        except OSError as error:
            raise SourceError(f"git can't be started in {self.path}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise SourceError(f"git {arguments[0]} took over {self.seconds:g} s in {self.path}") from None

    def _failure(self, command: str, stderr: str) -> ConfigError | SourceError:
        if "dubious ownership" in stderr:
            return ConfigError(
                f"git does not read {self.path}, which belongs to another user; if you trust it, run: "
                f"git config --global --add safe.directory {self.path} (for a service with --system, as root)"
            )
        if "not a git repository" in stderr:
            return ConfigError(f"{self.path} is no git repository, nor inside one")
        said = [line for line in stderr.splitlines() if line.strip()]
        words = CREDENTIALS.sub("://", said[-1]) if said else "it said nothing"
        return SourceError(f"git {command} failed in {self.path}: {words}")


def instant(seconds: str) -> datetime | None:
    """A commit's time; None for none and for times no calendar has."""
    try:
        value = int(seconds)
    except ValueError:
        return None
    return datetime.fromtimestamp(value, UTC) if 0 <= value <= _LAST_SECOND else None


def _environment() -> dict[str, str]:
    # Inside a hook GIT_DIR and its like point at another repository.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith("GIT_CONFIG")}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
