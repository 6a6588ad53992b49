"""Which changes a clone's own tags shipped, from its history to lead times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from git_layouts import Repo
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.evidence import Evaluation
from keyresults.jobs.readings import daily
from keyresults.jobs.shipments import KIND
from keyresults.jobs.workspace import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = 3600


def at(hours: float) -> datetime:
    return datetime(2026, 11, 2, 10, tzinfo=UTC) + timedelta(hours=hours)


def test_a_git_source_tells_what_its_own_tags_shipped(tmp_path: Path) -> None:
    """A hotfix goes out ahead of main: v1 is m1, v2 the fix off it, v3 all of main."""
    repo = Repo.create(tmp_path / "repo")
    repo.commit(at(0), "m1")
    repo.git("tag", "v1")
    repo.git("checkout", "-q", "-b", "release")
    repo.commit(at(30), "fix")
    repo.git("tag", "v2")
    repo.git("checkout", "-q", "main")
    repo.commit(at(20), "m2")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge the fix", "release", at=at(40))
    repo.commit(at(50), "m4")
    repo.git("tag", "v3")
    config = tmp_path / "keyresults.toml"
    config.write_text(
        '[tracker]\ntimezone = "UTC"\ncycle = "2026-Q4"\n'
        '[sources.repo]\ntype = "git"\npath = "repo"\ndeployments = { tags = "v*" }\n'
        '[metrics.lead]\nsource = "repo"\nmeasure = "lead_time_for_changes"\nmin_samples = 1\n'
    )
    with Workspace(load(config), writing=True, clock=lambda: NOW) as one:
        result = collect(one)
        assert not result.failed
        (run,) = [run for run in result.runs if run.kind == KIND]
        assert (run.added, run.requests) == (2, 0)
        (lead,) = daily(Evaluation(one.config, one.store, NOW), "lead", [NOW], NOW, keep=False)
    # m2 waits from hour 20 to v3 at hour 50, the merge from 40, m4 not at all; by time alone m2 would be in v2.
    assert (lead.value, lead.n) == (10 * HOUR, 3)
    assert "what shipped them is known: 3 by clone" in lead.notes
