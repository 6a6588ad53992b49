"""Which changes a deployment shipped, from a stand-in for GitHub or a clone to lead times and rollbacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from job_scenes import dump
from keyresults.cli.printing import rendered
from keyresults.collectors import github_client
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import explain
from keyresults.jobs.evidence import Evaluation
from keyresults.jobs.notices import concerns_of
from keyresults.jobs.readings import daily
from keyresults.jobs.shipments import KIND
from keyresults.jobs.sources import source_states
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.facts import Change, Deployment, StatusChange
from keyresults.metrics.reading import Reading
from keyresults.metrics.stream import Batch
from keyresults.reports import terminal_tables
from keyresults.reports.dates import Dates
from keyresults.reports.values import CollectionResult, StreamRun
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_answers import Trouble
from standins.github_code import Commit
from standins.github_pulls import Pull
from standins.github_world import Repository, World

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 2, 10, tzinfo=UTC)
HOUR = 3600
PAYMENTS = "acme/payments"

CONFIG = """
[tracker]
timezone = "UTC"
cycle = "2026-Q4"

[sources.github]
type = "github"
api_url = "{url}"
token = {{ file = "token" }}
repositories = ["acme/payments"]
since = 2026-10-20
{more}

[metrics.lead]
source = "github"
measure = "lead_time_for_changes"
min_samples = 1

[metrics.failures]
source = "github"
measure = "change_failure_rate"
min_samples = 1

[metrics.back]
source = "github"
measure = "rollback_rate"
rollback = {{ rules = ["version_return", "ancestor"] }}
min_samples = 1

[metrics.returned]
source = "github"
measure = "rollback_rate"
min_samples = 1
"""


def oid(name: str) -> str:
    return name.encode().hex().ljust(40, "0")


def after(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


@dataclass
class Scene:
    server: GitHubStandIn
    config: Path

    @property
    def repository(self) -> Repository:
        return self.server.world.repositories[0]

    def commit(self, name: str, hours: float, *parents: str) -> None:
        self.repository.code.add(Commit(oid(name), after(hours), tuple(oid(one) for one in parents)))

    def merge(self, name: str, hours: float, *parents: str) -> None:
        """A pull request that became this commit."""
        self.commit(name, hours, *parents)
        at, key = after(hours), str(len(self.repository.pulls) + 1)
        change = Change(
            key=key,
            subject=PAYMENTS,
            commit=oid(name),
            merged_at=at,
            opened_at=at - timedelta(hours=1),
            first_commit_at=at - timedelta(hours=2),
            base="main",
            author_kind="person",
            url=f"https://github.com/{PAYMENTS}/pull/{key}",
        )
        self.repository.pulls.append(Pull(change, at))

    def deploy(self, name: str, hours: float) -> None:
        at, key = after(hours), str(len(self.repository.history) + 1)
        self.repository.history.append(
            Deployment(
                key=key,
                subject=PAYMENTS,
                environment="production",
                commit=oid(name),
                created_at=at,
                statuses=(StatusChange("success", at + timedelta(minutes=30)),),
            )
        )

    def collect(self, now: datetime = NOW) -> CollectionResult:
        self.server.world.now = now
        with Workspace(load(self.config), writing=True, clock=lambda: now) as one:
            return collect(one)

    def open(self) -> Workspace:
        return Workspace(load(self.config), clock=lambda: self.server.world.now)

    def reading(self, metric: str) -> Reading:
        with self.open() as one:
            now = self.server.world.now
            return daily(Evaluation(one.config, one.store, now), metric, [now], now, keep=False)[0]

    def shipped_by(self) -> dict[str, str]:
        """By the change's key: what the explanation says of it."""
        with self.open() as one:
            return {fact.key: fact.why for fact in explain(one, "lead", as_of=self.server.world.now).facts}

    def methods(self) -> set[str]:
        """By what means it is known what was shipped."""
        with self.open() as one:
            streams = [state.stream.id for state in one.store.states() if state.stream.kind == KIND]
            return set(one.store.facts(KIND, streams, columns=("method",))["method"])

    def rewrite(self) -> None:
        """Every commit but the main branch's head is gone."""
        for one in set(self.repository.code.objects) - {oid("main")}:
            del self.repository.code.objects[one]

    def compared(self) -> list[str]:
        return [one.path for one in self.server.asked if "/compare/" in one.path]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(github_client, "PER_MINUTE", {})
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    world = World(NOW)
    world.add(PAYMENTS)
    with github(world) as server:
        (tmp_path / "token").write_text(TOKEN)
        config = tmp_path / "keyresults.toml"
        config.write_text(CONFIG.format(url=server.url, more=""))
        made = Scene(server, config)
        made.commit("main", -24)
        made.repository.code.branches["main"] = oid("main")
        made.merge("m1", 0)
        yield made


