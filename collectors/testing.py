"""The contract every collector keeps, as tests. For a plugin's test suite as for our own; needs pytest.

    @pytest.fixture
    def case(tmp_path):
        return Case(collector=Uptime, options={…}, queries=[("samples", {})], window=…, now=…, base=tmp_path)

    class TestUptimeKeepsTheContract(CollectorContract):
        pass

For a source behind a network, `case.trouble` makes the stand-in answer badly, and the suite then
checks that each trouble becomes the error a runner knows how to answer.
"""

from __future__ import annotations

import json
import logging
import socket
import time
import tomllib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ..metrics.facts import FACT_TYPES, Fact
from ..metrics.ranges import TimeRange, TimeRanges
from ..metrics.stream import Batch, Stream
from .contract import (
    SOURCE_KEYS,
    Collector,
    CollectorError,
    RetryAt,
    SourceError,
    SourceOptions,
    Unauthorized,
)
from .testing_case import PATIENCE, Case, Trouble, last_cursor, stored

__all__ = ["Case", "CollectorContract", "Trouble"]

EXPECTED: Mapping[Trouble, tuple[type[CollectorError], ...]] = {
    "401": (Unauthorized,),
    "403": (Unauthorized, RetryAt),
    "429": (RetryAt,),
    "500": (SourceError, RetryAt),
    "hang": (SourceError,),
    "login page": (SourceError, Unauthorized),
}
"""What a source's trouble may become. A `hang` is a server that accepts and then says nothing for 3 s or more."""

IMPATIENCE = 0.5
LONGEST = 10.0


