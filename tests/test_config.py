"""What a config means once it is loaded: defaults, references, units, schedules."""

import hashlib
import subprocess
import sys
from datetime import date, time, timedelta
from pathlib import Path

import config_cases
import pytest
from keyresults.collectors.contract import FactQuery, SourceOptions
from keyresults.collectors.secrets import EnvironmentSecret, SecretRef
from keyresults.config.load import find, load
from keyresults.config.peek import peek
from keyresults.config.problem import ConfigProblems
from keyresults.config.schedule import cron_of, longest_gap
from keyresults.krs.model import Between, ChangeBy, Keep, PlanPoint, Reach, Threshold
from keyresults.krs.rhythm import Rhythm
from keyresults.metrics.unit import PER_DAY, PER_WORKDAY
from pydantic import Field

DAY = timedelta(days=1)

SOURCES = f"""\
[tracker]
cycle = "2026-Q4"

[sources.people]
type = "manual"

{config_cases.SOURCES}"""


@pytest.fixture
def loaded(tmp_path):
    def load_text(text, registry=None):
        path = tmp_path / "keyresults.toml"
        path.write_text(text)
        return load(path, registry)

    return load_text


@pytest.fixture
def key_result(loaded):
    def load_key_result(lines, metrics='[metrics.m]\nsource = "prometheus"\nquery = "up"\nunit = "ms"\n'):
        objective = '[[objectives]]\nid = "o"\ntitle = "O"\n'
        kr = f'[[objectives.key_results]]\nid = "k"\ntitle = "K"\nmetric = "m"\n{lines}\n'
        return loaded(SOURCES + metrics + objective + kr).objectives[0].key_results[0]

    return load_key_result


def test_an_empty_config_has_defaults(loaded, tmp_path):
    config = loaded("")
    assert config.calendar.timezone == "UTC"
    assert config.store.url == f"sqlite:///{tmp_path}/.keyresults/store.db"
    assert config.digest == hashlib.sha256(b"").hexdigest()
    assert (config.cycle, config.objectives, config.forecast) == (None, (), True)
    assert config.pace.on_track == 0.10


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("sqlite:///kept/here.db", "sqlite:///{base}/kept/here.db"),
        ("sqlite:////var/lib/here.db", "sqlite:////var/lib/here.db"),
        ("postgresql://kr@db/kr", "postgresql+psycopg://kr@db/kr"),
        ("postgresql+psycopg://kr@db/kr", "postgresql+psycopg://kr@db/kr"),
    ],
)
def test_the_store_is_found_from_anywhere(loaded, tmp_path, written, url):
    assert loaded(f'[tracker]\nstore = "{written}"').store.url == url.format(base=tmp_path)


def test_the_store_s_password_is_a_reference(loaded, tmp_path):
    text = '[tracker]\nstore = { url = "postgresql://kr@db/kr", password = { env = "KR_DB" } }'
    assert loaded(text).store.password == EnvironmentSecret(env="KR_DB")
    assert peek(tmp_path / "keyresults.toml").store == loaded(text).store


# ---- sources


@pytest.mark.parametrize(
    ("said", "gap"),
    [
        ("", timedelta(hours=1)),
        ('every = "15m"', timedelta(minutes=15)),
        ('at = "06:00"', DAY),
        ('at = "monday 09:00"', 7 * DAY),
        ('cron = "0 6 * * 1-5"', 3 * DAY),
        ('cron = "*/15 9-17 * * *"', timedelta(hours=15, minutes=15)),
        ('cron = "0 0 1 * *"', 31 * DAY),
    ],
)
def test_a_schedule_has_a_longest_gap(loaded, said, gap):
    assert loaded(f'[sources.s]\ntype = "manual"\n{said}').sources["s"].longest_gap == gap


