"""What `[sources.NAME] type = "github"` takes, and how it gets its credential."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from keyresults.collectors.contract import Unauthorized, Unlimited
from keyresults.collectors.github import GitHub
from keyresults.metrics.ranges import TimeRange
from keyresults.metrics.stream import Stream
from pydantic import ValidationError
from standins import histories
from standins.github import TOKEN, GitHubStandIn, github
from standins.github_source import Make, collectors, keeper
from standins.github_world import World
from standins.histories import START, known_by

NOW = START + timedelta(days=20)
OPTIONS = {"token": {"env": "GITHUB_TOKEN"}, "repositories": ["acme/payments"]}


@pytest.fixture
def server() -> Iterator[GitHubStandIn]:
    world = World(NOW)
    world.add("acme/payments", histories.deployments(4, days=20))
    with github(world) as standin:
        yield standin


@pytest.fixture
def make(server: GitHubStandIn, tmp_path: Path) -> Iterator[Make]:
    with collectors(server, tmp_path) as one:
        yield one


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"repositories": ["payments"]}, "is no repository"),
        ({"repositories": ["acme/*/x"]}, "is no repository"),
        ({"repositories": ["*/payments"]}, "is no repository"),
        ({"repositories": []}, "at least 1 item"),
        ({"token": "ghp_abcdefghijklmnopqrstuvwxyz0123456789"}, "never written into the file"),
        ({"token": None}, "say one of"),
        ({"app": {"id": 1, "installation": 2, "key": {"file": "key.pem"}}}, "say one of"),
        ({"api_url": "github.example.com"}, "address of the API"),
        ({"api_url": "https://me:secret@github.example.com"}, "without a credential"),
        ({"deployments": {"tags": "v*", "merges": "main"}}, "exactly one"),
        ({"deployments": {"releases": False}}, "exactly one"),
        ({"deployments": {"releases": "v*"}}, 'write releases = true; a pattern goes with tags, such as tags = "v*"'),
        ({"deployments": {"tags": "v*", "branch": "main"}}, "branch goes with workflow"),
        ({"incidents": {"labels": []}}, "at least 1 item"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_words(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        GitHub.Options.model_validate(OPTIONS | change)
    assert words in str(refused.value)
    assert "ghp_abc" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("deployments", {"deployments": {"workflow": "deploy.yml", "branch": "main"}}),
        ("deployments", {"deployments": {"releases": True}}),
        ("runs", {"workflow": "ci.yml", "branch": "*"}),
        ("changes", {}),
        ("incidents", {}),
        ("samples", {"figures": {"status": "codecov/project"}}),
        ("samples", {"figures": {"artifact": "coverage", "files": ["coverage.xml"]}}),
    ],
)
def test_queries_of_the_grammar_are_taken_as_they_are(kind: str, query: dict[str, object]) -> None:
    said = GitHub.Queries[kind].model_validate(query).model_dump(mode="json", exclude_unset=True)
    assert said == query


def installation(folder: Path) -> dict[str, object]:
    """An App's, with a key of its own in the folder."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    return {"id": 12, "installation": 34, "key": {"file": "key.pem"}}


def test_an_apps_installation_is_a_credential(server: GitHubStandIn, make: Make, tmp_path: Path) -> None:
    app = installation(tmp_path)
    followed = keeper(make(token=None, app=app), "deployments", START)
    followed.collect(make(token=None, app=app), NOW)
    assert followed.facts == {f.key: f for f in known_by(server.world.repositories[0].history, NOW)}
    assert sum(batch.requests for batch in followed.batches) == len(server.asked), "its token is a request as well"
    server.always = "401"
    with pytest.raises(Unauthorized):
        followed.collect(make(token=None, app=app), NOW + timedelta(hours=1))


def test_a_budget_is_a_tokens_or_an_installations_and_names_it_by_a_digest(make: Make, tmp_path: Path) -> None:
    named: list[str] = []

    def budgets(credential: str) -> Unlimited:
        named.append(credential)
        return Unlimited()

    (tmp_path / "key.pem").write_text("a key")
    (tmp_path / "renewed.pem").write_text("the key after it")
    (tmp_path / "other").write_text("ghp_another0another0another0another0")
    for told in (
        {},
        {},
        {"token": {"file": "other"}},
        {"token": None, "app": {"id": 12, "installation": 34, "key": {"file": "key.pem"}}},
        {"token": None, "app": {"id": 12, "installation": 34, "key": {"file": "renewed.pem"}}},
        {"token": None, "app": {"id": 12, "installation": 35, "key": {"file": "key.pem"}}},
    ):
        make(budgets=budgets, **told)
    same, token, other, installation, renewed, elsewhere = named
    assert same == token
    assert installation == renewed
    assert len({token, other, installation, elsewhere}) == 4
    assert all(re.fullmatch("[0-9a-f]{24}", name) for name in named)


def test_a_key_that_is_none_is_said_without_being_shown(make: Make, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN NOTHING-----\nc2VjcmV0\n-----END NOTHING-----")
    app = {"id": 12, "installation": 34, "key": {"file": "key.pem"}}
    with pytest.raises(Unauthorized) as refused:
        keeper(make(token=None, app=app), "deployments", START).collect(make(token=None, app=app), NOW)
    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize("by_app", [False, True])
def test_threads_get_their_own_answers(server: GitHubStandIn, make: Make, tmp_path: Path, by_app: bool) -> None:
    for n in range(6):
        server.world.add(f"acme/shop-{n}", histories.deployments(n, subject=f"acme/shop-{n}", days=10))
    credential = {"token": None, "app": installation(tmp_path)} if by_app else {}
    collector = make(repositories=["acme/shop-*"], **credential)
    seen: dict[str, set[str]] = {}

    def read(stream: Stream) -> None:
        batches = collector.collect(stream, TimeRange(START, NOW), None)
        seen[stream.subject] = {fact.key for batch in batches for fact in batch.facts}

    threads = [Thread(target=read, args=(stream,)) for stream in collector.streams([("deployments", {})])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {
        repository.name: {fact.key for fact in repository.history} for repository in server.world.repositories[1:]
    }
    tokens = [asked for asked in server.asked if asked.path.endswith("/access_tokens")]
    assert len(tokens) == by_app, "all threads use the same"


def test_the_token_is_read_when_the_collector_is_made(make: Make, tmp_path: Path) -> None:
    collector = make()
    (tmp_path / "token").write_text("another")
    assert collector.probe().ok
    assert TOKEN not in repr(vars(collector))
