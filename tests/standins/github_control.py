"""A GitHub in a process of its own, and how a test in another one fills, troubles and questions it.

A place is a path of names and numbers from the stand-in on: `quota.limit`, `world.repositories.0.history`.
Orders are pickled, so facts go over as they are; the key that the process prints lets only its starter give any.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import requests

from .github_http import CONTROL

Verb = Literal["get", "set", "call"]


def obey(standin: object, order: bytes) -> bytes:
    verb, place, arguments, named = pickle.loads(order)
    *way, last = place.split(".")
    for step in way:
        standin = _below(standin, step)
    try:
        if verb == "set":
            setattr(standin, last, arguments[0])
            return pickle.dumps((True, None))
        found = _below(standin, last)
        return pickle.dumps((True, found(*arguments, **named) if verb == "call" else found))
    except Exception as error:
        return pickle.dumps((False, f"{place}: {error!r}"))


def _below(one: Any, step: str) -> Any:
    return one[int(step)] if step.isdigit() else getattr(one, step)


class Disobeyed(Exception):
    """The other process could not do what it was told to."""


@dataclass(frozen=True)
class GitHubProcess:
    """`key` opens the control; `pid` is for those that measure the process."""

    url: str
    token: str
    key: str
    pid: int

    def get(self, place: str) -> Any:
        return self._order("get", place)

    def set(self, place: str, value: object) -> None:
        self._order("set", place, value)

    def call(self, place: str, *arguments: object, **named: object) -> Any:
        return self._order("call", place, *arguments, **named)

    def add(self, name: str, history: Iterable[object] = (), **traits: object) -> Any:
        """A repository; answers with a copy of it."""
        return self.call("world.add", name, list(history), **traits)

    def _order(self, verb: Verb, place: str, *arguments: object, **named: object) -> Any:
        order = pickle.dumps((verb, place, arguments, named))
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(self.url + CONTROL, order, headers={"Authorization": self.key}, timeout=120)
        answer.raise_for_status()
        done, value = pickle.loads(answer.content)
        if not done:
            raise Disobeyed(value)
        return value


@contextmanager
def github_process(*arguments: str) -> Iterator[GitHubProcess]:
    """An empty one unless told otherwise. It ends with its standard input, and so with this process too."""
    tests = str(Path(__file__).parents[1])
    path = os.pathsep.join([tests, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "standins.github", *(arguments or ("--empty",))]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            url, token, key = running.stdout.readline().split()
            yield GitHubProcess(url, token, key, running.pid)
        finally:
            running.communicate(timeout=30)
    assert running.returncode == 0, "the stand-in has complaints: its standard error tells them"
