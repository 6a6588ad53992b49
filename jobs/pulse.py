"""Signs of life of the daemon, for those who look from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic


@dataclass
class Pulse:
    """`ready` once the key results were evaluated since the start. `config_error` says why a new config is not used."""

    ready: bool = False
    stopping: bool = False
    config_error: str = ""
    _last_beat: float = field(default_factory=monotonic)

    def beat(self) -> None:
        self._last_beat = monotonic()

    @property
    def age(self) -> float:
        """Seconds since the last beat."""
        return monotonic() - self._last_beat
