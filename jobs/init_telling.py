"""What `init` says: what is there and what is missing, what it measured, what it proposes, what comes next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from textwrap import wrap

from ..config.load import VARIABLE
from .init_period import Period
from .init_sources import IN_ORDER
from .nearby_prometheus import USUAL
from .proposal import Proposals
from .surroundings import Repository, Surroundings
from .workflows import workflow_that_tests

WIDTH = 80
_LABEL = 14


def told(
    found: Surroundings, period: Period, proposals: Proposals, path: Path, environ: Mapping[str, str]
) -> Iterator[str]:
    bare = found.repository is not None and found.repository.bare
    where = ", beside what git keeps there: a bare repository has no other folder" if bare else ""
    yield from wrap(f"Wrote {path}{where}", WIDTH, break_on_hyphens=False, break_long_words=False)
    yield from _section("Found", _found(found))
    alone = "" if found.token else ", from git and files alone"
    words = proposals.measured.words
    if words:
        yield from _section(f"Measured{alone}", [(name, words[name]) for name in IN_ORDER if name in words])
    if proposals.key_results:
        yield from _list(_proposed(period), [one.title for one in proposals.key_results])
    if proposals.left_out:
        yield from _section("Not proposed", [(one.what, f"{one.why}.") for one in proposals.left_out])
    yield from ("", "Next", *(f"  {command}" for command in _next(path, environ)))


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("", title)
    for name, words in rows:
        yield from _row(name, words)


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    yield from ("", title)
    for item in items:
        yield from wrap(item, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _row(name: str, words: str) -> Iterator[str]:
    first, rest = f"  {name:<{_LABEL - 3}} ", " " * _LABEL
    yield from wrap(words, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _proposed(period: Period) -> str:
    said = f"Proposed for {period.cycle.name}, from today to {period.cycle.end}"
    if period.cut is None:
        return said
    return f"{said} ({period.cut.name} ends in {(period.cut.end - period.start).days} days)"


def _found(found: Surroundings) -> Iterator[tuple[str, str]]:
    yield "zone", found.timezone
    if found.repository is None:
        yield "git", f"none: {found.no_repository}"
    else:
        yield from _repository(found.repository, found.token)
    yield "coverage", found.coverage or "no file in the usual places (coverage.xml, lcov.info, …)"
    yield "tests", found.junit or "no JUnit file in the usual places (junit.xml, …)"
    if found.prometheus is None:
        yield "Prometheus", f"none answers at {USUAL[0]}"
    else:
        yield "Prometheus", f"{found.prometheus.url}, {len(found.prometheus.histograms)} histograms of requests"


def _repository(repository: Repository, token: str | None) -> Iterator[tuple[str, str]]:
    yield "git", _clone(repository)
    yield from _tags(repository)
    remote = repository.remote
    if remote is None:
        yield "GitHub", "no remote on a server"
    elif remote.github is None:
        yield "GitHub", f"no: the remote is at {remote.host}"
    elif token is None:
        yield "GitHub", f"{remote.github}; no token is set, so its part is commented out"
    else:
        yield "GitHub", f"{remote.github}, with the token in ${token}"
    if repository.workflows:
        yield "workflows", _workflows(repository)


def _clone(repository: Repository) -> str:
    kind = "bare" if repository.bare else "shallow" if repository.shallow else ""
    kinds = f" ({kind})" if kind else ""
    if repository.branch is None or repository.first is None:
        return f"{repository.label}{kinds}, without a commit yet"
    commits = "1 commit" if repository.commits == 1 else f"{repository.commits:,} commits"
    return f"{repository.label}{kinds}, {repository.branch}: {commits} since {_day(repository.first)}"


def _tags(repository: Repository) -> Iterator[tuple[str, str]]:
    if not repository.families:
        unsure = "; `git fetch --tags` brings them, if there are any" if repository.may_lack_tags else ""
        yield "releases", f"no tags with a version{unsure}"
        return
    first, *others = repository.families
    yield (
        "releases",
        (
            f"tags {first.pattern}: {first.lately} in the last year, the newest {first.newest.name} "
            f"of {_day(first.newest.at)}"
        ),
    )
    if others:
        some = ", ".join(f.pattern for f in others[:4])
        yield "", f"not counted: tags {some}{' …' if others[4:] else ''}"


def _workflows(repository: Repository) -> str:
    testing = workflow_that_tests(repository.workflows)
    deploying = [w.file for w in repository.workflows if w.deploys]
    said = [f"{testing.file} tests changes" if testing else "", ", ".join(deploying) and f"{deploying[0]} deploys"]
    return f"{len(repository.workflows)}; " + "; ".join(s for s in said if s)


def _next(path: Path, environ: Mapping[str, str]) -> Iterator[str]:
    if path.parent != Path.cwd():
        yield f"cd {shlex.quote(str(path.parent))}"
    if environ.get(VARIABLE):
        yield f"unset {VARIABLE}    # it names another config"
    yield "keyresults check      # after every change of the file"
    yield "keyresults collect"
    yield "keyresults status"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