def test_at_is_read_as_cron_does():
    assert [cron_of(at) for at in ("06:00", "sunday 9:05", "Mon 23:59")] == ["0 6 * * *", "5 9 * * 0", "59 23 * * 1"]
    assert longest_gap("0 0 29 2 *") == timedelta(days=8 * 365 + 1)  # 2096, 2104: 2100 is no leap year


def test_a_source_shows_no_secret(loaded, monkeypatch):
    monkeypatch.setenv("KR_TEST_TOKEN", "hunter2")
    config = loaded(SOURCES.replace('9090"', '9090"\nbearer = { env = "KR_TEST_TOKEN" }'))
    assert "KR_TEST_TOKEN" in repr(config)
    assert "hunter2" not in repr(config)


class _UptimeOptions(SourceOptions):
    url: str
    token: SecretRef | None = None


class _UptimeQuery(FactQuery):
    check: str = Field(description="Name of the check.")
    from_: str | None = Field(default=None, alias="from", description="Where it is checked from.")


class _Uptime:
    type = "uptime"
    Options = _UptimeOptions
    Queries = {"samples": _UptimeQuery}  # noqa: RUF012 (the contract asks for a class attribute)
    max_age = timedelta(days=5)
    sample_config = ""


def test_a_plugin_s_options_and_queries_join_the_grammar(loaded):
    config = loaded(
        '[sources.up]\ntype = "uptime"\nurl = "http://localhost"\ntoken = { file = "token" }\n'
        '[metrics.up]\nsource = "up"\nmeasure = "sampled"\ncheck = "shop"\nfrom = "eu"\nunit = "%"\n',
        {"uptime": _Uptime},
    )
    metric = config.metrics["up"]
    assert metric.queries == {"samples": {"check": "shop", "from": "eu"}}
    assert metric.max_age == timedelta(days=5)


def test_a_plugin_s_unknown_key_is_an_error(loaded):
    text = '[sources.up]\ntype = "uptime"\nurl = "http://localhost"\ntokn = { file = "token" }\n'
    with pytest.raises(ConfigProblems, match='tokn: unknown key; did you mean "token"'):
        loaded(text, {"uptime": _Uptime})


# ---- metrics


def test_a_query_alone_is_sampled_and_a_histogram_a_quantile(loaded):
    metrics = loaded(
        SOURCES
        + '[metrics.a]\nsource = "prometheus"\nquery = "up"\n'
        + '[metrics.b]\nsource = "prometheus"\nhistogram = "x_bucket"\nquantile = 0.99\nunit = "ms"\n'
    ).metrics
    assert (metrics["a"].measure, metrics["a"].aggregate.name) == ("sampled", "last")
    assert (metrics["b"].measure, metrics["b"].quantile, metrics["b"].unit.scale) == ("histogram_quantile", 0.99, 1e-3)
    assert metrics["a"].window.days == 28
    assert metrics["a"].queries == {"samples": {"query": "up"}}
    assert metrics["a"].sources == {"samples": "prometheus"}


@pytest.mark.parametrize(
    ("source", "rest", "days"),
    [
        ("prometheus", 'query = "up"', 2),
        ("coverage", 'measure = "test_coverage"', 7),
        ("people", 'measure = "sampled"', 15),
        ("repo", 'measure = "rollback_rate"', 1),
        ("repo", 'measure = "rollback_rate"\nmax_age = "3d"', 3),
    ],
)
def test_data_goes_stale_at_its_own_age(loaded, source, rest, days):
    assert loaded(SOURCES + f'[metrics.m]\nsource = "{source}"\n{rest}').metrics["m"].max_age == days * DAY


def test_data_of_a_rare_source_goes_stale_after_three_gaps(loaded):
    text = SOURCES.replace('type = "git"', 'type = "git"\nat = "06:00"')
    assert loaded(text + '[metrics.m]\nsource = "repo"\nmeasure = "rollback_rate"').metrics["m"].max_age == 3 * DAY


