"""The collector against servers in trouble and strange answers, and the contract every collector keeps."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors.contract import ConfigError, Context, RetryAt, SourceError, Unauthorized
from keyresults.collectors.http import HttpDoor
from keyresults.collectors.prometheus import Prometheus
from keyresults.collectors.prometheus_options import PrometheusOptions
from keyresults.collectors.testing import Case, CollectorContract
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.ranges import TimeRange
from pydantic import ValidationError
from werkzeug import Request, Response

TOKEN = "prom-token-7f3a"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 20, tzinfo=UTC)


def vector(*series, **more):
    result = [{"metric": labels, "value": [0, str(value)]} for labels, value in series]
    return Response(
        json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more}),
        content_type="application/json",
    )


def refused(status, message, kind="bad_data"):
    return Response(
        json.dumps({"status": "error", "errorType": kind, "error": message}), status, content_type="application/json"
    )


class Answers:
    """What the server says from now on: one answer to everything, or the day's own number."""

    def __init__(self):
        self.say = None
        self.asked = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Response("who are you?", 401)
        if self.say is not None:
            return self.say(request)
        return vector(({}, float(request.args["time"]) % 1000))

    def trouble(self, kind):
        if kind == "hang":
            self.say = lambda request: time.sleep(3) or vector()
        elif kind == "login page":
            self.say = lambda request: Response("<html>Sign in</html>", content_type="text/html")
        else:
            self.say = lambda request: Response("no", int(kind))


@pytest.fixture
def answers(httpserver, monkeypatch):
    monkeypatch.setenv("PROM_TOKEN", TOKEN)
    said = Answers()
    httpserver.expect_request("/api/v1/query").respond_with_handler(said)
    return said


def collector(url, now=NOW, timeout=5.0):
    context = Context(
        source="prom", http=HttpDoor(timeout=timeout), clock=lambda: now, calendar=Calendar(), base=Path(), memo={}
    )
    return Prometheus(PrometheusOptions.model_validate({"url": url, "bearer": {"env": "PROM_TOKEN"}}), context)


def collect(url, query=None, days=3, cursor=None, **more):
    one = collector(url, **more)
    (stream,) = one.streams([("samples", query or {"query": "sum(x)"})])
    try:
        return list(one.collect(stream, TimeRange(NOW - days * DAY, NOW), cursor))
    finally:
        one.close()


class TestPrometheusKeepsTheContract(CollectorContract):
    @pytest.fixture
    def case(self, httpserver, answers, tmp_path):
        return Case(
            collector=Prometheus,
            options={"url": httpserver.url_for(""), "bearer": {"env": "PROM_TOKEN"}},
            queries=[("samples", {"query": "sum(increase(x[$day]))"})],
            window=TimeRange(NOW - 40 * DAY, NOW),
            now=NOW,
            base=tmp_path,
            timezone="Europe/Berlin",
            secrets=(TOKEN,),
            trouble=answers.trouble,
        )


def test_a_bearer_token_opens_a_proxy(httpserver, answers):
    assert collect(httpserver.url_for(""))[0].facts
    assert collector(httpserver.url_for("")).probe().ok


def test_the_day_and_its_length_are_asked_at_its_end(httpserver, answers):
    collect(httpserver.url_for(""), {"query": "sum(increase(x[$day])) / count_over_time(y[$day])"}, days=1)
    first, last = answers.asked[0].args, answers.asked[-1].args
    assert first["query"] == "sum(increase(x[86400s])) / count_over_time(y[86400s])"
    assert float(first["time"]) == TODAY.timestamp()
    assert last["query"] == "sum(increase(x[43200s])) / count_over_time(y[43200s])"
    assert float(last["time"]) == NOW.timestamp()


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_what_is_no_number_is_no_sample(httpserver, answers, value):
    answers.say = lambda request: vector(({}, value if float(request.args["time"]) == NOW.timestamp() else 1))
    (batch,) = collect(httpserver.url_for(""))
    assert [fact.final for fact in batch.facts] == [True, True, True]
    assert batch.covered.end == NOW


def test_a_partial_answer_leaves_its_day_uncovered_and_is_asked_again(httpserver, answers):
    broken = (TODAY - DAY).timestamp()

    def say(request):
        store_down = ["store 3 is unreachable"] if float(request.args["time"]) == broken else []
        return vector(({}, 1), warnings=store_down)

    answers.say = say
    (batch,) = collect(httpserver.url_for(""))
    assert [fact.key for fact in batch.facts] == ["2026-11-17", "2026-11-19", "2026-11-20"]
    assert TODAY - DAY - timedelta(seconds=1) not in batch.covered
    assert "store 3 is unreachable" in batch.problems[0]
    assert "2026-11-18" in batch.problems[0]

    answers.say = lambda request: vector(({}, 2))
    (again,) = collect(httpserver.url_for(""), cursor=batch.cursor)
    assert "2026-11-18" in [fact.key for fact in again.facts]
    assert "2026-11-17" not in [fact.key for fact in again.facts]


def test_a_remark_on_the_query_is_no_partial_answer(httpserver, answers):
    answers.say = lambda request: vector(({}, 1), warnings=["PromQL info: metric might not be a counter"])
    (batch,) = collect(httpserver.url_for(""))
    assert len(batch.facts) == 4
    assert not batch.problems


