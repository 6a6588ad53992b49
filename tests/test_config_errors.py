"""Broken configs: one message each, at the place where the mistake is."""

import re
from pathlib import Path

import config_cases
import pytest
from keyresults.config.load import load
from keyresults.config.problem import ConfigProblems

BASE = f"""\
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"

[teams.payments]
people = ["ana"]

{config_cases.SOURCES}
[metrics.latency]
source = "prometheus"
query = "up"
unit = "ms"

[metrics.line-coverage]
source = "coverage"
measure = "test_coverage"

[metrics.deploys]
source = "repo"
measure = "deployment_frequency"

[[objectives]]
id = "fast"
title = "Fast"

  [[objectives.key_results]]
  id = "latency"
  title = "Latency"
  metric = "latency"
  target = {{ at_most = "450ms" }}

  [[objectives.key_results]]
  id = "coverage"
  title = "Coverage"
  metric = "line-coverage"
  target = {{ from = "60%", to = "85%" }}
"""
"""A config without a mistake. Each case changes one piece of it; ¦ marks where the message must point to."""

LATENCY = "objectives[fast].key_results[latency]"
COVERAGE = "objectives[fast].key_results[coverage]"
REFERENCES = '{ env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }'
OPTIONS = "better, exclude, kind, max_age, measure, min_covered, min_samples, repositories, services, source, window"

