"""The collector against a real Prometheus with ninety days of histograms in it."""

from __future__ import annotations

import json
import math
import urllib.parse
import urllib.request
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors.contract import ConfigError, Context
from keyresults.collectors.http import HttpDoor
from keyresults.collectors.prometheus import Prometheus
from keyresults.collectors.prometheus_options import PrometheusOptions
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.facts import Sample
from keyresults.metrics.ranges import TimeRange, TimeRanges
from keyresults.metrics.stream import Batch
from standins.latencies import DAYS, END, GONE, IDLE, START

PAYMENTS = 'latency_seconds_bucket{service="payments"}'
P99 = 'histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket{service="%s"}[$day])))'
NOW = END + timedelta(hours=3)


def collector(url, zone="UTC", now=NOW, **options):
    context = Context(source="prom", http=HttpDoor(), clock=lambda: now, calendar=Calendar(zone), base=Path(), memo={})
    return Prometheus(PrometheusOptions(url=url, **options), context)


def collect(one, query, start=START, end=NOW, cursor=None) -> list[Batch]:
    (stream,) = one.streams([("samples", query)])
    try:
        return list(one.collect(stream, TimeRange(start, end), cursor))
    finally:
        one.close()


def samples(batches) -> dict[str, Sample]:
    return {fact.key: fact for batch in batches for fact in batch.facts}


def covered(batches) -> TimeRanges:
    return TimeRanges.of(*(r for batch in batches for r in batch.covered))


def asked_directly(url, promql, at) -> dict[tuple, float]:
    """The same question by plain HTTP."""
    query = urllib.parse.urlencode({"query": promql, "time": at.timestamp()})
    with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in result}


def utc_days():
    return [START + timedelta(days=n) for n in range(DAYS)]


def test_each_day_has_the_value_prometheus_gives_at_its_end(prometheus):
    found = samples(collect(collector(prometheus.url), {"query": P99 % "payments"}))
    for start in utc_days():
        end = start + timedelta(days=1)
        expected = asked_directly(prometheus.url, (P99 % "payments").replace("$day", "86400s"), end)[()]
        one = found[start.date().isoformat()]
        assert one.value == expected
        assert (one.at, one.until, one.final) == (start, end, True)


def test_quiet_days_have_no_sample_and_are_covered(prometheus):
    batches = collect(collector(prometheus.url), {"query": P99 % "ledger"})
    found = samples(batches)
    quiet = [day for day in utc_days() if GONE[0] <= day < GONE[1] or IDLE[0] <= day < IDLE[1]]
    assert len(quiet) == 10
    assert not [day for day in quiet if day.date().isoformat() in found]
    assert len(found) == DAYS - len(quiet)
    assert all(math.isfinite(one.value) for one in found.values())
    assert covered(batches) == TimeRanges.of(TimeRange(START, NOW))


def test_quiet_days_have_no_buckets_either(prometheus):
    found = samples(collect(collector(prometheus.url), {"histogram": 'latency_seconds_bucket{service="ledger"}'}))
    assert (GONE[0] + timedelta(days=2)).date().isoformat() not in found
    assert (IDLE[0] + timedelta(days=2)).date().isoformat() not in found
    assert all(one.n > 0 for one in found.values())


def test_buckets_are_the_requests_that_happened(prometheus):
    found = samples(collect(collector(prometheus.url), {"histogram": PAYMENTS}))
    for start in utc_days()[1:]:
        happened = prometheus.history.requests("payments", start, start + timedelta(days=1))
        one = found[start.date().isoformat()]
        assert one.value is None
        assert one.n == one.parts["+Inf"]
        assert set(one.parts) == {"0.1", "0.25", "0.5", "1.0", "+Inf"}
        # `increase` extrapolates to the edges where a release leaves the range's start open.
        for bound, count in happened.items():
            assert one.parts["1.0" if bound == "1" else bound] == pytest.approx(count, rel=0.02)