def test_a_native_histogram_says_what_to_write_instead(httpserver, answers):
    native = {"metric": {}, "histogram": [0, {"count": "5", "sum": "1", "buckets": []}]}
    body = {"status": "success", "data": {"resultType": "vector", "result": [native]}}
    answers.say = lambda request: Response(json.dumps(body), content_type="application/json")
    for query in ({"query": "x"}, {"histogram": "x_bucket"}):
        with pytest.raises(ConfigError, match="native histograms"):
            collect(httpserver.url_for(""), query)


def test_a_histogram_of_something_else_is_refused(httpserver, answers):
    answers.say = lambda request: vector(({}, 5))
    with pytest.raises(ConfigError, match="_bucket"):
        collect(httpserver.url_for(""), {"histogram": "requests_total"})
    answers.say = lambda request: vector(({"le": "0.5"}, 5))
    with pytest.raises(ConfigError, match="Inf"):
        collect(httpserver.url_for(""), {"histogram": 'x_bucket{le="0.5"}'})


def test_bounds_in_two_spellings_are_one_bound(httpserver, answers):
    answers.say = lambda request: vector(({"le": "1"}, 5), ({"le": "1.0"}, 2), ({"le": "+Inf"}, 9))
    (batch,) = collect(httpserver.url_for(""), {"histogram": "x_bucket"}, days=1)
    assert batch.facts[0].parts == {"1.0": 7.0, "+Inf": 9.0}
    assert batch.facts[0].n == 9.0


def test_a_refused_query_speaks_prometheus_words(httpserver, answers):
    answers.say = lambda request: refused(400, 'invalid parameter "query": 1:5: parse error: no')
    with pytest.raises(ConfigError, match="parse error: no"):
        collect(httpserver.url_for(""))


@pytest.mark.parametrize(("status", "words"), [(422, "too many samples"), (503, "query timed out")])
def test_a_failed_query_is_tried_again_next_time(httpserver, answers, status, words):
    answers.say = lambda request: refused(status, words, "execution")
    with pytest.raises(SourceError, match=words):
        collect(httpserver.url_for(""))


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_unauthorized(httpserver, answers, status):
    answers.say = lambda request: Response("no", status)
    with pytest.raises(Unauthorized, match=str(status)):
        collect(httpserver.url_for(""))
    found = collector(httpserver.url_for("")).probe()
    assert (found.reachable, found.authorised) == (True, False)


def test_too_many_requests_name_the_time_to_come_back(httpserver, answers):
    answers.say = lambda request: Response("slow down", 429, headers={"Retry-After": "900"})
    started = time.monotonic()
    with pytest.raises(RetryAt) as told:
        collect(httpserver.url_for(""))
    assert told.value.time == NOW + timedelta(seconds=900)
    assert time.monotonic() - started < 2
    assert len(answers.asked) == 1


def test_a_hanging_server_costs_one_timeout(httpserver, answers):
    answers.trouble("hang")
    started = time.monotonic()
    with pytest.raises(SourceError, match="did not answer in time"):
        collect(httpserver.url_for(""), timeout=0.5)
    assert time.monotonic() - started < 1.5


def test_a_gateway_that_recovers_is_not_noticed(httpserver, answers):
    answers.say = lambda request: Response("bad gateway", 502) if len(answers.asked) % 2 else vector(({}, 1))
    assert len(collect(httpserver.url_for(""))[0].facts) == 4


@pytest.mark.usefixtures("answers")
def test_nothing_listening_is_said_in_words():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{one.getsockname()[1]}"
    with pytest.raises(SourceError, match="refused the connection"):
        collect(url)


def test_the_batches_before_a_failure_are_handed_over(httpserver, answers):
    answers.say = lambda request: vector(({}, 1)) if len(answers.asked) <= 20 else Response("no", 500)
    one = collector(httpserver.url_for(""))
    (stream,) = one.streams([("samples", {"query": "x"})])
    arriving = one.collect(stream, TimeRange(NOW - 40 * DAY, NOW), None)
    assert len(next(arriving).facts) == 14
    with pytest.raises(SourceError):
        next(arriving)
    one.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://kr:hunter2@prom:9090",
        "prom:9090",
        "ftp://prom",
        "http://prom:9090/?token=hunter2",
        "http://prom:hunter2",
    ],
)
def test_an_unfit_url_is_refused_without_being_shown(url):
    with pytest.raises(ValidationError) as failed:
        PrometheusOptions(url=url)
    assert "hunter2" not in str(failed.value)


def test_only_one_login_is_taken():
    secret = {"env": "X"}
    with pytest.raises(ValidationError, match="either basic or bearer"):
        PrometheusOptions.model_validate(
            {"url": "http://prom", "bearer": secret, "basic": {"user": "kr", "password": secret}}
        )


def test_a_missing_authority_is_a_config_error(tmp_path):
    context = Context(source="prom", http=HttpDoor(), clock=lambda: NOW, calendar=Calendar(), base=tmp_path, memo={})
    one = Prometheus(PrometheusOptions(url="https://prom", ca="not-there.pem"), context)
    (stream,) = one.streams([("samples", {"query": "x"})])
    with pytest.raises(ConfigError, match=r"not-there\.pem"):
        list(one.collect(stream, TimeRange(TODAY, NOW), None))