@pytest.fixture
def hotfix(scene: Scene) -> Scene:
    """A fix of what runs goes out ahead of what main has got since.

    main     m1 ------- m2 (2 h) ---------- m3 (4 h) -------- m4 (9 h)
                \\                           (m3 merges the fix)
    release       fix (3 h)
    deployed m1 at 1 h, fix at 5 h, m4 at 10 h; each succeeds half an hour later
    """
    scene.merge("m2", 2, "m1")
    scene.merge("fix", 3, "m1")
    scene.merge("m3", 4, "m2", "fix")
    scene.merge("m4", 9, "m3")
    scene.deploy("m1", 1)
    scene.deploy("fix", 5)
    scene.deploy("m4", 10)
    return scene


def run_of_shipments(result: CollectionResult) -> StreamRun:
    (one,) = [run for run in result.runs if run.kind == "shipments"]
    return one


def test_a_hotfix_does_not_ship_what_main_has_merged_meanwhile(hotfix: Scene) -> None:
    result = hotfix.collect()
    assert not result.failed
    # m2 8.5 h, m3 6.5 h and m4 1.5 h with the last deployment; the fix 2.5 h with its own.
    lead = hotfix.reading("lead")
    assert (lead.value, lead.n) == (4.5 * HOUR, 4)
    assert "what shipped them is known: 4 by compare" in lead.notes
    assert "what deployments brought is told of 2 by compare" in lead.notes
    assert "what deployments brought is told of 2 by compare" in hotfix.reading("failures").notes
    by = {key: why.partition(" with ")[2].partition(" ")[0] for key, why in hotfix.shipped_by().items()}
    assert {key: by[key] for key in "2345"} == {"2": "3", "3": "2", "4": "3", "5": "3"}
    assert run_of_shipments(result).added == 2
    assert run_of_shipments(result).metrics == ("lead", "failures", "back")


def test_by_the_order_of_merges_alone_it_would(hotfix: Scene) -> None:
    hotfix.rewrite()
    assert not hotfix.collect().failed
    # m2 3.5 h, the fix 2.5 h and m3 1.5 h with the fix's deployment; m4 1.5 h with its own.
    lead = hotfix.reading("lead")
    assert (lead.value, lead.n) == (2 * HOUR, 4)
    assert "what shipped them is known: 4 by merge-time" in lead.notes


def test_what_is_known_is_asked_for_once(hotfix: Scene) -> None:
    first = run_of_shipments(hotfix.collect())
    assert len(hotfix.compared()) == 2
    assert first.requests == 3, "the repository is looked up too"
    before = dump(hotfix.config.parent / ".keyresults/store.db", without=("collections", "leases", "streams", "memos"))
    hotfix.server.forget()
    again = hotfix.collect()
    assert not hotfix.compared()
    assert not [run for run in again.runs if run.kind == "shipments"]
    after_it = dump(
        hotfix.config.parent / ".keyresults/store.db", without=("collections", "leases", "streams", "memos")
    )
    assert {name: rows for name, rows in after_it.items() if name in ("shipments", "readings", "series")} == {
        name: rows for name, rows in before.items() if name in ("shipments", "readings", "series")
    }


