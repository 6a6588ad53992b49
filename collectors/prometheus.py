"""Prometheus: one value, or one histogram, per local day."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from ..metrics.facts import FactKind
from ..metrics.ranges import TimeRange
from ..metrics.stream import Batch, Json, Stream
from .contract import CollectorError, ConfigError, Context, FactQuery, ProbeResult, SourceOptions, Unauthorized
from .prometheus_collection import Collection
from .prometheus_days import AskedDays
from .prometheus_options import PrometheusOptions
from .prometheus_queries import SamplesQuery
from .prometheus_results import read_series
from .redaction import without

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from .prometheus_api import Answer, PrometheusApi

TIMEZONE = "timezone"
"""Key of a stream's query that keeps the zone its days are cut in: another zone makes another stream."""

RETENTION = timedelta(days=15)
"""How long Prometheus keeps samples unless told otherwise."""

PROBE = (
    'label_replace(count(up == 1), "what", "targets", "", "") or '
    'label_replace(min(prometheus_tsdb_lowest_timestamp_seconds), "what", "since", "", "")'
)


class Prometheus:
    """One value, or one histogram, per local day, by one instant query at the day's end; the open day so far as well.

    In a query, `$day` becomes the length of the day asked about: `86400s`, `90000s` and `82800s` on days
    of a clock change, the time so far on the open day. A query with a fixed range such as `[1d]` cuts days wrongly.

    A finished day is final once it has been collected; the newest one is asked again throughout the day after it,
    for samples that arrive late. NaN, infinities and empty answers are no sample, never 0: a quantile over no
    requests says nothing. An answer with warnings is partial: its day stays uncovered and is asked again.

    Prometheus keeps 15 days unless told otherwise. Empty days before the first sample it still knows are not
    covered, so what it has forgotten is never read as silence.

    Where the query gives several series, say `by` and one of `select` and `across`. A quantile of quantiles
    is none: to have a p99 over a window, use `histogram`, whose buckets are stored and merged day by day.
    Native histograms are put into a number by the query itself, such as `histogram_quantile(0.99, …)`.
    """

    type: ClassVar[str] = "prometheus"
    Options: ClassVar[builtins.type[SourceOptions]] = PrometheusOptions
    Queries: ClassVar[Mapping[FactKind, builtins.type[FactQuery]]] = {"samples": SamplesQuery}
    sample_config: ClassVar[str] = """\
[sources.prometheus]
type = "prometheus"
url = "http://localhost:9090"
# basic = { user = "keyresults", password = { env = "PROMETHEUS_PASSWORD" } }
# bearer = { env = "PROMETHEUS_TOKEN" }
# ca = "private-ca.pem"
every = "5m"

[metrics.p99-payments]                     # exact over the whole window, whatever its length
source = "prometheus"
histogram = 'http_request_duration_seconds_bucket{service="payments"}'
quantile = 0.99
unit = "s"
window = "7d"

[metrics.slowest-queue]                    # one value per day, by any query
source = "prometheus"
query = '''max by (queue) (avg_over_time(queue_wait_seconds[$day]))'''
by = "queue"
across = "max"
count = '''sum by (queue) (increase(queue_items_total[$day]))'''
min_count = 1000
unit = "s"
better = "lower"
aggregate = "median"
window = "7d"
"""

    def __init__(self, options: PrometheusOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._api: PrometheusApi | None = None

    @classmethod
    def keeps(cls, stream: Stream) -> timedelta | None:
        """A server may be told to keep more, or less."""
        return RETENTION

    def probe(self) -> ProbeResult:
        """Asks for the number of targets and the oldest sample the server knows of itself."""
        try:
            answer = self._ask(PROBE, self._context.clock())
            told = {series.labels.get("what"): series.value for series in read_series(answer.result)}
        except Unauthorized as error:
            return ProbeResult(reachable=True, authorised=False, detail=str(error))
        except CollectorError as error:
            return ProbeResult(reachable=False, authorised=False, detail=str(error))
        since = told.get("since")
        return ProbeResult(
            reachable=True,
            authorised=True,
            detail=f"answers queries; {told.get('targets', 0):g} targets are up",
            since=None if since is None else datetime.fromtimestamp(since, UTC),
        )

    def streams(self, queries: Sequence[tuple[FactKind, Json]]) -> list[Stream]:
        """One stream for each query; no network."""
        return list(dict.fromkeys(self._stream(kind, asked) for kind, asked in queries))

    def collect(self, stream: Stream, window: TimeRange, cursor: Json | None) -> Iterator[Batch]:
        """Whole days that the window touches, oldest first, and the open day up to now."""
        asked = {key: value for key, value in stream.query.items() if key != TIMEZONE}
        query = SamplesQuery.model_validate(asked)
        today = self._context.calendar.day_of(self._context.clock())
        yield from Collection(
            query=query,
            ask=self._ask,
            subject=stream.subject,
            calendar=self._context.calendar,
            now=self._context.clock(),
            days=AskedDays.read(cursor, today),
        ).batches(window)

    def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None

    def _stream(self, kind: FactKind, asked: Json) -> Stream:
        if kind not in self.Queries:
            raise ConfigError(f"Prometheus tells of samples only, not of {kind}")
        # Defaults are left out, so that a later release's new key changes no stream's identity.
        query = SamplesQuery.model_validate(asked).model_dump(mode="json", exclude_defaults=True)
        zone = self._context.calendar.timezone
        return Stream(self._context.source, kind, self._context.source, {**query, TIMEZONE: zone})

    def _ask(self, promql: str, at: datetime) -> Answer:
        if self._api is None:
            self._api = self._connect()
        return self._api.ask(promql, at)

    def _connect(self) -> PrometheusApi:
        from .prometheus_api import PrometheusApi

        options, door = self._options, self._context.http
        ca = None if options.ca is None else self._context.base / options.ca.expanduser()
        if ca is not None and not ca.is_file():
            raise ConfigError(f"the certificate authority's file {options.ca} is not there")
        timeout = options.timeout or door.timeout
        auth, clean = self._login()
        session = door.session(ca=ca, auth=auth, timeout=timeout)
        return PrometheusApi(options.url, session, door, timeout, self._context.clock, clean)

    def _login(self) -> tuple[AuthBase | None, Callable[[str], str]]:
        """What is sent as the credential, and what takes it out of the server's words."""
        from .http import Basic, Bearer

        basic, bearer = self._options.basic, self._options.bearer
        if basic is not None:
            password = basic.password.resolve(self._context.base)
            return Basic(basic.user, password), partial(without, secrets=(password,), user=basic.user)
        if bearer is not None:
            token = bearer.resolve(self._context.base)
            return Bearer(token), partial(without, secrets=(token,))
        return None, partial(without, secrets=())
