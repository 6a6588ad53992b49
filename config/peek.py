"""The few things a quick `status` needs of the config, without validating it: no pydantic, no collectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cycles import cycles_in_use
from .document import read
from .model import StoreAddress
from .store_address import DEFAULT, store_url


@dataclass(frozen=True, slots=True)
class Peek:
    """`cycle` is the name of the one shown when none is named; None where nothing says it."""

    path: Path
    digest: str
    store: StoreAddress
    timezone: str
    cycle: str | None


def peek(path: Path) -> Peek:
    """What a config says of its store, zone and cycle. A file that passes here may still be wrong elsewhere.

    Raises:
        ConfigProblems: where it can't be read, or what is asked for here is wrong.
    """
    document = read(path)
    try:
        tracker = document.table.get("tracker", {})
        objectives = [o.get("cycle") for o in document.table.get("objectives", [])]
        in_use = cycles_in_use(tracker.get("cycle"), document.table.get("cycles", {}), objectives)
        store = _store(tracker.get("store", DEFAULT), path.resolve().parent)
        return Peek(path, document.digest, store, tracker.get("timezone", "UTC"), in_use.default)
    except (AttributeError, TypeError, ValueError, KeyError):
        return _loaded(path)


def _store(said: str | Mapping[str, Any], base: Path) -> StoreAddress:
    if isinstance(said, str):
        return StoreAddress(store_url(said, base))
    password = None
    if "password" in said:
        from pydantic import TypeAdapter

        from ..collectors.secrets import SecretRef

        password = TypeAdapter[SecretRef](SecretRef).validate_python(said["password"])
    return StoreAddress(store_url(said["url"], base), password)


def _loaded(path: Path) -> Peek:
    """The same by way of the whole config, which can say what is wrong."""
    from .load import load

    config = load(path)
    cycle = config.cycle.name if config.cycle else None
    return Peek(path, config.digest, config.store, config.calendar.timezone, cycle)