def test_a_new_deployment_asks_for_its_own_pair_alone(hotfix: Scene) -> None:
    hotfix.collect()
    hotfix.server.forget()
    hotfix.merge("m5", 20, "m4")
    hotfix.deploy("m5", 21)
    hotfix.collect(NOW + timedelta(hours=1))
    assert hotfix.compared() == [f"/repos/{PAYMENTS}/compare/{oid('m4')}...{oid('m5')}"]
    assert hotfix.reading("lead").n == 5


def test_what_github_can_not_compare_is_not_asked_again(hotfix: Scene) -> None:
    del hotfix.repository.code.objects[oid("fix")]
    hotfix.repository.code.add(Commit(oid("m3"), after(4), (oid("m2"),)))
    hotfix.collect()
    hotfix.server.forget()
    assert not hotfix.collect().failed
    assert not hotfix.compared()
    assert any("by merge-time" in note for note in hotfix.reading("lead").notes)


def test_kept_readings_notice_what_was_found_out(hotfix: Scene) -> None:
    ends = [datetime(2026, 11, 4, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC), NOW]
    objects = dict(hotfix.repository.code.objects)

    def series(*, keep: bool) -> list[float | None]:
        with Workspace(load(hotfix.config), writing=True, clock=lambda: NOW) as one:
            found = daily(Evaluation(one.config, one.store, NOW), "lead", ends, NOW, keep=keep)
            return [reading.value for reading in found]

    hotfix.rewrite()
    hotfix.collect()
    assert series(keep=True) == [2 * HOUR] * 3
    with Workspace(load(hotfix.config), writing=True, clock=lambda: NOW) as one:
        (state,) = [s for s in one.store.states("github") if s.stream.kind == "shipments"]
        keys = one.store.facts("shipments", [state.stream.id], columns=("key",))["key"]
        one.store.write(state.stream, Batch(removed=tuple(keys)), NOW)
    hotfix.repository.code.objects.update(objects)
    hotfix.collect()
    assert series(keep=False) == [4.5 * HOUR] * 3


# ---- budgets and trouble


@pytest.fixture
def many(scene: Scene) -> Scene:
    """Twenty versions, one every six hours."""
    scene.deploy("m1", 1)
    for n in range(2, 21):
        scene.merge(f"m{n}", 6 * n, f"m{n - 1}")
        scene.deploy(f"m{n}", 6 * n + 1)
    return scene


def test_a_budget_that_ends_keeps_what_was_told_and_the_next_run_goes_on(many: Scene) -> None:
    quota = many.server.quota
    quota.limit, quota.ends = 14, NOW + timedelta(hours=1)
    result = many.collect()
    one = run_of_shipments(result)
    assert (one.outcome, result.failed) == ("retry", True)
    assert one.retry_at is not None
    told = one.added
    assert 0 < told < 19
    newest = [path.rpartition("...")[2] for path in many.compared()]
    assert newest == [oid(f"m{20 - n}") for n in range(told)], "the newest deployments first"
    lead = many.reading("lead")
    assert lead.n == 19
    assert f"what shipped them is known: {told} by compare, {19 - told} by merge-time" in lead.notes
    assert f"what deployments brought is told of {told} by compare, of {19 - told} by merge-time" in lead.notes
    assert any("not all commits between deployments of acme/payments are known" in note for note in lead.notes)

    many.server.forget()
    waiting = run_of_shipments(many.collect(NOW + timedelta(minutes=5)))
    assert (waiting.outcome, many.compared()) == ("retry", [])

    quota.limit = 1000
    last = run_of_shipments(many.collect(one.retry_at + timedelta(minutes=5)))
    assert (last.outcome, last.added) == ("ok", 19 - told)
    assert len(many.compared()) == 19 - told
    lead = many.reading("lead")
    assert "what shipped them is known: 19 by compare" in lead.notes
    assert not any("not all commits" in note for note in lead.notes)