@pytest.mark.parametrize("length", [7, 28])
def test_buckets_merge_over_windows(prometheus, length):
    found = samples(collect(collector(prometheus.url), {"histogram": PAYMENTS}))
    window = utc_days()[-length:]
    merged: dict[str, float] = {}
    for start in window:
        for bound, count in found[start.date().isoformat()].parts.items():
            merged[bound] = merged.get(bound, 0.0) + count
    direct: dict[str, float] = {}
    for start in window:
        question = f"sum by (le) (increase({PAYMENTS}[86400s]))"
        for labels, count in asked_directly(prometheus.url, question, start + timedelta(days=1)).items():
            bound = dict(labels)["le"]
            bound = bound if bound == "+Inf" else str(float(bound))
            direct[bound] = direct.get(bound, 0.0) + count
    assert merged == direct
    happened = prometheus.history.requests("payments", window[0], END)
    assert merged["+Inf"] == pytest.approx(happened["+Inf"], rel=0.02)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", date(2026, 10, 25), 25), ("Australia/Sydney", date(2026, 10, 4), 23)],
)
def test_days_of_a_clock_change_are_whole(prometheus, zone, day, hours):
    found = samples(collect(collector(prometheus.url, zone=zone), {"histogram": PAYMENTS}))
    one = found[day.isoformat()]
    assert one.until - one.at == timedelta(hours=hours)
    question = f"sum(increase({PAYMENTS[:-1]},le='+Inf'}}[{hours}h]))"
    assert one.n == asked_directly(prometheus.url, question, one.until)[()]
    assert one.n == pytest.approx(prometheus.history.requests("payments", one.at, one.until)["+Inf"], rel=0.02)


def test_the_open_day_is_provisional_and_asked_again(prometheus):
    noon = END - timedelta(hours=12)
    batches = collect(collector(prometheus.url, now=noon), {"histogram": PAYMENTS}, START, noon)
    (today,) = [one for one in samples(batches).values() if not one.final]
    assert (today.at, today.until) == (END - timedelta(days=1), noon)
    assert batches[-1].open_keys == (today.key,)
    assert covered(batches).end == noon

    later = noon + timedelta(minutes=30)
    again = collect(
        collector(prometheus.url, now=later), {"histogram": PAYMENTS}, noon, later, cursor=batches[-1].cursor
    )
    yesterday = (today.at - timedelta(days=1)).date().isoformat()
    assert list(samples(again)) == [yesterday, today.key]
    assert samples(again)[today.key].until == later
    assert samples(again)[today.key].n > today.n
    assert samples(again)[yesterday] == samples(batches)[yesterday]


def test_final_days_are_not_asked_again(prometheus):
    first = collect(collector(prometheus.url), {"histogram": PAYMENTS})
    again = collect(collector(prometheus.url), {"histogram": PAYMENTS}, cursor=first[-1].cursor)
    assert sum(batch.requests for batch in first) == DAYS + 1
    assert sum(batch.requests for batch in again) == 2


def test_days_before_the_first_sample_are_beyond_the_horizon(prometheus):
    batches = collect(collector(prometheus.url), {"histogram": PAYMENTS}, START - timedelta(days=20), NOW)
    horizons = [batch.horizon for batch in batches if batch.horizon]
    # A range that ends at the first instant holds one sample: no increase yet.
    assert horizons == [START]
    assert covered(batches).start == START
    noted = [one.key for one in samples(batches).values() if one.note]
    assert noted == [START.date().isoformat()]


def test_an_older_empty_slice_ends_at_the_horizon(prometheus):
    newer = collect(collector(prometheus.url), {"histogram": PAYMENTS}, START, NOW)
    older = collect(
        collector(prometheus.url), {"histogram": PAYMENTS}, START - timedelta(days=20), START, newer[-1].cursor
    )
    assert [batch.horizon for batch in older if batch.horizon] == [START]
    assert not covered(older)
    assert not samples(older)