CASES = {
    "an unknown table": (
        "[sources.coverage]",
        "[¦source.coverage]",
        'source: unknown key; did you mean "sources"? Known: calendar, checkins, cycles, daemon, metrics, notify, '
        "objectives, reports, services, sources, teams, tracker",
        "metrics.line-coverage.source: there is no [sources.coverage]; known: prometheus, repo",
    ),
    "an unknown key": (
        "timezone = ",
        '¦timezon = "UTC"\ntimezone = ',
        'tracker.timezon: unknown key; did you mean "timezone"? Known: cycle, forecast, pace, store, timezone',
    ),
    "an unknown time zone": (
        'timezone = "Europe/Berlin"',
        '¦timezone = "Europe/Berln"',
        'tracker.timezone: is no IANA time zone, such as "Europe/Berlin"; did you mean "Europe/Berlin"?',
    ),
    "a cycle nobody knows": (
        'cycle = "2026-Q4"',
        '¦cycle = "2026-Q5"',
        "tracker.cycle: there is no such cycle: a name like 2026-Q4 says its days, another needs a [cycles] table",
    ),
    "no cycle at all": (
        'cycle = "2026-Q4"\n',
        "",
        'tracker: no cycle is named: write cycle = "2026-Q4" under [tracker]',
    ),
    "a second cycle in use": (
        '[[objectives]]\nid = "fast"',
        '[[objectives]]\nid = "later"\ntitle = "Later"\ncycle = "2027-Q1"\n\n[[¦objectives]]\nid = "fast"',
        'objectives[fast]: cycle is missing: more than one is in use, so write cycle = "2026-Q4"',
    ),
    "an unknown collector": (
        'type = "coverage"',
        '¦type = "coverag"',
        'sources.coverage.type: no collector has this type; did you mean "coverage"? '
        "Known: coverage, file, git, github, junit, manual, prometheus",
    ),
    "a list that is none": (
        'files = ["coverage.xml"]',
        '¦files = "coverage.xml"',
        "sources.coverage.files: must be a list: [ … ], not text",
    ),
    "an option of a collector that is missing": (
        '[sources.coverage]\ntype = "coverage"\nfiles = ["coverage.xml"]',
        '[sources.¦coverage]\ntype = "coverage"',
        "sources.coverage: files is missing: Files or patterns, relative to the config file. "
        "Every one must match, or there is no figure.",
    ),
    "two schedules": (
        'type = "coverage"',
        'type = "coverage"\nevery = "1h"\n¦at = "06:00"\nowner = "anna"',
        "sources.coverage.at: say only one of every, at and cron",
        'sources.coverage.owner: "anna" is no team of [teams] and no person of one; did you mean "ana"?',
    ),
    "a length of time that is none": (
        'type = "coverage"',
        'type = "coverage"\n¦every = "15x"',
        'sources.coverage.every: \'15x\' is no length of time: write "15m", "24h", "2d" or "2 weeks"',
    ),
    "a cron line that never comes": (
        'type = "coverage"',
        'type = "coverage"\n¦cron = "0 0 31 2 *"',
        "sources.coverage.cron: '0 0 31 2 *' never comes",
    ),
    "an owner nobody knows": (
        'title = "Fast"',
        'title = "Fast"\n¦owner = "anna"',
        'objectives[fast].owner: "anna" is no team of [teams] and no person of one; did you mean "ana"?',
    ),
    "a measure nobody knows": (
        'measure = "test_coverage"',
        '¦measure = "test_covrage"',
        re.compile(
            r'metrics\.line-coverage\.measure: there is no such measure; did you mean "test_coverage"\? Known: '
        ),
    ),
    "a source nobody knows": (
        'source = "coverage"',
        '¦source = "coverag"',
        'metrics.line-coverage.source: there is no [sources.coverag]; did you mean "coverage"? '
        "Known: prometheus, coverage, repo",
    ),
    "facts the source doesn't tell": (
        'measure = "test_coverage"',
        'measure = "ci_duration"',
        "metrics.line-coverage.source: ci_duration needs runs; a source of type coverage tells samples",
    ),
    "a measure that test files can't serve": (
        'type = "coverage"\nfiles = ["coverage.xml"]',
        'type = "junit"\nfiles = ["junit.xml"]',
        "metrics.line-coverage.measure: a source of type junit has nothing for test_coverage; "
        "it serves test_pass_rate, test_count",
    ),
    "a measure that coverage files can't serve": (
        'measure = "test_coverage"',
        '¦measure = "test_pass_rate"',
        "metrics.line-coverage.measure: a source of type coverage has nothing for test_pass_rate; "
        "it serves test_coverage",
    ),
    "coverage files sampled": (
        'measure = "test_coverage"',
        '¦measure = "sampled"',
        "metrics.line-coverage.measure: a source of type coverage has nothing for sampled; it serves test_coverage",
    ),
    "a measure that recorded values can't serve": (
        'type = "coverage"\nfiles = ["coverage.xml"]',
        'type = "manual"',
        "metrics.line-coverage.measure: a source of type manual has nothing for test_coverage; it serves sampled",
    ),
    "a measure that Prometheus can't serve": (
        'query = "up"\nunit = "ms"',
        'query = "up"\n¦measure = "test_coverage"',
        "metrics.latency.measure: a source of type prometheus has nothing for test_coverage; "
        "it serves sampled, histogram_quantile",
    ),
    "a query as a histogram": (
        'query = "up"\nunit = "ms"',
        'query = "up"\n¦measure = "histogram_quantile"',
        "metrics.latency.measure: a query has nothing for histogram_quantile; it serves sampled",
    ),
    "facts that the file's options leave out": (
        'type = "git"\ndeployments = { tags = "v*" }',
        'type = "file"\nfiles = ["x.csv"]\nfacts = "samples"',
        'metrics.deploys.source: deployment_frequency needs deployments; the source "repo" tells samples',
    ),
    "reverts that the file's options leave out": (
        'type = "git"\ndeployments = { tags = "v*" }\n\n[metrics.latency]',
        'type = "file"\nfiles = ["x.csv"]\nfacts = "deployments"\n\n[metrics.reverts]\n¦source = "repo"\n'
        'measure = "rollback_rate"\nrollback = { rules = ["revert"] }\n\n[metrics.latency]',
        'metrics.reverts.source: rollback_rate needs changes; the source "repo" tells deployments',
    ),
    "an option the measure doesn't take": (
        'measure = "test_coverage"',
        'measure = "test_coverage"\n¦quantile = 0.9',
        f"metrics.line-coverage.quantile: test_coverage of such a source takes no quantile; it takes {OPTIONS}",
    ),
    "an option nobody takes": (
        'measure = "test_coverage"',
        'measure = "test_coverage"\n¦wnidow = "28d"',
        f'metrics.line-coverage.wnidow: unknown key; did you mean "window"? Known: {OPTIONS}',
    ),
    "a choice that is none": (
        'measure = "test_coverage"',
        'measure = "test_coverage"\n¦kind = "lines"',
        'metrics.line-coverage.kind: "lines" is none of line, branch, statement, combined; did you mean "line"?',
    ),
    "a window without a unit": (
        'measure = "test_coverage"',
        'measure = "test_coverage"\n¦window = "28"',
        'metrics.line-coverage.window: \'28\' is no window: write whole days ("28d"), weeks ("4w") or "cycle"',
    ),
    "an aggregate that is none": (
        'unit = "ms"',
        'unit = "ms"\n¦aggregate = "medan"',
        'metrics.latency.aggregate: there is no such aggregate; did you mean "median"? '
        "Known: last, mean, median, min, max, sum, p90, { share_within = … }",
    ),
    "a frequency over several services": (
        '[metrics.deploys]\nsource = "repo"',
        '[metrics.¦deploys]\nsource = "repo"\nrepositories = ["a", "b"]',
        'metrics.deploys: several services in one frequency: add across = "sum" or across = "worst"',
    ),
    "a metric nobody defines": (
        'metric = "latency"',
        '¦metric = "latncy"',
        f'{LATENCY}.metric: there is no [metrics.latncy]; did you mean "latency"? '
        "Known: latency, line-coverage, deploys",
    ),
    "a target that goes nowhere": (
        '{ from = "60%", to = "85%" }',
        '{ from = "85%", to = 0.85 }',
        f"{COVERAGE}.target: from and to are the same (0.85): there is nothing to reach",
    ),
    "a unit that doesn't fit": (
        'at_most = "450ms"',
        '¦at_most = "450%"',
        f"{LATENCY}.target.at_most: '450%' doesn't fit a metric in seconds (s, ms, min, h, d)",
    ),
    "a bare percentage": (
        'to = "85%"',
        "¦to = 85",
        f'{COVERAGE}.target.to: 85 on a ratio: write "85%", or a fraction between 0 and 1',
    ),
    "true as an amount": ('to = "85%"', "¦to = true", f"{COVERAGE}.target.to: a true/false value is no amount"),
    "nan as an amount": ('to = "85%"', "¦to = nan", f"{COVERAGE}.target.to: nan is no amount to compare with"),
    "infinity as an amount": ('to = "85%"', "¦to = -inf", f"{COVERAGE}.target.to: -inf is no amount to compare with"),
    "a change that is neither relative nor a difference": (
        '{ from = "60%", to = "85%" }',
        "{ ¦change = 0.3 }",
        f'{COVERAGE}.target.change: 0.3 is unclear: write "-30%" for a relative change, "+5pp" for points',
    ),
    "two targets in one": (
        '{ at_most = "450ms" }',
        '{ at_most = "450ms", ¦below = "1s" }',
        f'{LATENCY}.target.below: write one of {{ from = "60%", to = "85%" }}, {{ to = … }}, {{ change = "-30%" }}, '
        "{ at_most | below | at_least | above = … }, { keep = { … }, share = … }",
    ),
    "columns that the facts don't have": (
        'type = "git"\ndeployments = { tags = "v*" }',
        'type = "file"\nfiles = ["x.csv"]\nfacts = "deployments"\n'
        'columns = { commit = "sha", ¦statsu = "result" }\nvalues = { at = { a = "b" }, tim = { a = "b" } }',
        "sources.repo.columns.statsu: deployments have no 'statsu'; did you mean 'status'?",
        re.compile(r"sources\.repo\.values\.tim: deployments have no 'tim'; "),
    ),
    "two logins": (
        'url = "http://localhost:9090"',
        'url = "http://localhost:9090"\nbasic = { user = "kr", password = { env = "KR" } }\n¦bearer = { env = "KR" }',
        "sources.prometheus.bearer: write either basic or bearer, not both",
    ),
    "two credentials": (
        'type = "git"\ndeployments = { tags = "v*" }',
        'type = "github"\nrepositories = ["acme/shop"]\ntoken = { env = "KR" }\n'
        '¦app = { id = 1, installation = 2, key = { env = "KR" } }',
        'sources.repo.app: say one of token = { env = "NAME" } and app = { id, installation, key }',
    ),
    "two kinds of deployment": (
        '{ tags = "v*" }',
        '{ tags = "v*", ¦merges = "main" }',
        'sources.repo.deployments.merges: say one of tags = "v*" and merges = "main"',
    ),
    "a choice among series without their label": (
        'query = "up"',
        'query = "up"\n¦across = "max"',
        "metrics.latency.across: `select` and `across` need `by`, the label that tells the series apart",
    ),
    "an exclusion the wrong way round": (
        'unit = "ms"',
        'unit = "ms"\nexclude = [{ from = 2026-11-02, ¦to = 2026-11-01, reason = "R" }]',
        "metrics.latency.exclude[1].to: ends (2026-11-01) before it starts (2026-11-02)",
    ),
    "a cycle the wrong way round": (
        "[teams.payments]",
        "[cycles.winter]\nstart = 2026-12-01\n¦end = 2026-11-30\n\n[teams.payments]",
        "cycles.winter.end: the cycle ends (2026-11-30) before it starts (2026-12-01)",
    ),
    "a pace the wrong way round": (
        "[teams.payments]",
        "[tracker.pace]\n¦on_track = 0.5\n\n[teams.payments]",
        "tracker.pace.on_track: on_track can't be wider than at_risk",
    ),
    "a range the wrong way round": (
        '{ at_most = "450ms" }',
        '{ keep = { ¦between = ["2s", "450ms"] } }',
        f"{LATENCY}.target.keep.between: the first end must be the smaller one",
    ),
    "two frequencies that disagree": (
        '  metric = "line-coverage"\n  target = { from = "60%", to = "85%" }',
        '  metric = "line-coverage"\n  target = { to = "85%" }\n'
        '  guardrails = [{ metric = "deploys", at_least = "1/workday" }, { metric = "deploys", ¦at_most = "9/week" }]',
        f'{COVERAGE}.guardrails[2].at_most: "9/week" (of coverage) and "1/workday" (of coverage) divide deploys by '
        "different days: say both per workday or both per day, or make two metrics of it",
        f"{COVERAGE}.guardrails[2].at_most: '9/week' doesn't fit a metric in per workday (/workday)",
    ),
    "a deadline before the start": (
        'title = "Latency"',
        'title = "Latency"\n  ¦deadline = 2026-09-30',
        f"{LATENCY}.deadline: it ends (2026-09-30) before it starts (2026-10-01)",
    ),
    "a day in quotes": (
        'title = "Latency"',
        'title = "Latency"\n  ¦start = "2026-10-15"',
        f"{LATENCY}.start: must be a day without quotes or time, such as 2026-10-15",
    ),
    "an id that is taken": (
        'id = "coverage"',
        '¦id = "latency"',
        f'{LATENCY}.id: "latency" is the id of another key result of the same cycle already',
    ),
    "a title that is missing": (
        '  [[objectives.key_results]]\n  id = "latency"\n  title = "Latency"',
        '  [[objectives.¦key_results]]\n  id = "latency"',
        f"{LATENCY}: title is missing: what it says to people, in one line",
    ),
    "a revision without a reason": (
        'title = "Latency"',
        'title = "Latency"\n  revisions = [¦{ on = 2026-11-02, target = { at_most = "1s" } }]',
        f"{LATENCY}.revisions[1]: reason is missing: Why the course changed.",
    ),
    "a revision before the key result's time": (
        'title = "Latency"',
        'title = "Latency"\n  start = 2026-11-03\n  revisions = [{ ¦on = 2026-11-02, reason = "R", weight = 2 }]',
        f"{LATENCY}.revisions[1].on: 2026-11-02 is outside the key result's time, 2026-11-03 to 2026-12-31",
    ),
    "a revision after the deadline": (
        'title = "Latency"',
        'title = "Latency"\n  revisions = [{ on = 2026-11-02, reason = "R", deadline = 2026-11-30 }, '
        '{ ¦on = 2026-12-01, reason = "R", weight = 2 }]',
        f"{LATENCY}.revisions[2].on: 2026-12-01 is outside the key result's time, 2026-10-01 to 2026-11-30",
    ),
    "a revised deadline that was over by then": (
        'title = "Latency"',
        'title = "Latency"\n  revisions = [{ on = 2026-11-02, reason = "R", ¦deadline = 2026-11-01 }]',
        f"{LATENCY}.revisions[1].deadline: 2026-11-01 is before the revision's own day, 2026-11-02",
    ),
    "a parent nobody knows": (
        'id = "fast"',
        'id = "fast"\n¦parent = "fasd"',
        'objectives[fast].parent: there is no objective "fasd"; known: none',
    ),
    "a literal secret": (
        'url = "http://localhost:9090"',
        'url = "http://localhost:9090"\n¦bearer = "hunter2"',
        f"sources.prometheus.bearer: a secret is never written into the file: {REFERENCES}",
    ),
    "a password in an address": (
        'url = "http://localhost:9090"',
        '¦url = "http://kr:hunter2@localhost:9090"',
        f"sources.prometheus.url: a password or token is written here: take it out, and give it by reference: "
        f"{REFERENCES}",
    ),
    "a database that keeps no store": (
        "[tracker]",
        '[tracker]\n¦store = "mysql://db/kr"',
        'tracker.store: is no address of a store: write "sqlite:///.keyresults/store.db"',
    ),
    "a password in the store's address": (
        "[tracker]",
        '[tracker]\n¦store = "postgresql://kr:hunter2@db/kr"',
        f"tracker.store: a password or token is written here: take it out, and give it by reference: {REFERENCES}",
    ),
    "a token where none belongs": (
        'title = "Fast"',
        '¦title = "ghp_hunter2hunter2hunter2"',
        f"objectives[fast].title: a password or token is written here: take it out, and give it by reference: "
        f"{REFERENCES}",
    ),
    "a channel with its address": (
        "[[objectives]]",
        '[notify.chat]\n¦url = "https://chat.example.com/hunter2"\n\n[[objectives]]',
        f"notify.chat.url: a secret is never written into the file: {REFERENCES}",
    ),
    "an inline table over lines": (
        '{ at_most = "450ms" }',
        '¦{\n    at_most = "450ms"\n  }',
        "an inline table can't span lines in TOML: write { … } on one line, or give it a [table] of its own",
    ),
    "a comma too many": (
        '{ at_most = "450ms" }',
        '{ at_most = "450ms", ¦}',
        "this is no TOML: an inline table takes no comma before its }",
    ),
    "a key written twice": (
        'title = "Fast"',
        'title = "Fast"\n¦title = "Faster"',
        "objectives[1].title: is written twice: line 35 has it already",
    ),
    "a key written twice in an inline table": (
        '{ at_most = "450ms" }',
        '{ at_most = "450ms", ¦at_most = "1s" }',
        "objectives[1].key_results[1].target.at_most: is written twice: line 41 has it already",
    ),
    "a table written twice": (
        "[metrics.latency]",
        "[¦sources.repo]\n[metrics.latency]",
        "sources.repo: is written twice: line 16 has it already",
    ),
    "a table under a value": (
        "[metrics.latency]",
        "[¦tracker.timezone]\n[metrics.latency]",
        "tracker.timezone: is written twice: line 2 has it already",
    ),
    "an array under a table's name": (
        "[metrics.latency]",
        "[[sources.repo¦]]\n[metrics.latency]",
        re.compile("this is no TOML: what this line names is there already in another form"),
    ),
    "a name with a space": (
        "[sources.repo]",
        "[sources.git ¦hub]",
        "this is no TOML: the ] of a table is missing here; names in it have letters, digits, - and _ only, "
        'others stand in quotes: "a b"',
    ),
    "a key with a space": (
        'title = "Fast"',
        'full ¦title = "Fast"',
        "this is no TOML: a key is followed by =; one that has more than letters, digits, - and _ stands in quotes: "
        '"a b" = …',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told_once_at_its_place(tmp_path, name):
    old, new, *expected = CASES[name]
    assert BASE.count(old) >= 1
    text = BASE.replace(old, new, 1)
    place = _marked(text)
    problems = _problems(tmp_path / "keyresults.toml", text.replace("¦", ""))
    assert len(problems) == len(expected), "\n".join(map(str, problems))
    for problem in problems:
        said = f"{problem.key}: {problem.message}" if problem.key else problem.message
        assert any(one.match(said) if isinstance(one, re.Pattern) else one == said for one in expected), said
    if place is not None:
        assert place in [(p.line, p.column) for p in problems]
    assert "hunter2" not in "\n".join(map(str, problems))


def test_there_are_enough_broken_configs():
    assert len(CASES) >= 25


def test_the_unbroken_config_loads(tmp_path):
    (tmp_path / "keyresults.toml").write_text(BASE)
    assert len(load(tmp_path / "keyresults.toml").objectives[0].key_results) == 2


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path):
    text = BASE
    singles = ["an unknown time zone", "a list that is none", "a choice that is none", "a bare percentage"]
    for name in singles:
        old, new, *_ = CASES[name]
        text = text.replace(old, new.replace("¦", ""), 1)
    problems = _problems(tmp_path / "keyresults.toml", text)
    assert [p.key for p in problems] == [
        "tracker.timezone",
        "sources.coverage.files",
        "metrics.line-coverage.kind",
        f"{COVERAGE}.target.to",
    ]


def test_a_key_result_that_can_t_be_read_hides_nothing_else(tmp_path):
    text = BASE.replace('title = "Fast"', 'owner = "anna"\nparent = "swift"\nkind = "bold"')
    text = text.replace(
        '  id = "latency"\n  title = "Latency"\n  metric = "latency"\n  target = { at_most = "450ms" }',
        '  id = "coverage"\n  owner = "bea"\n  metric = "latncy"\n  target = { at_most = "x y" }\n'
        '  plan = [{ on = 2027-01-01, progress = "50%" }]\n'
        '  guardrails = [{ metric = "latency" }, { metric = "deplyos", at_most = "1/day" }]',
    )
    assert [p.key for p in _problems(tmp_path / "keyresults.toml", text)] == [
        "objectives[fast]",
        "objectives[fast].owner",
        "objectives[fast].parent",
        "objectives[fast].kind",
        f"{COVERAGE}",
        f"{COVERAGE}.owner",
        f"{COVERAGE}.metric",
        f"{COVERAGE}.target.at_most",
        f"{COVERAGE}.plan[1].on",
        f"{COVERAGE}.guardrails[1]",
        f"{COVERAGE}.guardrails[2].metric",
        f"{COVERAGE}.id",
    ]


@pytest.mark.parametrize(
    "schedule", ['at = "monday 09:00"', 'cron = "0 9 * * 1"', 'at = "09:00"\ncron = "0 9 * * 1"', ""]
)
def test_a_report_with_a_wrong_key_still_needs_its_channels(tmp_path, schedule):
    text = f'{BASE}[reports.weekly]\n{schedule}\nformats = ["pdf"]\nnotify = ["chat"]\n'
    keys = [p.key for p in _problems(tmp_path / "keyresults.toml", text)]
    assert keys[-2:] == ["reports.weekly.formats[1]", "reports.weekly.notify[1]"]


def test_a_source_of_an_unknown_type_still_needs_its_owner(tmp_path):
    text = BASE.replace('type = "git"', 'type = "gti"\nowner = "anna"')
    assert {p.key for p in _problems(tmp_path / "keyresults.toml", text)} >= {"sources.repo.type", "sources.repo.owner"}


def test_a_metric_of_an_unknown_measure_still_needs_its_services(tmp_path):
    text = BASE.replace('measure = "deployment_frequency"', 'measure = "deploys"\nservices = ["shop"]')
    keys = {p.key for p in _problems(tmp_path / "keyresults.toml", text)}
    assert keys == {"metrics.deploys.measure", "metrics.deploys.services[1]"}


def test_a_problem_is_one_line_that_an_editor_can_jump_to(tmp_path):
    path = tmp_path / "keyresults.toml"
    path.write_text(BASE.replace('to = "85%"', "to = 85"))
    with pytest.raises(ConfigProblems) as raised:
        load(path)
    assert str(raised.value) == (
        f'{path}:47:28: {COVERAGE}.target.to: 85 on a ratio: write "85%", or a fraction between 0 and 1'
    )


def test_columns_count_characters(tmp_path):
    text = BASE.replace('{ from = "60%", to = "85%" }', '{ from = "60%", "tö" = 1, to = "85%" }')
    (problem,) = _problems(tmp_path / "keyresults.toml", text)
    assert (problem.line, problem.column) == (47, 28)


def test_many_mistakes_are_counted_not_listed(tmp_path):
    path = tmp_path / "keyresults.toml"
    path.write_text("".join(f"[metrics.m{n}]\nsorce = 1\n" for n in range(2000)))
    with pytest.raises(ConfigProblems) as raised:
        load(path)
    lines = str(raised.value).splitlines()
    assert len(lines) == 101
    assert re.fullmatch(r"… and \d+ more", lines[-1])


def _marked(text: str) -> tuple[int, int] | None:
    """Line and column of the mark, both from 1."""
    before, mark, _ = text.partition("¦")
    return (before.count("\n") + 1, len(before) - before.rfind("\n")) if mark else None


def _problems(path: Path, text: str):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigProblems) as raised:
        load(path)
    return raised.value.problems
