"""Pages of runs are read in part: what is skipped must be nothing that anything reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from keyresults.collectors.github_facts import end_is_doubtful, run_fact
from keyresults.collectors.github_pages import RUN, runs

RUN_OF_GITHUB: dict[str, Any] = {
    "id": 2**40,
    "run_attempt": 2,
    "status": "completed",
    "conclusion": "success",
    "event": "push",
    "name": "CI",
    "path": ".github/workflows/ci.yml@main",
    "head_branch": "main",
    "head_sha": "a" * 40,
    "html_url": "https://github.com/acme/payments/actions/runs/7",
    "created_at": "2026-10-01T12:00:00Z",
    "run_started_at": "2026-10-01T12:01:00Z",
    "updated_at": "2026-10-01T12:09:00Z",
    "display_title": "Pay \ud83d\ude80",
    "actor": {"login": "a", "url": "https://api.github.com/users/a"},
    "repository": {"id": 1, "full_name": "acme/payments", "owner": {"login": "acme"}},
    "head_repository": {"id": 2, "full_name": "forked/payments"},
}


class Watched(Mapping[str, Any]):
    """An object that remembers what was read of it."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.told, self.read = told, set[str]()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return self.told[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.told)

    def __len__(self) -> int:
        return len(self.told)


def page(*told: object) -> str:
    return json.dumps({"total_count": len(told), "workflow_runs": list(told), "more": 1})


@pytest.mark.parametrize("without", [None, "run_started_at", "path", "head_branch"])
def test_all_that_is_read_of_a_run_is_kept(without: str | None) -> None:
    whole = {key: value for key, value in RUN_OF_GITHUB.items() if key != without}
    watched = Watched(whole)
    end_is_doubtful(watched)
    fact = run_fact(watched, "acme/payments")
    assert watched.read <= set(RUN)
    (kept,) = runs(page(whole))["workflow_runs"]
    assert run_fact(kept, "acme/payments") == fact
    assert set(kept) == {*(set(RUN) - {without}), "repository", "head_repository"}
    assert kept["head_repository"] == {"full_name": "forked/payments"}


@pytest.mark.parametrize("told", [{"id": "7"}, {"id": 2**70, "name": None}, {"head_repository": None}, {"id": [1.5]}])
def test_whatever_stands_there_is_kept_as_it_is(told: dict[str, object]) -> None:
    assert runs(page(told)) == {"total_count": 1, "workflow_runs": [told]}


@pytest.mark.parametrize(
    "text",
    ["[]", "7", '{"workflow_runs": {}}', page(7), page({"repository": "acme"}), page({"id": "\ud800"})],
)
def test_what_is_no_page_of_runs_is_read_whole(text: str) -> None:
    assert runs(text) == json.loads(text)


@pytest.mark.parametrize("text", ["", '{"total_count": 1, "workflow_runs": [', "<html>Sign in</html>", page(1) + "x"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        runs(text)