def test_a_source_says_what_a_deployment_is_and_a_metric_may_say_otherwise(loaded):
    metric = '[metrics.{0}]\nsource = "repo"\nmeasure = "deployment_count"\n'
    text = SOURCES + metric.format("a") + metric.format("b") + 'deployments = { merges = "main" }\n'
    metrics = loaded(text).metrics
    assert metrics["a"].queries == {"deployments": {"deployments": {"tags": "v*"}}}
    assert metrics["b"].queries == {"deployments": {"deployments": {"merges": "main"}}}


def test_a_recorded_metric_is_known_by_its_name(loaded):
    metric = loaded(SOURCES + '[metrics.mood]\nsource = "people"\nmeasure = "sampled"\nunit = "%"').metrics["mood"]
    assert metric.queries == {"samples": {"metric": "mood"}}


def test_a_share_within_is_a_ratio_of_samples_in_their_own_unit(loaded):
    metric = loaded(
        SOURCES
        + '[metrics.m]\nsource = "prometheus"\nquery = "up"\nunit = "ms"\n'
        + 'aggregate = { share_within = { at_most = "0.45s", at_least = 10 } }'
    ).metrics["m"]
    assert (metric.aggregate.at_most, metric.aggregate.at_least) == (0.45, 0.01)
    assert (metric.unit.dimension, metric.unit.text, metric.unit.scale) == ("ratio", "ratio", 1e-3)
    assert metric.better == "higher"


@pytest.mark.parametrize(
    ("of_source", "of_metric", "asked"),
    [
        ("", "", {"deployments", "changes"}),
        ('incidents = { labels = ["incident"] }', "", {"deployments", "changes", "incidents"}),
        ("", 'labels = ["incident"]', {"deployments", "changes", "incidents"}),
        ("", 'incidents = "hub"\nlabels = ["incident"]', {"deployments", "changes", "incidents"}),
    ],
)
def test_incidents_are_asked_for_where_somebody_says_what_they_are(loaded, of_source, of_metric, asked):
    text = (
        '[sources.hub]\ntype = "github"\ntoken = { env = "T" }\nrepositories = ["a/b"]\n'
        f'{of_source}\n[metrics.m]\nsource = "hub"\nmeasure = "change_failure_rate"\n{of_metric}\n'
    )
    assert set(loaded(text).metrics["m"].sources) == asked


@pytest.mark.parametrize(
    ("per", "target", "unit"),
    [
        ("", '"1/workday"', PER_WORKDAY),
        ("", '"5/week"', PER_DAY),
        ("", "1", PER_DAY),
        ('per = "workday"', "1", PER_WORKDAY),
    ],
)
def test_a_target_says_what_a_frequency_is_divided_by(loaded, per, target, unit):
    text = (
        f'{SOURCES}[metrics.m]\nsource = "repo"\nmeasure = "deployment_frequency"\n{per}\n[[objectives]]\nid = "o"\n'
        'title = "O"\n[[objectives.key_results]]\nid = "k"\ntitle = "K"\nmetric = "m"\n'
        f"target = {{ at_least = {target} }}\n"
    )
    assert loaded(text).metrics["m"].unit == unit


# ---- key results


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ('{ from = "1s", to = 450 }', Reach(0.45, 1.0, "1s to 450")),
        ('{ to = "0.45s" }', Reach(0.45, None, "to 0.45s")),
        ('{ change = "-30%" }', ChangeBy(-0.3, True, "-30%")),
        ('{ change = "-200ms" }', ChangeBy(-0.2, False, "-200ms")),
        ("{ change = -200 }", ChangeBy(-0.2, False, "-200")),
        ('{ below = "450ms" }', Threshold("below", 0.45, "below 450ms")),
        (
            '{ keep = { at_most = "450ms" }, share = "95%" }',
            Keep(Threshold("at_most", 0.45, "at most 450ms"), 0.95, "at most 450ms on 95% of days"),
        ),
        ("{ keep = { between = [1, 450] } }", Keep(Between(0.001, 0.45), 1.0, "between 1 and 450 on 100% of days")),
    ],
)
def test_targets_are_in_the_base_unit(key_result, written, target):
    assert key_result(f"target = {written}").target == target


