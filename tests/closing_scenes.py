"""A quarter of values recorded by hand, to be closed: numbers that can be checked in the head."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from keyresults.config.load import load
from keyresults.jobs.record import record
from keyresults.jobs.workspace import Workspace

BERLIN = ZoneInfo("Europe/Berlin")


def local(*parts):
    return datetime(*parts, tzinfo=BERLIN)


MIDWAY = local(2026, 11, 20, 12)
AFTER = local(2027, 1, 4, 9)
LATER = local(2027, 1, 11, 9)

CONFIG = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[teams.payments]
people = ["ana", "ben"]

[sources.people]
type = "manual"

[metrics.coverage]
source = "people"
measure = "sampled"
unit = "%"
better = "higher"
aggregate = "last"
window = "cycle"
max_age = "90d"

[metrics.p99]
source = "people"
measure = "sampled"
unit = "ms"
better = "lower"
aggregate = "last"
window = "cycle"
max_age = "90d"

[metrics.survey]
source = "people"
measure = "sampled"
unit = "points"
better = "higher"
aggregate = "last"
window = "cycle"
max_age = "20d"

[metrics.errors]
source = "people"
measure = "sampled"
unit = "%"
better = "lower"
aggregate = "last"
window = "cycle"
max_age = "90d"

[[objectives]]
id = "trust"
title = "Payments that merchants trust"
owner = "payments"
kind = "committed"
cycle = "2026-Q4"

  [[objectives.key_results]]
  id = "coverage"
  title = "Increase test coverage from 60% to 85%"
  owner = "ben"
  metric = "coverage"
  target = { from = "60%", to = "85%" }

  [[objectives.key_results]]
  id = "fast"
  title = "Halve the time of a payment"
  owner = "ana"
  metric = "p99"
  target = { from = "600ms", to = "300ms" }
  guardrails = [{ metric = "errors", at_most = "2%" }]
  revisions = [{ on = 2026-11-02, reason = "Traffic doubled", target = { from = "600ms", to = "450ms" } }]

  [[objectives.key_results]]
  id = "merchants"
  title = "Merchants give us 8 of 10 points"
  metric = "survey"
  target = { at_least = 8 }

[[objectives]]
id = "calm"
title = "Nights without calls"
kind = "aspirational"
cycle = "2026-Q4"

  [[objectives.key_results]]
  id = "errors"
  title = "Bring errors down from 5% to 1%"
  metric = "errors"
  target = { from = "5%", to = "1%" }

  [[objectives.key_results]]
  id = "gone"
  title = "Something nobody needs any more"
  metric = "coverage"
  target = { to = "90%" }
  revisions = [{ on = 2026-10-20, reason = "The team moved on", withdraw = true }]

  [[objectives.key_results]]
  id = "idea"
  title = "An idea for the next quarter"
  metric = "p99"
  target = { at_most = "200ms" }
  draft = true
"""

VALUES = (
    ("coverage", "62%", local(2026, 10, 1, 9)),
    ("coverage", "70%", local(2026, 11, 10, 9)),
    ("coverage", "80%", local(2026, 12, 20, 9)),
    ("p99", "600ms", local(2026, 10, 1, 9)),
    ("p99", "520ms", local(2026, 11, 10, 9)),
    ("p99", "450ms", local(2026, 12, 20, 9)),
    ("survey", "7.1 points", local(2026, 10, 15, 9)),
    ("errors", "4%", local(2026, 10, 1, 9)),
    ("errors", "2%", local(2026, 12, 20, 9)),
)
"""Coverage comes 20 of 25 points far: 0.80. The time of a payment comes to all of its 150 ms, and to half of the 300 ms
it began with; merchants were not asked again; errors come 3 of 4 points far: 0.75, which is 0.70 and more."""


def workspace(folder: Path, now: datetime, *, writing: bool = True) -> Workspace:
    return Workspace(load(folder / "keyresults.toml"), writing=writing, clock=lambda: now)


def write_scene(folder: Path, text: str = CONFIG) -> None:
    """The config and all values, each recorded when it was measured."""
    (folder / "keyresults.toml").write_text(text, encoding="utf-8")
    for metric, value, at in sorted(VALUES, key=lambda one: one[2]):
        note(folder, metric, value, at)


def note(folder: Path, metric: str, value: str, at: datetime, now: datetime | None = None) -> None:
    with workspace(folder, now or at) as one:
        record(one, metric, value, at=at, by="ana", evidence=None)
