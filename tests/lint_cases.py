"""A cycle of objectives to hold the rules of lint against."""

from __future__ import annotations

from keyresults.config.load import load
from keyresults.jobs.lint import lint_config, plan_of

HEAD = """\
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[sources.prometheus]
type = "prometheus"
url = "http://localhost:9090"

[sources.github]
type = "github"
repositories = ["acme/shop"]
token = { env = "GITHUB_TOKEN" }

[teams.payments]
people = ["ana"]

[teams.platform]
people = ["cho"]

[metrics.p99]
source = "prometheus"
query = "latency"
unit = "s"
better = "lower"
aggregate = "mean"
window = "7d"

[metrics.error-rate]
source = "prometheus"
query = "errors"
unit = "%"
better = "lower"
aggregate = "mean"
window = "7d"

[metrics.views]
source = "prometheus"
query = "views"
unit = "count"
better = "higher"
aggregate = "sum"
window = "7d"

[metrics.long]
source = "prometheus"
query = "long"
unit = "s"
better = "lower"
aggregate = "mean"
window = "35d"

[metrics.broken]
source = "prometheus"
query = "broken"
unit = "s"
better = "lower"
aggregate = "mean"
window = "10d"

[metrics.often]
source = "github"
measure = "deployment_frequency"
window = "28d"

[metrics.rollbacks]
source = "github"
measure = "rollback_rate"
window = "28d"
"""

ERRORS = '{ metric = "error-rate", at_most = "1%" }'


def key_result(
    id_="one", *, title="Reduce latency", metric="p99", target='{ change = "-30%" }', more=f"guardrails = [{ERRORS}]"
):
    return f"""
  [[objectives.key_results]]
  id = "{id_}"
  title = "{title}"
  metric = "{metric}"
  target = {target}
  {more}
"""


def fine(number):
    """A key result that no rule has anything to say about."""
    names = ["p99", "error-rate", "rollbacks", "often"]
    titles = ["Reduce latency", "Reduce errors", "Reduce rollbacks", "Increase frequency"]
    targets = ['{ change = "-30%" }', '{ change = "-30%" }', '{ below = "2%" }', '{ at_least = "1/day" }']
    return key_result(f"fine{number}", title=titles[number], metric=names[number], target=targets[number], more="")


def objective(*key_results, id_="o", title="Payments nobody waits for", more='owner = "payments"'):
    return f'\n[[objectives]]\nid = "{id_}"\ntitle = "{title}"\n{more}\n' + "".join(key_results)


def config(folder, *objectives):
    path = folder / "keyresults.toml"
    path.write_text(HEAD + "".join(objectives))
    return load(path)


def found(folder, *objectives, at):
    """What the rules find that need nothing but the config, as pairs of code and place."""
    findings = lint_config(config(folder, *objectives), at)
    return [(one.code, one.objective, one.key_result) for one in findings if one.ignored is None]


__all__ = ["ERRORS", "HEAD", "config", "fine", "found", "key_result", "objective", "plan_of"]