def test_what_github_can_not_compare_is_asked_once_though_the_budget_ends_before_all_are(many: Scene) -> None:
    many.rewrite()
    asked: list[str] = []
    now = NOW
    for _ in range(4):
        quota = many.server.quota
        quota.limit, quota.ends = 14, now + timedelta(hours=1)
        quota.used.clear()
        many.collect(now)
        asked += [path.rpartition("...")[2] for path in many.compared() if "main" not in path]
        many.server.forget()
        now += timedelta(hours=1, minutes=5)
    assert asked == [oid(f"m{n}") for n in range(20, 1, -1)]
    assert "what shipped them is known: 19 by merge-time" in many.reading("lead").notes
    assert not [run for run in many.collect(now).runs if run.kind == KIND]


def test_a_clock_that_was_ahead_makes_nothing_be_asked_on_and_on(hotfix: Scene) -> None:
    hotfix.rewrite()
    hotfix.collect(NOW + timedelta(days=1))
    hotfix.deploy("m5", 21)
    hotfix.collect(NOW)
    assert any(oid("m5") in path for path in hotfix.compared())
    hotfix.server.forget()
    hotfix.collect(NOW)
    assert not hotfix.compared()


class OnComparing(dict[int, Trouble]):
    """A plan by which every comparison goes wrong, and nothing else."""

    def __init__(self, server: GitHubStandIn, trouble: Trouble) -> None:
        super().__init__()
        self.server = server
        self.trouble = trouble

    def pop(self, number: int, default: object = None) -> Trouble | None:
        return self.trouble if "/compare/" in self.server.asked[-1].path else None


@pytest.mark.parametrize(("trouble", "outcome"), [("502", "failed"), ("403", "unauthorized"), ("429", "retry")])
def test_trouble_with_comparing_costs_nothing_else(many: Scene, trouble: Trouble, outcome: str) -> None:
    many.server.plan = OnComparing(many.server, trouble)
    result = many.collect()
    assert {run.kind: run.outcome for run in result.runs} == {"deployments": "ok", "changes": "ok", KIND: outcome}
    lead = many.reading("lead")
    assert (lead.value, lead.n, lead.health) == (1.5 * HOUR, 19, "ok")
    assert "what shipped them is known: 19 by merge-time" in lead.notes
    assert any(
        note.startswith("not all commits between deployments of acme/payments are known: ") for note in lead.notes
    )
    many.server.plan = {}
    assert run_of_shipments(many.collect(NOW + timedelta(hours=2))).outcome == "ok"
    assert "what shipped them is known: 19 by compare" in many.reading("lead").notes


def test_the_streams_page_tells_of_it(hotfix: Scene) -> None:
    hotfix.collect()
    with hotfix.open() as one:
        (state,) = [state for state in source_states(one) if state.kind == "shipments"]
    assert (state.subject, state.health, state.requests) == (PAYMENTS, "ok", 3)
    assert set(state.metrics) == {"lead", "failures", "back", "returned"}
    shown = rendered(terminal_tables.sources([state], Dates.seen_at(NOW, "UTC"), NOW), colour=False)
    assert "newest fact" in shown
    assert "covered" not in shown


# ---- clones


def test_a_clone_named_by_the_config_takes_no_request(scene: Scene, tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "payments")
    ids = [repo.commit(after(n)) for n in range(3)]
    scene.repository.history.clear()
    for n, one in enumerate(ids):
        scene.deploy("x", 10 * n + 1)
        fact = scene.repository.history[-1]
        assert isinstance(fact, Deployment)
        told = {name: getattr(fact, name) for name in ("key", "subject", "environment", "created_at", "statuses")}
        scene.repository.history[-1] = Deployment(**told, commit=one)
    more = f'clones = {{ "{PAYMENTS}" = "payments" }}'
    scene.config.write_text(CONFIG.format(url=scene.server.url, more=more))
    result = scene.collect()
    assert not result.failed
    assert (run_of_shipments(result).added, run_of_shipments(result).requests) == (2, 0)
    assert not scene.compared()