def test_where_nothing_was_ever_found_nothing_is_covered(prometheus):
    one = collector(prometheus.url)
    batches = collect(one, {"query": "sum(increase(no_such_series_total[$day]))"}, END - timedelta(days=30), NOW)
    assert not covered(batches)
    assert not [batch.horizon for batch in batches if batch.horizon]
    # Within one local day they are not asked at every poll, on the next they are.
    same_day = collect(one, {"query": "sum(increase(no_such_series_total[$day]))"}, END, NOW, batches[-1].cursor)
    assert sum(batch.requests for batch in same_day) == 1


def test_several_series_without_by_are_an_error_that_lists_them(prometheus):
    with pytest.raises(ConfigError) as refused:
        collect(collector(prometheus.url), {"query": "avg_over_time(depth[$day])"})
    text = str(refused.value)
    assert '{service="payments"}' in text
    assert '{service="ledger"}' in text
    assert "`by`" in text


def test_series_are_told_apart_by_a_label(prometheus):
    query = {"query": "avg_over_time(depth[$day])", "by": "service"}
    largest = samples(collect(collector(prometheus.url), {**query, "across": "max"}))
    payments = samples(collect(collector(prometheus.url), {**query, "select": "payments"}))
    for start in utc_days():
        direct = asked_directly(prometheus.url, "avg_over_time(depth[86400s])", start + timedelta(days=1))
        by_service = {dict(labels)["service"]: value for labels, value in direct.items()}
        key = start.date().isoformat()
        assert largest[key].value == max(by_service.values())
        assert largest[key].parts == by_service
        assert payments[key].value == by_service["payments"]


def test_a_day_with_too_few_observations_has_no_sample(prometheus):
    count = "sum by (service) (increase(latency_seconds_bucket{le='+Inf'}[$day]))"
    query = {"query": "avg_over_time(depth[$day])", "by": "service", "across": "max", "count": count}
    found = samples(collect(collector(prometheus.url), {**query, "min_count": 1000}))
    idle = (IDLE[0] + timedelta(days=1)).date().isoformat()
    assert set(found[idle].parts) == {"payments"}
    assert found[idle].n > 1000
    none = samples(collect(collector(prometheus.url), {**query, "min_count": 1e9}))
    assert none == {}


def test_a_refused_query_shows_prometheus_own_message(prometheus):
    with pytest.raises(ConfigError, match=r"unclosed left parenthesis"):
        collect(collector(prometheus.url), {"query": "sum(rate(x[$day])"})
    with pytest.raises(ConfigError, match="expected type range vector in call to function"):
        collect(collector(prometheus.url), {"query": "rate(x)"})


def test_a_range_of_values_says_what_to_wrap_it_in(prometheus):
    with pytest.raises(ConfigError, match=r"avg_over_time"):
        collect(collector(prometheus.url), {"query": "depth[1h]"})


def test_a_scalar_is_a_value(prometheus):
    found = samples(collect(collector(prometheus.url), {"query": "scalar(vector(42))"}, END - timedelta(days=2), END))
    assert {one.value for one in found.values()} == {42.0}


def test_another_zone_is_another_stream():
    (here,) = collector("http://localhost:9090").streams([("samples", {"histogram": PAYMENTS})])
    (there,) = collector("http://localhost:9090", zone="Asia/Tokyo").streams([("samples", {"histogram": PAYMENTS})])
    assert here.subject == "prom"
    assert here.id != there.id


def test_basic_authentication_opens_a_guarded_server(guarded_prometheus, monkeypatch):
    monkeypatch.setenv("PROM_PASSWORD", "hunter2!")
    login = {"user": "kr", "password": {"env": "PROM_PASSWORD"}}
    found = collector(guarded_prometheus, basic=login, now=datetime.now(UTC)).probe()
    assert found.ok, found.detail

    monkeypatch.setenv("PROM_PASSWORD", "wrong")
    found = collector(guarded_prometheus, basic=login).probe()
    assert (found.reachable, found.authorised) == (True, False)
    assert "wrong" not in found.detail


def test_the_probe_needs_no_login_where_there_is_none(prometheus):
    found = collector(prometheus.url).probe()
    assert found.ok
    assert "answers queries" in found.detail
