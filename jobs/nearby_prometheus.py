"""Whether a Prometheus answers at its usual address, and what it could measure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

USUAL = ("http://localhost:9090", "http://127.0.0.1:9090")
SECONDS = 0.5
"""A server on this machine answers at once, or nobody waits for it."""

_REQUESTS = re.compile(r"^(?:http|grpc|rpc)_.*(?:duration|latency|handling|time)_?.*seconds_bucket$")


@dataclass(frozen=True, slots=True)
class NearbyPrometheus:
    """`histograms` are metrics that look like durations of requests."""

    url: str
    histograms: tuple[str, ...]

    @property
    def is_clear(self) -> bool:
        """Whether there is no doubt which histogram to take."""
        return len(self.histograms) == 1


def look_for_prometheus(addresses: Sequence[str] = USUAL) -> NearbyPrometheus | None:
    """The first of these addresses that answers as Prometheus does."""
    for url in addresses:
        names = _bucket_names(url)
        if names is not None:
            return NearbyPrometheus(url, tuple(name for name in names if _REQUESTS.match(name)))
    return None


def _bucket_names(url: str) -> list[str] | None:
    import requests

    from ..collectors.contract import CollectorError
    from ..collectors.http import HttpDoor

    question = {"match[]": '{__name__=~".+_bucket"}'}
    with HttpDoor(timeout=SECONDS, attempts=1).session() as session:
        session.trust_env = False  # a proxy would look for it on its own machine
        try:
            answer = session.get(f"{url}/api/v1/label/__name__/values", params=question, allow_redirects=False)
            body: Any = answer.json()
        except (requests.RequestException, CollectorError, ValueError, RecursionError):
            return None
    if not isinstance(body, dict) or body.get("status") != "success" or not isinstance(body.get("data"), list):
        return None
    return sorted(name for name in body["data"] if isinstance(name, str))
