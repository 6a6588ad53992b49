"""Secrets by reference: the config says where a secret lies, and it is read when a collector is constructed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from .contract import Unauthorized

COMMAND_SECONDS = 30.0
FORMS = '{ env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }'

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
_TOKEN = re.compile(r"^(gh[a-z]_|github_pat_|glpat|xox[a-z]|sk_|eyJ)")


class SecretError(Unauthorized):
    """A reference that leads to no secret. Names the reference, never a value."""


class Secret:
    """A value that no repr, log line or error shows; `reveal` where it is sent."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret is never written down")


class _Resolved:
    """The secrets that references have led to in this process, the newest last; a token that changes hourly is many."""

    MOST = 1000

    def __init__(self) -> None:
        self._known: dict[Secret, None] = {}
        self._lock = Lock()

    def add(self, secret: Secret) -> None:
        with self._lock:
            self._known.pop(secret, None)
            self._known[secret] = None
            if len(self._known) > self.MOST:
                del self._known[next(iter(self._known))]

    def all(self) -> tuple[Secret, ...]:
        with self._lock:
            return tuple(self._known)


# Logs are the process's own as well, and whoever writes a line doesn't know what may be in it.
_resolved = _Resolved()


def resolved_secrets() -> tuple[Secret, ...]:
    """All that may turn up where it should not: for those who take secrets out of what is written down."""
    return _resolved.all()


class _Reference(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class EnvironmentSecret(_Reference):
    """`{ env = "NAME" }`"""

    env: str = Field(min_length=1, description="Name of the environment variable that holds the secret.")

    @field_validator("env")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        # A token pasted here would be printed as the name of a variable that is not set.
        if _NAME.match(name) is None or _TOKEN.match(name) is not None:
            raise PydanticCustomError("literal_secret", "this is no name of an environment variable, such as API_TOKEN")
        return name

    def resolve(self, base: Path) -> Secret:
        """
        Raises:
            SecretError: where the variable is unset or empty.
        """
        return _stripped(os.environ.get(self.env), f"the environment variable {self.env}")


class FileSecret(_Reference):
    """`{ file = "path" }`, relative to the config file."""

    file: str = Field(min_length=1, description="File that holds the secret, relative to the config file.")

    def resolve(self, base: Path) -> Secret:
        """
        Raises:
            SecretError: where the file can't be read or is empty.
        """
        try:
            text = (base / Path(self.file).expanduser()).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise SecretError(f"the file {self.file} is no UTF-8 text") from None
        except OSError as error:
            raise SecretError(f"the file {self.file} can't be read: {error.strerror}") from None
        return _stripped(text, f"the file {self.file}")


class CommandSecret(_Reference):
    """`{ command = ["program", "argument"] }`: its standard output, run without a shell in the config's folder."""

    command: tuple[str, ...] = Field(min_length=1, description="Program and arguments that print the secret.")

    def resolve(self, base: Path) -> Secret:
        """
        Raises:
            SecretError: where the program is not there, fails, takes over 30 s or prints nothing.
        """
        # Arguments may be private too: only the program is named.
        name = f"the command {self.command[0]}"
        try:
            done = subprocess.run(  # noqa: S603 (running what the config's author wrote is the feature; no shell)
                self.command, cwd=base, capture_output=True, stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise SecretError(f"{name} took over {COMMAND_SECONDS:g} s") from None
        except OSError as error:
            raise SecretError(f"{name} can't be run: {error.strerror}") from None
        if done.returncode != 0:
            raise SecretError(f"{name} ended with exit code {done.returncode}")
        return _stripped(done.stdout.decode(errors="replace"), name)


def _stripped(value: str | None, where: str) -> Secret:
    text = (value or "").strip()
    if not text:
        raise SecretError(f"no secret found: {where} is {'not set' if value is None else 'empty'}")
    if "\n" in text and not text.startswith("-----BEGIN"):
        raise SecretError(f"{where} holds several lines: a secret is one line, or a PEM key")
    secret = Secret(text)
    _resolved.add(secret)
    return secret


def _only_by_reference(value: object) -> object:
    """Refuses a literal without repeating it: errors are printed and logged."""
    if isinstance(value, (_Reference, Mapping)):
        return value
    raise PydanticCustomError("literal_secret", "a secret is never written into the file: {forms}", {"forms": FORMS})


def _form(value: object) -> str:
    """Which of the three is meant; an unknown or empty table is held against `env`, whose errors name the key."""
    keys = value if isinstance(value, Mapping) else type(value).model_fields if isinstance(value, BaseModel) else {}
    return next((form for form in ("file", "command") if form in keys), "env")


SecretRef = Annotated[
    Annotated[EnvironmentSecret, Tag("env")]
    | Annotated[FileSecret, Tag("file")]
    | Annotated[CommandSecret, Tag("command")],
    Discriminator(_form),
    BeforeValidator(_only_by_reference),
]
"""Field type of every secret in options and config; `resolve(base)` reads it."""
