"""What lies between two deployed commits, by GitHub's comparison or by a clone that the config names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from git_layouts import Repo
from keyresults.collectors import github_client
from keyresults.collectors.contract import Budget, Resolver, RetryAt, SourceError, Unauthorized, Unlimited
from keyresults.collectors.github import GitHub
from keyresults.collectors.github_options import GitHubOptions
from keyresults.metrics.facts import Shipment
from pydantic import ValidationError
from standins import github_compare
from standins.github import GitHubStandIn
from standins.github_code import Commit
from standins.github_source import PAYMENTS, Make, a_maker, a_repository, a_server, a_world
from standins.github_world import Repository
from standins.histories import START

__all__ = ["a_maker", "a_repository", "a_server", "a_world"]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(github_client, "PER_MINUTE", {})


def oid(n: int) -> str:
    return f"{n:040x}"


@pytest.fixture(name="line")
def a_line(repository: Repository) -> list[str]:
    """Three hundred commits, one after the other, and an orphan."""
    made = [Commit(oid(n), START + timedelta(hours=n), (oid(n - 1),) if n else ()) for n in range(300)]
    repository.code.add(*made, Commit(oid(999), START))
    repository.code.branches["main"] = oid(299)
    return [one.oid for one in made]


@dataclass
class Found:
    """What a collector told; `error` is what ended it."""

    shipments: dict[str, Shipment] = field(default_factory=dict)
    requests: int = 0
    problems: list[str] = field(default_factory=list)
    error: Exception | None = None


def resolve(collector: GitHub, *pairs: tuple[str, str]) -> Found:
    assert isinstance(collector, Resolver)
    found = Found()
    try:
        for batch in collector.resolve([(PAYMENTS, *pair) for pair in pairs]):
            found.shipments |= {one.key: one for one in batch.facts if isinstance(one, Shipment)}
            found.requests += batch.requests
            found.problems += batch.problems
    except Exception as error:
        found.error = error
    return found


def only(found: Found) -> Shipment:
    (one,) = found.shipments.values()
    return one


def test_a_comparison_tells_the_commits_after_the_one_before(make: Make, line: list[str]) -> None:
    one = only(resolve(make(), (line[3], line[6])))
    assert (set(one.commits), one.relation, one.method) == (set(line[4:7]), "ahead", "compare")
    assert (one.key, one.subject) == (f"{line[3]}..{line[6]}", PAYMENTS)


def test_one_request_is_enough_for_250_commits(make: Make, server: GitHubStandIn, line: list[str]) -> None:
    found = resolve(make(), (line[0], line[250]))
    assert set(only(found).commits) == set(line[1:251])
    asked = [one for one in server.asked if "/compare/" in one.path]
    assert len(asked) == 1
    assert found.requests == len(server.asked) == 2, "the repository itself is looked up once"


def test_more_than_250_commits_are_read_page_by_page(make: Make, server: GitHubStandIn, line: list[str]) -> None:
    found = resolve(make(), (line[0], line[299]))
    assert set(only(found).commits) == set(line[1:300])
    asked = [one.query.get("page", "") for one in server.asked if "/compare/" in one.path]
    assert asked[0] == ""
    assert len(asked) <= 4
    assert found.requests == len(server.asked)


def test_an_ancestor_lies_behind_and_ships_nothing(make: Make, line: list[str]) -> None:
    one = only(resolve(make(), (line[9], line[4])))
    assert (one.relation, one.commits, one.method) == ("behind", (), "compare")


def test_a_branch_off_an_older_commit_ships_its_own_alone(make: Make, repository: Repository, line: list[str]) -> None:
    repository.code.add(Commit(oid(501), START + timedelta(days=30), (line[2],)))
    one = only(resolve(make(), (line[9], oid(501))))
    assert (one.relation, one.commits) == ("diverged", (oid(501),))


@pytest.mark.parametrize("gone", [oid(700), oid(999)], ids=["never pushed, or rewritten away", "of another history"])
def test_what_github_cannot_compare_is_marked_as_such(make: Make, line: list[str], gone: str) -> None:
    found = resolve(make(), (line[3], gone), (line[3], line[4]))
    unknown, known = found.shipments.values()
    assert (unknown.method, unknown.relation, unknown.commits) == ("merge-time", None, ())
    assert known.method == "compare"
    assert found.error is None


def test_a_token_that_may_not_read_the_code_is_no_unknown_commit(make: Make, repository: Repository) -> None:
    """To it GitHub finds nothing at all, not even the default branch."""
    found = resolve(make(), (oid(1), oid(2)), (oid(2), oid(3)))
    assert isinstance(found.error, Unauthorized)
    assert "contents" in str(found.error)
    assert not found.shipments


def test_an_unknown_commit_is_made_sure_of_once(make: Make, server: GitHubStandIn, line: list[str]) -> None:
    resolve(make(), *[(line[n], oid(700 + n)) for n in range(5)])
    assert len(server.asked) == 1 + 5 + 1


def test_a_list_that_github_cuts_short_tells_the_relation_alone(
    make: Make, server: GitHubStandIn, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_page", lambda asked, items, body: type(server)._page(server, asked, items[:10], body))
    one = only(resolve(make(), (line[0], line[299])))
    assert (one.method, one.relation, one.commits) == ("merge-time", "ahead", ())


def test_a_renamed_repository_is_compared_under_its_new_name(
    make: Make, server: GitHubStandIn, repository: Repository, line: list[str]
) -> None:
    repository.name = "acme/billing"
    server.world.renamed[PAYMENTS] = "acme/billing"
    one = only(resolve(make(), (line[3], line[4])))
    assert (one.subject, one.commits) == (PAYMENTS, (line[4],))


@dataclass
class Purse(Unlimited):
    """A budget of so many requests."""

    left: int

    def spend(self, resource: str, requests: int = 1, *, per_minute: int | None = None) -> float:
        if self.left < requests:
            raise RetryAt(START + timedelta(days=41), "only the reserve is left")
        self.left -= requests
        return 0.0


def test_what_was_told_before_the_budget_ended_is_kept(make: Make, line: list[str]) -> None:
    purse: Budget = Purse(4)
    found = resolve(make(budgets=lambda _: purse), *[(line[n], line[n + 1]) for n in range(6)])
    assert list(found.shipments) == [f"{line[n]}..{line[n + 1]}" for n in range(3)]
    assert isinstance(found.error, RetryAt)
    assert found.requests == 4


def test_a_limit_is_told_at_once_with_what_came_before(make: Make, server: GitHubStandIn, line: list[str]) -> None:
    server.plan[3] = "secondary limit"
    found = resolve(make(), *[(line[n], line[n + 1]) for n in range(3)])
    assert len(found.shipments) == 1
    assert isinstance(found.error, RetryAt)


def test_one_comparison_too_much_for_github_leaves_the_others(
    make: Make, server: GitHubStandIn, line: list[str]
) -> None:
    server.plan |= dict.fromkeys((3, 4, 5), "502")
    found = resolve(make(), *[(line[n], line[n + 1]) for n in range(3)])
    assert list(found.shipments) == [f"{line[n]}..{line[n + 1]}" for n in (0, 2)]
    assert found.error is None
    assert found.problems
    assert found.requests == len(server.asked)


def test_a_github_in_trouble_is_left_alone_after_two(make: Make, server: GitHubStandIn, line: list[str]) -> None:
    server.plan |= dict.fromkeys(range(3, 20), "502")
    found = resolve(make(), *[(line[n], line[n + 1]) for n in range(9)])
    assert isinstance(found.error, SourceError)
    assert len(server.asked) == 2 + 6


def test_a_repository_out_of_sight_is_no_unknown_commit(make: Make, line: list[str], repository: Repository) -> None:
    repository.name = "acme/elsewhere"
    found = resolve(make(), (line[0], line[1]))
    assert isinstance(found.error, Unauthorized)
    assert not found.shipments


def test_an_answer_about_other_commits_is_refused(make: Make, line: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    compared = github_compare.compared
    monkeypatch.setattr(github_compare, "compared", lambda code, *_: compared(code, line[7], line[8]))
    found = resolve(make(), (line[0], line[1]))
    assert isinstance(found.error, SourceError)
    assert not found.shipments


# ---- clones


@pytest.fixture(name="clone")
def a_clone(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "payments")


def test_a_clone_takes_no_request(make: Make, server: GitHubStandIn, clone: Repo) -> None:
    made = [clone.commit(START + timedelta(days=n)) for n in range(3)]
    found = resolve(make(clones={"Acme/Payments": "payments"}), (made[0], made[2]))
    one = only(found)
    assert (one.method, set(one.commits), one.relation) == ("clone", set(made[1:]), "ahead")
    assert not server.asked


def test_github_is_asked_for_what_the_clone_lacks(
    make: Make, server: GitHubStandIn, clone: Repo, line: list[str]
) -> None:
    first, second = clone.commit(START), clone.commit(START + timedelta(days=1))
    found = resolve(make(clones={PAYMENTS: "payments"}), (line[0], line[1]), (first, second))
    assert {one.method for one in found.shipments.values()} == {"clone", "compare"}
    assert found.requests == len(server.asked) == 2


def test_a_folder_that_is_no_clone_is_told_and_github_asked(make: Make, line: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = resolve(make(clones={PAYMENTS: "empty"}), (line[0], line[1]))
    assert only(found).method == "compare"
    assert "GitHub is asked instead" in found.problems[0]


def test_a_clone_of_another_repository_is_not_looked_at(
    make: Make, server: GitHubStandIn, clone: Repo, line: list[str]
) -> None:
    found = resolve(make(clones={"acme/ledger": "payments"}), (line[0], line[1]))
    assert only(found).method == "compare"


def test_clones_are_named_by_repository() -> None:
    with pytest.raises(ValidationError, match="is no repository"):
        GitHubOptions.model_validate(
            {"token": {"env": "T"}, "repositories": [PAYMENTS], "clones": {"payments": "../payments"}}
        )


def test_nothing_is_asked_where_nothing_is_wanted(make: Make, server: GitHubStandIn) -> None:
    assert resolve(make()).error is None
    assert not server.asked
