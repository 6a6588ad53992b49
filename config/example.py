"""config.example.toml: the whole grammar on one page, its sources told by the collectors themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from ..collectors.contract import Collector
from .known_types import KnownTypes

_FRAME = """\
# An example of keyresults.toml that says everything that can be said. A config of your own needs far less:
# `keyresults init` writes one. This file is generated from keyresults itself (`make docs`), and loads as it stands.

[tracker]
timezone = "Europe/Berlin"                 # days, weeks and cycles begin at midnight here; default: UTC
store = "sqlite:///.keyresults/store.db"   # the default, beside this file; or a PostgreSQL server:
# store = { url = "postgresql+psycopg://keyresults@db.example.com/keyresults", password = { env = "STORE_PASSWORD" } }
cycle = "2026-Q4"                          # what `status` and `report` show when none is named
pace = { on_track = 0.10, at_risk = 0.25, needed_on_track = 1.5, needed_at_risk = 2.5 }   # when a status turns
forecast = true                            # an outlook on the deadline beside each status

# Years, halves, quarters and months need no table: 2026, 2026-H2, 2026-Q4, 2026-11. Other periods do.
[cycles.winter]
start = 2026-12-01
end = 2027-02-28                           # included

# Days on which nobody is expected to ship are never counted against anyone.
[calendar]
workdays = ["mon", "tue", "wed", "thu", "fri"]
holidays = [2026-12-25]
closed = [{ from = 2026-12-19, to = 2026-12-31, reason = "Change freeze" }]

# Once there are teams, every owner must be a team or a person of one.
[teams.payments]
people = ["ana", "ben"]
notify = ["chat"]

[teams.platform]
people = ["cho"]

# A service is a repository, unless one repository holds several.
[services.ledger]
repository = "acme/shop"
match = { environment = "ledger-production" }   # or workflow = "…", tag = "ledger-v*", payload = { service = "ledger" }
paths = ["services/ledger/**"]                  # the changes that are its own
"""

_SOURCES = """\
# ---- Sources ---------------------------------------------------------------------------------------------------------
# Where facts come from. Every source may also say:
#   every = "15m"         how often it is asked (default 1h); also at = "07:30", or cron = "30 7 * * 1-5"
#   since = 2026-07-01    never ask for anything older
#   reserve = "20%"       of the token's requests are kept for others
#   owner = "platform"    who is told when the source goes blind
# A secret never stands in this file. It is referred to, and read when the source is asked:
#   { env = "NAME" }, { file = "path" } or { command = ["gh", "auth", "token"] }
"""

_METRICS = """\
# ---- Metrics ---------------------------------------------------------------------------------------------------------
# What the facts say. Every metric may also say:
#   window = "28d"          the time a reading looks back over (default 28d); or "4w", or "cycle": since the start
#   min_samples = 5         with fewer, a reading moves no key result
#   min_covered = "98%"     the share of the window that must have been collected
#   max_age = "2d"          older data makes a reading stale
#   repositories = ["acme/payments"], services = ["ledger"]     only these; default: all of the source's
#   exclude = [{ from = 2026-12-03, to = 2026-12-04, reason = "The probe was broken" }]

[metrics.deploy-frequency]
source = "github"
measure = "deployment_frequency"
repositories = ["acme/payments"]
environment = "production"                 # the default; a glob may be given
task = "deploy"                            # the default
count = "first"                            # of a commit's deployments to several environments; or "last", "each"
per = "workday"                            # or "day"; need not be said where the target is per workday
duplicates_within = "10m"                  # the same commit again within this time is one deployment

[metrics.all-deploys]
source = "github"
measure = "deployment_frequency"
across = "sum"                             # several services in one frequency must say how; or "worst"
deployments = { workflow = "deploy.yml", branch = "main" }   # also tags = "v*", merges = "main", releases = true

[metrics.rollback-rate]
source = "github"
measure = "rollback_rate"
repositories = ["acme/payments"]
rollback = { rules = ["version_return"], mark = "between" }  # more rules: ancestor, marked, revert; mark = "newest"
settle = "24h"                             # younger deployments are not judged yet
min_samples = 5
exclude = [{ from = 2026-10-12, to = 2026-10-13, reason = "Moved to the new cluster" }]

[metrics.failures]
source = "github"
measure = "change_failure_rate"
hotfix = { labels = ["hotfix"], branches = ["hotfix/*"] }
failure_window = "24h"                     # an incident blames the newest deployment within this time before it
incidents = "tickets"                      # a second source, for the incidents; changes = "clone" for the changes
window = "cycle"

[metrics.lead-time]
source = "github"
measure = "lead_time_for_changes"
from = "merge"                             # or "first_commit"

[metrics.deploy-time]
source = "github"
measure = "deployment_duration"
quantile = 0.5                             # the median, which is the default

[metrics.ci-duration]
source = "github"
measure = "ci_duration"
workflow = "ci.yml"
branch = "main"                            # default: the default branch; "*": all
window = "14d"

[metrics.latency]                          # a query alone is sampled: one value for each finished day
source = "prometheus"
query = '''histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[$day])))'''
unit = "s"                                 # of the samples: "s", "ms", "%", "ratio", or any word
better = "lower"
aggregate = "median"                       # how its days become one: also mean, p90, sum, last, max, min
window = "7d"

[metrics.fast-days]
source = "prometheus"
query = '''max(avg_over_time(queue_seconds[$day]))'''
unit = "s"
aggregate = { share_within = { at_most = "450ms" } }   # the share of days within a limit

