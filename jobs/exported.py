"""What the daemon tells monitoring: every name, what it means, and which labels it has.

Missing numbers are absent. Instants are seconds since 1970 UTC, shares are fractions, readings and targets are in
the base of their unit. No label holds anything but names of the config, words of ours, and digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Exported:
    """`name` is without the `_total` that a counter ends with."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    counter: bool = False

    @property
    def shown(self) -> str:
        """The name under which Prometheus stores it."""
        return f"{self.name}_total" if self.counter else self.name


Point = tuple[Exported, tuple[str, ...], float | None]
"""What is exported, the values of its labels, and the number; None where there is none."""

KEY_RESULT = ("cycle", "objective", "key_result")
STREAM = ("source", "stream")
QUOTA = ("credential", "resource")

PROGRESS = Exported("keyresults_key_result_progress_ratio", "Progress as it is shown, 0 to 1.", KEY_RESULT)
RAW_PROGRESS = Exported(
    "keyresults_key_result_raw_progress_ratio",
    "Progress neither cut nor clamped: below 0 it went the wrong way, above 1 beyond the target.",
    KEY_RESULT,
)
EXPECTED = Exported("keyresults_key_result_expected_ratio", "The progress that the plan wants by now.", KEY_RESULT)
STATUS = Exported(
    "keyresults_key_result_status", "1 for the status the key result has, 0 for the others.", (*KEY_RESULT, "status")
)
READING = Exported(
    "keyresults_key_result_reading", "The newest reading, in the base of its unit.", (*KEY_RESULT, "unit")
)
TARGET = Exported(
    "keyresults_key_result_target",
    "The value that the target asks for, in the base of its unit.",
    (*KEY_RESULT, "unit"),
)
PROBABILITY = Exported(
    "keyresults_key_result_forecast_probability_ratio",
    "The chance that the target is satisfied at the deadline, by the forecast.",
    KEY_RESULT,
)
AGE = Exported(
    "keyresults_key_result_data_age_seconds",
    "How old the newest data behind the reading is; absent where none of its window was collected.",
    KEY_RESULT,
)
MAX_AGE = Exported(
    "keyresults_key_result_max_age_seconds", "How old that data may be before the reading is stale.", KEY_RESULT
)
OBJECTIVE_PROGRESS = Exported(
    "keyresults_objective_progress_ratio", "Progress of the objective, 0 to 1.", ("cycle", "objective")
)
EVALUATED = Exported(
    "keyresults_evaluation_timestamp_seconds",
    "When the cycle was last evaluated, which all the above is of.",
    ("cycle",),
)

STREAM_AGE = Exported(
    "keyresults_stream_data_age_seconds", "Time since the newest instant that was collected of the stream.", STREAM
)
STREAM_MAX_AGE = Exported(
    "keyresults_stream_max_age_seconds", "How old it may be for the most impatient metric that rests on it.", STREAM
)
UNCOVERED = Exported(
    "keyresults_stream_uncovered_seconds",
    "Time that metrics need and that was not collected, up to the newest collected instant.",
    STREAM,
)
STREAM_SUCCESS = Exported(
    "keyresults_stream_last_success_timestamp_seconds", "When the stream was last collected without an error.", STREAM
)
OUTCOME = Exported(
    "keyresults_source_last_run_outcome",
    "1 for the worst outcome among the newest runs of the source's streams, 0 for the others.",
    ("source", "outcome"),
)
FAILURES = Exported(
    "keyresults_source_consecutive_failures", "How many collections of the source in a row have failed.", ("source",)
)
REQUESTS = Exported(
    "keyresults_source_requests",
    "Requests made for the source by any process on the store, in collections that began after this was first asked.",
    ("source",),
    counter=True,
)
QUOTA_LIMIT = Exported("keyresults_quota_limit_requests", "Requests that the credential may make in a window.", QUOTA)
QUOTA_LEFT = Exported("keyresults_quota_remaining_requests", "Requests of the window that are left.", QUOTA)
QUOTA_RESET = Exported("keyresults_quota_reset_timestamp_seconds", "When the window ends.", QUOTA)

JOB_SECONDS = Exported(
    "keyresults_job_last_duration_seconds", "How long the job's newest finished run took.", ("name",)
)
JOB_SUCCESS = Exported(
    "keyresults_job_last_success_timestamp_seconds",
    "When the newest run of the job that went well ended.",
    ("name",),
)
JOB_FAILURES = Exported(
    "keyresults_job_consecutive_failures", "How many runs of the job in a row have failed.", ("name",)
)
JOB_DUE = Exported("keyresults_job_next_due_timestamp_seconds", "When the job is due next.", ("name",))
NOTICES = Exported("keyresults_notices_waiting", "Notices that wait to be delivered to the channel.", ("channel",))
NOTICES_AGE = Exported(
    "keyresults_notices_oldest_waiting_seconds", "How long the oldest of them has waited.", ("channel",)
)

READY = Exported("keyresults_ready", "1 once all was evaluated since the daemon began, else 0.")
BEAT = Exported(
    "keyresults_scheduler_beat_age_seconds", "Time since the scheduler last looked at what is due; healthy below 120."
)
CONFIG_OK = Exported("keyresults_config_ok", "0 where the config was changed to one that can't be used, else 1.")
STORE_UP = Exported("keyresults_store_up", "1 where the store could be read for this answer, else 0.")
BUILD = Exported("keyresults_build_info", "Always 1; the labels say which release runs.", ("version", "python"))

CATALOGUE = (
    PROGRESS, RAW_PROGRESS, EXPECTED, STATUS, READING, TARGET, PROBABILITY, AGE, MAX_AGE, OBJECTIVE_PROGRESS, EVALUATED,
    STREAM_AGE, STREAM_MAX_AGE, UNCOVERED, STREAM_SUCCESS, OUTCOME, FAILURES, REQUESTS, QUOTA_LIMIT, QUOTA_LEFT,
    QUOTA_RESET, JOB_SECONDS, JOB_SUCCESS, JOB_FAILURES, JOB_DUE, NOTICES, NOTICES_AGE, READY, BEAT, CONFIG_OK,
    STORE_UP, BUILD,
)  # fmt: skip
"""Everything, in the order it is told."""


def seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def since_1970(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
