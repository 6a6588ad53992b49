"""Prometheus' HTTP API through prometheus-api-client, with the door's session and every answer judged.

The client drops the warnings of an answer and the text of a refusal; a response hook of the session
sees both before the client does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect

from .contract import CollectorError, ConfigError, SourceError
from .http import DoorSession, HttpDoor, explain, place, refusal

LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """`result` as the API gives it; `warnings` mean that it may be partial."""

    result: list[Any]
    warnings: tuple[str, ...]


class PrometheusApi:
    """One server. `timeout` (seconds) holds for each request, and is told to the server too.

    `without_secrets` is put over whatever the server says in words.
    """

    def __init__(
        self,
        url: str,
        session: DoorSession,
        door: HttpDoor,
        timeout: float,
        clock: Callable[[], datetime],
        without_secrets: Callable[[str], str],
    ) -> None:
        self._timeout = timeout
        self._without_secrets = without_secrets
        self._clock = clock
        self._warnings: tuple[str, ...] = ()
        session.hooks["response"].append(self._judge)
        # Without `retry` the client mounts its own: three attempts of every timeout, seconds apart.
        self._client = PrometheusConnect(url=url, session=session, retry=door.retry(), timeout=timeout)  # type: ignore[arg-type]  # says int, and hands it to requests, which takes any number

    def ask(self, promql: str, at: datetime) -> Answer:
        """One instant query.

        Raises:
            ConfigError: where Prometheus refuses the query, in its own words.
            Unauthorized, RetryAt, SourceError: as the answer or its absence says.
        """
        self._warnings = ()
        params = {"time": f"{at.timestamp():.3f}", "timeout": f"{self._timeout:g}s"}
        try:
            result = self._client.custom_query(promql, params=params)
        except CollectorError:
            raise
        except PrometheusApiClientException:
            raise SourceError("Prometheus answered with neither a result nor an error") from None
        except requests.RequestException as error:
            raise SourceError(explain(error)) from None
        return Answer(result, self._warnings)

    def close(self) -> None:
        self._client.close()

    def _judge(self, response: requests.Response, **_: object) -> None:
        if response.is_redirect:
            return
        body = _json(response)
        message = self._said(body.get("error", "")) if isinstance(body, dict) else ""
        if response.status_code == 400 and message:
            raise ConfigError(f"Prometheus refuses the query: {message}")
        refused = refusal(response, self._clock())
        if refused is not None:
            words = self._without_secrets(f"{refused}: {message}" if message else str(refused))
            raise SourceError(words) if type(refused) is SourceError else refused
        if not _is_result(body):
            raise SourceError(
                f"{place(response.url)} did not answer as Prometheus does: "
                "is `url` the server's own address, and is there a login page before it?"
            )
        self._warnings = tuple(self._said(warning) for warning in body.get("warnings") or [] if _is_doubt(warning))

    def _said(self, words: object) -> str:
        return self._without_secrets(str(words))[:LONGEST_MESSAGE]


def _json(response: requests.Response) -> Any:  # noqa: ANN401 (whatever the server sent)
    try:
        return response.json()
    except (requests.JSONDecodeError, RecursionError):
        return None


def _is_result(body: Any) -> bool:  # noqa: ANN401 (whatever the server sent)
    return (
        isinstance(body, dict)
        and body.get("status") == "success"
        and isinstance(body.get("data"), dict)
        and isinstance(body["data"].get("result"), list)
    )


def _is_doubt(warning: object) -> bool:
    """Releases before 3 also put harmless remarks among the warnings."""
    return not str(warning).startswith("PromQL info:")