def test_what_github_could_not_tell_is_asked_of_a_clone_that_is_named_later(scene: Scene, tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "payments")
    ids = [repo.commit(after(n)) for n in range(3)]
    scene.merge("m", 0)
    scene.repository.code.branches["main"] = oid("m")
    scene.repository.history.clear()
    for n, one in enumerate(ids):
        scene.deploy("x", 10 * n + 1)
        fact = scene.repository.history[-1]
        assert isinstance(fact, Deployment)
        scene.repository.history[-1] = replace(fact, commit=one)
    assert (first := run_of_shipments(scene.collect())).added == 2
    assert first.requests > 2
    assert scene.methods() == {"merge-time"}
    scene.server.forget()
    scene.collect()
    assert not scene.compared(), "GitHub has said that it does not know"
    more = f'clones = {{ "{PAYMENTS}" = "payments" }}'
    scene.config.write_text(CONFIG.format(url=scene.server.url, more=more))
    again = run_of_shipments(scene.collect())
    assert (again.changed, again.requests) == (2, 0)
    assert scene.methods() == {"clone"}
    assert not [run for run in scene.collect().runs if run.kind == KIND], "and once only"


# ---- the rule ancestor


def test_a_branch_off_an_older_version_went_nowhere_back(many: Scene) -> None:
    many.commit("m5+", 31, "m5")
    many.deploy("m5+", 130)
    assert not many.collect().failed
    assert (many.reading("back").numerator, many.reading("back").denominator) == (0, 21)


def test_how_far_back_a_rollback_went_is_asked_for_in_a_second_round(scene: Scene) -> None:
    """m1 - m2 - x - m3 - m4 on main; deployed m1, m2, m3, m4, then x, which never was: it takes back m4 and m3."""
    for name, hours, parent in (("m2", 1, "m1"), ("x", 2, "m2"), ("m3", 3, "x"), ("m4", 4, "m3")):
        scene.merge(name, hours, parent)
    for n, name in enumerate(("m1", "m2", "m3", "m4", "x")):
        scene.deploy(name, 10 + n)
    assert not scene.collect().failed
    asked = [path.rpartition("/")[2] for path in scene.compared()]
    rounds = [("m3", "m4"), ("m2", "m3"), ("m1", "m2"), ("m4", "x"), ("m3", "x"), ("m2", "x")]
    assert sorted(asked) == sorted(f"{oid(one)}...{oid(other)}" for one, other in rounds)
    assert asked[-2:] == [f"{oid('m3')}...{oid('x')}", f"{oid('m2')}...{oid('x')}"]
    back = scene.reading("back")
    assert (back.numerator, back.denominator) == (2, 4)
    returned = scene.reading("returned")
    assert (returned.numerator, returned.denominator) == (0, 5)
    assert "the rule 'ancestor' would take 1 of these for rollbacks" in returned.notes
    scene.server.forget()
    scene.collect()
    assert not scene.compared()


def test_where_commits_are_gone_the_rule_gives_no_number(scene: Scene) -> None:
    for n, name in enumerate(("gone1", "gone2", "gone3")):
        scene.deploy(name, 10 + n)
    assert not scene.collect().failed
    back = scene.reading("back")
    assert (back.value, back.health) == (None, "no_data")
    assert any("3 left out: how their commits lie" in note for note in back.notes)


def test_the_config_is_checked_without_a_word_on_it(scene: Scene) -> None:
    with scene.open() as one:
        assert concerns_of(one) == []


def test_trouble_ends_when_nothing_is_left_to_ask_for(many: Scene) -> None:
    many.server.plan = OnComparing(many.server, "502")
    many.collect()
    many.server.plan = {}
    many.repository.history.clear()
    assert not many.collect(NOW + timedelta(days=2)).failed
    with many.open() as one:
        assert {state.health for state in source_states(one)} == {"ok"}
