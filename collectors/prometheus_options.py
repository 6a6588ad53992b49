"""What `[sources.NAME]` may say of a Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .contract import SourceOptions, WrongKeys
from .secrets import SecretRef


class BasicLogin(BaseModel):
    """User and password of HTTP basic authentication."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    user: str = Field(min_length=1, description="User name.")
    password: SecretRef = Field(description="Where the password lies.")


class PrometheusOptions(SourceOptions):
    url: str = Field(description="Address of the server, with its path prefix where it has one; never a password.")
    basic: BasicLogin | None = Field(default=None, description="User and password, where the server wants them.")
    bearer: SecretRef | None = Field(
        default=None, description="Bearer token, where a proxy before the server wants one."
    )
    ca: Path | None = Field(default=None, description="PEM file of a private certificate authority.")
    timeout: float | None = Field(
        default=None, gt=0, le=600, description="Seconds a query may take, at the server and on the way (30)."
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        # The messages must not repeat the URL: what is wrong with it may be the password in it.
        parts = _address(url)
        if parts is None:
            raise PydanticCustomError("url", "write the server's address, such as http://localhost:9090")
        if "@" in parts.netloc:
            raise PydanticCustomError("url", "a password is never written into the URL: use basic or bearer")
        if parts.query or parts.fragment:
            raise PydanticCustomError("url", "leave out what follows ? or #: only the server's address belongs here")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _has_one_login(self) -> Self:
        if self.basic is not None and self.bearer is not None:
            raise WrongKeys((("bearer",), "write either basic or bearer, not both"))
        return self


def _address(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if complete else None
