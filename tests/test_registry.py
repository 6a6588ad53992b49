"""Which collectors there are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint

import pytest
from keyresults.collectors import registry
from keyresults.collectors.contract import ConfigError


@pytest.fixture
def installed(monkeypatch):
    """Entry points that another package would have declared."""
    points = []
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])
    registry._declared.cache_clear()
    yield points
    registry._declared.cache_clear()


def test_every_built_in_collector_loads_under_its_word():
    assert set(registry.type_words()) >= set(registry.BUILT_IN)
    for word in registry.BUILT_IN:
        kind = registry.collector_type(word)
        assert kind.type == word
        assert isinstance(kind.Queries, Mapping)


def test_an_unknown_word_has_a_near_match():
    with pytest.raises(ConfigError, match="did you mean 'prometheus'"):
        registry.collector_type("promethius")
    with pytest.raises(ConfigError, match="known are coverage"):
        registry.collector_type("zzz")


def test_an_installed_collector_joins(installed):
    installed.append(EntryPoint("weather", f"{__name__}:Weather", registry.GROUP))
    sys.modules.setdefault(__name__, sys.modules[Weather.__module__])
    assert "weather" in registry.type_words()
    assert registry.collector_type("weather") is Weather


def test_two_claims_to_one_word_name_both(installed):
    installed.append(EntryPoint("prometheus", "other_package.prom:Prom", registry.GROUP))
    with pytest.raises(ConfigError) as refused:
        registry.collector_type("git")
    assert "other_package.prom:Prom" in str(refused.value)
    assert "keyresults.collectors.prometheus:Prometheus" in str(refused.value)


@pytest.mark.parametrize("place", ["no_such_package:Thing", "json:NoSuchThing"])
def test_one_that_cannot_be_loaded_is_named(installed, place):
    installed.append(EntryPoint("weather", place, registry.GROUP))
    with pytest.raises(ConfigError, match="weather"):
        registry.collector_type("weather")


def test_a_collector_that_calls_itself_otherwise_is_refused(installed):
    installed.append(EntryPoint("sunshine", f"{__name__}:Weather", registry.GROUP))
    sys.modules.setdefault(__name__, sys.modules[Weather.__module__])
    with pytest.raises(ConfigError, match="calls itself 'weather'"):
        registry.collector_type("sunshine")


def test_knowing_the_options_imports_no_client_library():
    program = (
        "import sys; from keyresults.collectors.registry import BUILT_IN, collector_type; "
        "kinds = [collector_type(word) for word in BUILT_IN]; "
        "heavy = {'github', 'prometheus_api_client', 'pandas', 'numpy', 'requests'} & set(sys.modules); "
        "print(*sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


class Weather:
    type = "weather"