class CollectorContract:
    """Inherit it in a test class, and give the fixture `case`: in the class, its module or a conftest."""

    # ---- what it says of itself

    def test_it_is_described(self, case: Case) -> None:
        kind = case.collector
        assert isinstance(kind.type, str)
        assert kind.type == kind.type.strip().lower() != ""
        assert issubclass(kind.Options, SourceOptions)
        assert set(kind.Queries) <= set(FACT_TYPES)
        assert isinstance(case.make(), Collector)

    def test_every_option_and_query_key_says_what_it_is(self, case: Case) -> None:
        for model in (case.collector.Options, *case.collector.Queries.values()):
            bare = [name for name, one in model.model_fields.items() if not one.description]
            assert not bare, f"{model.__name__}: describe {', '.join(bare)} with Field(description=…)"
            model.model_json_schema()

    def test_its_sample_config_is_valid(self, case: Case) -> None:
        kind = case.collector
        samples = tomllib.loads(kind.sample_config).get("sources", {})
        assert samples, "the sample shows no [sources.NAME]"
        for source in samples.values():
            assert source.get("type") == kind.type
            own = {key: value for key, value in source.items() if key not in _common(kind.Options)}
            kind.Options.model_validate(own)

    def test_an_unknown_option_is_refused(self, case: Case) -> None:
        with pytest.raises(ValidationError) as refused:
            case.collector.Options.model_validate({**case.options, "no_such_option": 1})
        assert "no_such_option" in str(refused.value)
        _no_secret(str(refused.value), case)

    def test_an_unknown_query_key_is_refused(self, case: Case) -> None:
        kind, asked = case.queries[0]
        with pytest.raises(ValidationError):
            case.collector.Queries[kind].model_validate({**asked, "no_such_key": 1})

    # ---- what it may touch

    def test_constructing_and_closing_touch_no_network(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("connect", "connect_ex", "sendto"):
            monkeypatch.setattr(socket.socket, name, _no_network)
        monkeypatch.setattr(socket, "getaddrinfo", _no_network)
        case.make().close()

    def test_closing_twice_is_fine(self, case: Case) -> None:
        collector = case.make()
        case.streams(collector)
        collector.close()
        collector.close()

    def test_the_probe_is_cheap(self, case: Case) -> None:
        collector = case.make()
        started = time.monotonic()
        found = collector.probe()
        collector.close()
        assert found.ok, found.detail
        assert found.detail
        assert time.monotonic() - started < LONGEST

    # ---- what it delivers

    def test_asking_twice_names_the_same_streams(self, case: Case) -> None:
        streams = case.known_streams()
        assert streams
        assert [s.id for s in streams] == [s.id for s in case.known_streams()]
        assert len(set(streams)) == len(streams), "two streams with one identity"
        for stream in streams:
            assert stream.source == "contract"
            assert json.loads(json.dumps(stream.query)) == stream.query

    def test_replaying_gives_the_same_facts(self, case: Case) -> None:
        for stream in case.known_streams():
            assert stored(case.batches(stream)) == stored(case.batches(stream))

    def test_facts_have_keys_kinds_and_aware_instants(self, case: Case) -> None:
        everything = [(stream, batch) for stream in case.known_streams() for batch in case.batches(stream)]
        for stream, batch in everything:
            keys = [fact.key for fact in batch.facts]
            assert all(keys)
            assert len(set(keys)) == len(keys), "a batch tells of one fact twice"
            for fact in batch.facts:
                assert fact.kind == stream.kind
                assert fact.at.tzinfo is not None
                assert fact.at <= case.now, f"{fact.key} lies in the future"
        assert bool([1 for _, batch in everything if batch.facts]) == case.has_facts

    def test_cursors_and_memos_are_json(self, case: Case) -> None:
        for stream in case.known_streams():
            for batch in case.batches(stream):
                assert json.loads(json.dumps(batch.cursor)) == batch.cursor

    def test_nothing_in_the_future_is_covered(self, case: Case) -> None:
        for stream in case.known_streams():
            for batch in case.batches(stream):
                assert batch.covered.end is None or batch.covered.end <= case.now

    def test_a_crash_after_any_batch_loses_and_doubles_nothing(self, case: Case) -> None:
        for stream in case.known_streams():
            batches = case.batches(stream)
            whole = stored(batches)
            for crashed_after in range(len(batches) + 1):
                kept = batches[:crashed_after]
                _coverage_is_honest(kept, whole)
                again = case.batches(stream, last_cursor(kept))
                assert stored([*kept, *again]) == whole, f"after a crash behind batch {crashed_after}"

    def test_an_empty_window_is_fine(self, case: Case) -> None:
        empty = replace(case, window=TimeRange(case.window.start, case.window.start))
        for stream in empty.known_streams():
            empty.batches(stream)

    # ---- what it says when the source is in trouble

    @pytest.mark.parametrize("trouble", EXPECTED)
    def test_trouble_becomes_an_error_the_runner_knows(
        self, case: Case, trouble: Trouble, caplog: pytest.LogCaptureFixture
    ) -> None:
        self._needs_a_network(case)
        caplog.set_level(logging.DEBUG)
        streams = case.known_streams()
        self._cause(case, trouble)
        collector = case.make(_timeout(trouble))
        started = time.monotonic()
        with pytest.raises(CollectorError) as failed:
            _collect(collector, streams, case)
        assert time.monotonic() - started < LONGEST, "it waited in the worker"
        assert isinstance(failed.value, EXPECTED[trouble]), repr(failed.value)
        if isinstance(failed.value, RetryAt):
            assert case.now < failed.value.time <= case.now + timedelta(days=1)
        _no_secret("".join(traceback.format_exception(failed.value)) + repr(failed.value), case)
        _no_secret(_shown(collector) + caplog.text, case)
        collector.close()

    @pytest.mark.parametrize("trouble", EXPECTED)
    def test_the_probe_tells_of_trouble(self, case: Case, trouble: Trouble) -> None:
        self._needs_a_network(case)
        self._cause(case, trouble)
        collector = case.make(_timeout(trouble))
        try:
            found = collector.probe()
        except CollectorError as error:
            _no_secret(str(error), case)
        else:
            assert not found.ok
            _no_secret(repr(found), case)
        finally:
            collector.close()

    def test_no_secret_is_shown(self, case: Case, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        collector = case.make()
        shown = [repr(collector.probe())]
        for stream in case.streams(collector):
            shown += [stream.id, repr(stream), *map(repr, collector.collect(stream, case.window, None))]
        _no_secret(_shown(collector) + caplog.text + "".join(shown), case)
        collector.close()

    def _needs_a_network(self, case: Case) -> None:
        if case.trouble is None:
            pytest.skip("this source is asked over no network")

    def _cause(self, case: Case, trouble: Trouble) -> None:
        assert case.trouble is not None
        case.trouble(trouble)


def _timeout(trouble: Trouble) -> float:
    return IMPATIENCE if trouble == "hang" else PATIENCE


def _collect(collector: Collector, streams: Sequence[Stream], case: Case) -> None:
    """A run as the runner would make it, on streams known from before the trouble and asked for again."""
    for stream in [*streams, *case.streams(collector)]:
        list(collector.collect(stream, case.window, None))


def _common(options: type[BaseModel]) -> set[str]:
    return {str(key) for key in SOURCE_KEYS} - set(options.model_fields)


def _coverage_is_honest(kept: Sequence[Batch], whole: Mapping[str, Fact]) -> None:
    """Whatever lies in covered time has been delivered with it, or before."""
    covered = TimeRanges()
    for batch in kept:
        covered |= batch.covered
    held = stored(kept)
    missing = [key for key, fact in whole.items() if fact.at in covered and key not in held]
    assert not missing, f"covered without having been delivered: {', '.join(missing[:5])}"


def _no_network(*_: object, **__: object) -> None:
    raise AssertionError("constructing a collector must not touch the network")


def _shown(collector: Collector) -> str:
    return "".join(_texts(collector))


def _texts(thing: Any, depth: int = 3) -> Iterator[str]:  # noqa: ANN401 (whatever a collector keeps)
    """How an object and what it keeps show themselves: in a debugger, a log line, a crash report."""
    yield repr(thing)
    yield str(thing)
    if depth and hasattr(thing, "__dict__"):
        for value in vars(thing).values():
            yield from _texts(value, depth - 1)


def _no_secret(text: str, case: Case) -> None:
    for secret in case.secrets:
        assert secret not in text, "a secret is shown"