def test_points_are_fractions_of_a_ratio(key_result):
    coverage = '[metrics.m]\nsource = "coverage"\nmeasure = "test_coverage"\n'
    assert key_result('target = { change = "+5pp" }', coverage).target == ChangeBy(0.05, False, "+5pp")


def test_a_key_result_has_the_days_of_its_cycle(key_result):
    kr = key_result("target = { to = 1 }")
    assert (kr.start, kr.deadline) == (date(2026, 10, 1), date(2026, 12, 31))
    assert (kr.baseline, kr.weight, kr.forecast, kr.draft) == (None, 1.0, True, False)


def test_everything_said_of_a_key_result_is_kept(key_result):
    kr = key_result(
        'target = { to = 100 }\nstart = 2026-10-15\ndeadline = 2026-12-15\nbaseline = "1s"\nweight = 0.5\n'
        "draft = true\n"
        'plan = [{ on = 2026-11-15, progress = "40%" }]\naccept = ["partial"]\nforecast = false\nwas = "old"\n'
        'revisions = [{ on = 2026-11-02, reason = "R", target = { to = 200 }, deadline = 2026-12-24 }]\n'
        'guardrails = [{ metric = "m", at_most = "2s" }]\nignore = [{ code = "KR104", reason = "R" }]'
    )
    assert (kr.start, kr.deadline, kr.baseline, kr.weight) == (date(2026, 10, 15), date(2026, 12, 15), 1.0, 0.5)
    assert kr.plan == (PlanPoint(date(2026, 11, 15), 0.4),)
    assert (kr.accept_partial, kr.forecast, kr.draft, kr.was) == (True, False, True, "old")
    assert kr.revisions[0].target == Reach(0.2, None, "to 200")
    assert kr.guardrails[0].limit == Threshold("at_most", 2.0, "at most 2s")
    assert kr.ignore[0].code == "KR104"


def test_a_revised_target_is_in_the_unit_of_the_revised_metric(key_result):
    metrics = (
        '[metrics.m]\nsource = "prometheus"\nquery = "up"\nunit = "ms"\n'
        '[metrics.c]\nsource = "coverage"\nmeasure = "test_coverage"\n'
    )
    revision = 'revisions = [{ on = 2026-11-02, reason = "R", metric = "c"'
    kr = key_result(f'target = {{ to = 100 }}\n{revision}, target = {{ to = "85%" }} }}]', metrics)
    assert kr.revisions[0].target == Reach(0.85, None, "to 85%")
    with pytest.raises(ConfigProblems, match="write a new target beside it"):
        key_result(f"target = {{ to = 100 }}\n{revision} }}]", metrics)


def test_objectives_can_t_serve_themselves(loaded):
    objective = '[[objectives]]\nid = "{0}"\ntitle = "T"\nparent = "{1}"\n'
    with pytest.raises(ConfigProblems) as raised:
        loaded(SOURCES + objective.format("a", "b") + objective.format("b", "a"))
    assert [p.key for p in raised.value.problems] == ["objectives[a].parent", "objectives[b].parent"]


# ---- cycles


def test_one_cycle_in_use_need_not_be_said_on_every_objective(loaded):
    config = loaded('[[objectives]]\nid = "a"\ntitle = "A"\ncycle = "2026-11"\n[[objectives]]\nid = "b"\ntitle = "B"\n')
    assert config.cycle is not None
    assert (config.cycle.name, config.cycle.start, config.cycle.end) == (
        "2026-11",
        date(2026, 11, 1),
        date(2026, 11, 30),
    )
    assert {o.cycle.name for o in config.objectives} == {"2026-11"}