[metrics.line-coverage]
source = "coverage"
measure = "test_coverage"
kind = "line"                              # or branch, statement, combined

[metrics.coverage-service]                 # of the newest commit on the default branch that has a figure
source = "github"
measure = "test_coverage"
kind = "line"
figures = { status = "codecov/project" }   # also { check = "…" }, or { artifact = "reports", files = ["coverage.xml"] }

[metrics.tests-passing]
source = "tests"
measure = "test_pass_rate"

[metrics.engagement]
source = "people"
measure = "sampled"
unit = "%"
aggregate = "last"
max_age = "14d"
"""

_OBJECTIVES = """\
# ---- Objectives ------------------------------------------------------------------------------------------------------
# What is wanted, and how we know. A target is one of
#   { from = "60%", to = "85%" }    or { to = "85%" }, from the measured baseline
#   { change = "-30%" }             of the baseline; "+5pp" are percentage points, "-200ms" is a difference
#   { at_most = "450ms" }           or below, at_least, above
#   { keep = { at_most = "450ms" }, share = "95%" }    day by day, on this share of days; or keep = { between = […] }
# Amounts carry their unit: "85%", "+5pp", "300ms", "2h", "3/week", "1/workday"; plain numbers are in the metric's own.

[[objectives]]
id = "dependable"
title = "Payments that customers can rely on"
owner = "payments"
teams = ["payments", "platform"]
kind = "aspirational"                      # 70 % is a success; "committed", the default, needs all of it
cycle = "2026-Q4"                          # must be said once two cycles are in use

  [[objectives.key_results]]
  id = "latency"
  title = "Bring the slowest percent of payments down by a third"
  owner = "ana"
  metric = "latency"
  target = { change = "-33%" }
  baseline_window = "28d"                  # what the baseline is measured over, before the start
  initiatives = ["https://github.com/acme/payments/milestone/7"]
  guardrails = [{ metric = "rollback-rate", at_most = "5%" }]   # must hold meanwhile

  [[objectives.key_results]]
  id = "coverage"
  title = "Raise line coverage from 60 % to 85 %"
  owner = "ben"
  metric = "line-coverage"
  target = { from = "60%", to = "85%" }
  plan = [{ on = 2026-11-15, progress = "40%" }]   # where a straight line is not what you expect
  weight = 0.5                             # its part in the objective's progress; default 1

  [[objectives.key_results]]
  id = "fast-enough"
  title = "Stay below 450 ms on 95 % of days"
  owner = "payments"
  metric = "latency"
  target = { keep = { at_most = "450ms" }, share = "95%" }
  ignore = [{ code = "KR104", reason = "The error rate has an SLO of its own" }]   # a lint rule that doesn't hold here

[[objectives]]
id = "delivery"
title = "Changes reach production quickly and quietly"
owner = "platform"
cycle = "2026-Q4"
parent = "dependable"                      # the objective this one serves

  [[objectives.key_results]]
  id = "daily"
  title = "Deploy on every workday"
  owner = "platform"
  metric = "deploy-frequency"
  target = { at_least = "1/workday" }
  guardrails = [{ metric = "rollback-rate", at_most = "5%" }]

  [[objectives.key_results]]
  id = "rollbacks"
  title = "Fewer than 1 % of deployments are rolled back"
  owner = "platform"
  metric = "rollback-rate"
  start = 2026-10-15                       # default: the cycle's first and last day
  deadline = 2026-12-15
  baseline = "4.2%"                        # a number, or "measured", the default
  target = { below = "1%" }
  # A change of course is added, never edited in: another target, plan, weight, metric or deadline, or withdraw = true.
  revisions = [{ on = 2026-11-02, reason = "Two services joined the pipeline", target = { below = "2%" } }]

  [[objectives.key_results]]
  id = "flow"
  title = "From merge to production within two hours"
  owner = "cho"
  metric = "lead-time"
  target = { to = "2h" }
  accept = ["partial"]                     # readings with gaps move it too
  draft = true                             # measured, not judged
  forecast = false
  was = "lead-time"                        # the id it had before
"""

_TELLING = """\
# ---- Telling people --------------------------------------------------------------------------------------------------

[reports.weekly]
at = "monday 09:00"                        # or cron = "0 9 * * 1"
formats = ["markdown", "json"]             # also terminal, html
directory = "reports"
notify = ["chat"]

[checkins]
every = "2 weeks"                          # counted from the first day of the cycle
on = "friday 10:00"                        # then people are reminded, and keyresults checkin --due lists them

[notify.chat]
url = { env = "CHAT_URL" }                 # by reference: whoever has it can write there
tell = ["report", "status", "blind", "checkin"]

[daemon]
listen = "127.0.0.1:9464"
backup = { every = "1d", directory = "backups", keep = 7 }
keep_runs = "90d"
# keep_said = "90d"                        of days longer ago, only what was said last on each; default: all of it
"""


def example_config(registry: Mapping[str, type[Collector]] | None = None) -> str:
    """The text of config.example.toml. `registry` holds the collectors by type word; None: all there are."""
    types = KnownTypes() if registry is None else registry
    samples = [types[word].sample_config.strip() + "\n" for word in types]
    text = "\n".join([_FRAME, _SOURCES, *samples, _METRICS, _OBJECTIVES, _TELLING])
    tomllib.loads(text)
    return text
