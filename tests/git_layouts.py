"""Repositories made for tests, with dates that are known."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Repo:
    path: Path

    @classmethod
    def create(cls, path: Path, *options: str) -> Repo:
        path.mkdir(parents=True)
        repo = cls(path)
        repo.git("init", "-q", "-b", "main", *options)
        return repo

    def git(self, *arguments: str, at: datetime | None = None, author: str = "Ana", address: str = "ana@example.org"):
        when = {} if at is None else {f"GIT_{who}_DATE": at.isoformat() for who in ("AUTHOR", "COMMITTER")}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        env = {
            **kept,
            **when,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": address,
            "GIT_COMMITTER_NAME": "Cho",
            "GIT_COMMITTER_EMAIL": "cho@example.org",
        }
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.path,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, at: datetime, message: str = "Change something", **who: str) -> str:
        self.git("commit", "-q", "--allow-empty", "-m", message, at=at, **who)
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path, *options: str) -> Repo:
        self.git("clone", "-q", *options, f"file://{self.path}", str(path))
        return Repo(path)