def test_a_cycle_of_one_s_own_has_a_table(loaded):
    text = '[cycles.winter]\nstart = 2026-12-01\nend = 2027-02-28\n[[objectives]]\nid = "a"\ntitle = "A"\n'
    assert loaded(text).objectives[0].cycle.end == date(2027, 2, 28)


def test_the_same_ids_may_come_again_in_another_cycle(loaded):
    objective = '[[objectives]]\nid = "a"\ntitle = "A"\ncycle = "{0}"\n'
    assert len(loaded(objective.format("2026-Q3") + objective.format("2026-Q4")).objectives) == 2


# ---- finding and peeking


def test_the_config_named_is_taken_before_the_variable_and_the_folders(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "a"):
        (folder / "keyresults.toml").touch()
    (tmp_path / "other.toml").touch()
    variable = {"KEYRESULTS_CONFIG": str(tmp_path / "keyresults.toml")}
    assert find(Path("../../other.toml"), variable, inner).resolve() == tmp_path / "other.toml"
    assert find(None, variable, inner) == tmp_path / "keyresults.toml"
    assert find(None, {}, inner) == tmp_path / "a" / "keyresults.toml"


@pytest.mark.parametrize(
    ("explicit", "environ", "said"),
    [
        (None, {}, "no keyresults.toml here or in a folder above: `keyresults init` writes one"),
        (Path("none.toml"), {}, "none.toml: the config named by --config is not there"),
        (Path(), {}, "named by --config is a folder"),
        (None, {"KEYRESULTS_CONFIG": "none.toml"}, r"named by \$KEYRESULTS_CONFIG is not there"),
    ],
)
def test_a_config_that_is_not_there_is_said_so(tmp_path, explicit, environ, said):
    with pytest.raises(ConfigProblems, match=said):
        find(explicit, environ, tmp_path)


@pytest.mark.parametrize("text", ["", SOURCES, '[tracker]\ntimezone = "Asia/Tokyo"\nstore = "sqlite:///x.db"\n'])
def test_a_peek_sees_what_loading_sees(loaded, tmp_path, text):
    config, seen = loaded(text), peek(tmp_path / "keyresults.toml")
    assert (seen.digest, seen.store, seen.timezone) == (config.digest, config.store, config.calendar.timezone)
    assert seen.cycle == (config.cycle.name if config.cycle else None)


@pytest.mark.parametrize(
    "text",
    [
        "tracker = 1",
        "[tracker]\nstore = 1",
        "[tracker]\nstore = { url = 1 }",
        "objectives = 1",
        '[tracker]\nstore = "x"',
    ],
)
def test_a_peek_at_a_wrong_config_says_what_loading_says(tmp_path, text):
    path = tmp_path / "keyresults.toml"
    path.write_text(text)
    with pytest.raises(ConfigProblems) as peeked:
        peek(path)
    with pytest.raises(ConfigProblems) as loaded:
        load(path)
    assert str(peeked.value) == str(loaded.value)


def test_a_peek_is_cheap(tmp_path):
    path = tmp_path / "keyresults.toml"
    path.write_text(SOURCES)
    code = (
        "import sys; from pathlib import Path; from keyresults.config.peek import peek; "
        f"peek(Path({str(path)!r})); "
        "print([m for m in ('pydantic', 'tree_sitter', 'croniter', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("said", "rhythm"),
    [
        ('every = "2 weeks"\non = "friday 10:00"', Rhythm(timedelta(weeks=2), time(10), 4)),
        ('every = "1 week"\non = "Mon 9:05"', Rhythm(timedelta(weeks=1), time(9, 5), 0)),
        ('every = "1d"\non = "16:00"', Rhythm(timedelta(days=1), time(16), None)),
    ],
)
def test_check_ins_have_a_rhythm(loaded, said, rhythm):
    assert loaded(f"[checkins]\n{said}").checkins == rhythm
