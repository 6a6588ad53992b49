"""From files that real tools wrote, and from a real repository, to readings: beside the tools' own figures."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from git_layouts import Repo
from keyresults.config.load import load
from keyresults.jobs.collect import collect
from keyresults.jobs.evaluate import metric_series
from keyresults.jobs.workspace import Workspace
from keyresults.metrics.calendar import Calendar
from keyresults.metrics.reading import Health, Reading

pytestmark = pytest.mark.soak  # real builds, one after the other: in CI, and not for every change

BERLIN = Calendar("Europe/Berlin")
CYCLE = datetime(2026, 9, 30, 22, tzinfo=UTC)
NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
WEEK = timedelta(days=7)

TRACKER = """
[tracker]
timezone = "Europe/Berlin"
cycle = "2026-Q4"
"""


def collect_at(config: Path, now: datetime) -> None:
    with Workspace(load(config), writing=True, clock=lambda: now) as one:
        result = collect(one)
    assert not result.failed, result


def series(config: Path, name: str, as_of: datetime = NOW) -> list[Reading]:
    with Workspace(load(config), clock=lambda: NOW) as one:
        return list(metric_series(one, name, since=None, until=None, as_of=as_of).readings)


def run_python(folder: Path, *arguments: str, code: int = 0) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST"))}
    plain = {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=plain, check=False, capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


# ---- coverage and tests ----------------------------------------------------------------------------------------------

MEASURED = tuple(
    datetime(2026, month, day, hour, 17, 5, tzinfo=UTC)
    for month, day, hour in ((10, 2, 9), (10, 4, 8), (10, 4, 15), (10, 10, 23), (10, 25, 0), (10, 31, 12), (11, 17, 20))
)
"""When builds wrote their files; the fourth lies in the next day of Berlin, the sixth is the last for 17 days."""

PROGRAM = """\
def price(amount, discounted=False, country="de"):
    if discounted and amount > 100:
        return amount * 9 // 10
    if country == "ch":
        return amount + 8
    if country == "us":
        amount += 5
        while amount > 1000:
            amount -= 1
    return amount


def unused():
    for n in range(3):
        print(n)
    return 7
"""

CALLS = (
    "price(50)",
    "price(50, country='ch')",
    "price(500, True)",
    "price(1005, country='us')",
    "unused()",
    "price(5, True); price(3, country='fr')",
)

MEASURE = """\
import sys
from coverage.cmdline import main
for arguments in (
    ["run", "--branch", "--source=shop", "run.py"],
    ["json", "-q", "-o", "coverage.json"],
    ["xml", "-q", "-o", "coverage.xml"],
    ["lcov", "-q", "-o", "coverage.lcov"],
):
    if main(arguments):
        sys.exit(f"{arguments} failed")
main(["report", "--format=total", "--precision=10"])
"""

TESTED = """\
import pytest


@pytest.mark.parametrize("n", range({passing}))
def test_fine(n):
    pass


@pytest.mark.parametrize("n", range({failing}))
def test_broken(n):
    assert n < 0


@pytest.fixture
def hopeless():
    raise RuntimeError("no database")


@pytest.mark.parametrize("n", range({erring}))
def test_unfounded(n, hopeless):
    pass


@pytest.mark.skip(reason="later")
@pytest.mark.parametrize("n", range({skipped}))
def test_later(n):
    pass
"""

FILES = (
    TRACKER
    + """
[sources.json]
type = "coverage"
files = ["build/coverage.json"]

[sources.xml]
type = "coverage"
files = ["build/coverage.xml"]

[sources.lcov]
type = "coverage"
files = ["build/coverage.lcov"]

[sources.tests]
type = "junit"
files = ["build/junit.xml"]

[metrics.passed]
source = "tests"
measure = "test_pass_rate"

[metrics.ran]
source = "tests"
measure = "test_count"
max_age = "20d"
"""
)
KINDS = {"json": ("line", "statement", "branch", "combined"), "xml": ("line", "branch"), "lcov": ("line", "branch")}


@dataclass(frozen=True)
class Built:
    """What the tools said of one build, by metric; `at` is when."""

    at: datetime
    figures: Mapping[str, float]


def build(folder: Path, at: datetime, calls: list[str], outcomes: dict[str, int]) -> Built:
    """Run the tools as a build at that time would have; they know no made-up clocks, so their stamps are replaced."""
    figures = {**measure_coverage(folder, at, calls), **run_tests(folder, at, outcomes)}
    return Built(at, figures)


def measure_coverage(folder: Path, at: datetime, calls: list[str]) -> dict[str, float]:
    (folder / "shop").mkdir(exist_ok=True)
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "cart.py").write_text(PROGRAM)
    (folder / "run.py").write_text("from shop.cart import price, unused\n" + "\n".join(calls) + "\n")
    # The program prints too; the report's total is the last line.
    percent = float(run_python(folder, "-c", MEASURE).split()[-1])
    told = json.loads((folder / "coverage.json").read_text())
    totals = told["totals"]
    cobertura = ET.parse(folder / "coverage.xml").getroot()
    lcov = (folder / "coverage.lcov").read_text()
    figures = {
        "json-line": totals["covered_lines"] / totals["num_statements"],
        "json-statement": totals["covered_lines"] / totals["num_statements"],
        "json-branch": totals["covered_branches"] / totals["num_branches"],
        "json-combined": percent / 100,
        "xml-line": int(cobertura.attrib["lines-covered"]) / int(cobertura.attrib["lines-valid"]),
        "xml-branch": int(cobertura.attrib["branches-covered"]) / int(cobertura.attrib["branches-valid"]),
        "lcov-line": summed(lcov, "LH") / summed(lcov, "LF"),
        "lcov-branch": summed(lcov, "BRH") / summed(lcov, "BRF"),
    }
    told["meta"]["timestamp"] = at.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None).isoformat()
    (folder / "coverage.json").write_text(json.dumps(told))
    cobertura.attrib["timestamp"] = str(int(at.timestamp() * 1000))
    ET.ElementTree(cobertura).write(folder / "coverage.xml")
    os.utime(folder / "coverage.lcov", (at.timestamp(), at.timestamp()))
    return figures


def summed(lcov: str, record: str) -> int:
    return sum(int(n) for n in re.findall(rf"^{record}:(\d+)$", lcov, re.MULTILINE))


def run_tests(folder: Path, at: datetime, outcomes: dict[str, int]) -> dict[str, float]:
    (folder / "test_shop.py").write_text(TESTED.format(**outcomes))
    code = 1 if outcomes["failing"] or outcomes["erring"] else 0
    said = run_python(
        folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=junit.xml", "test_shop.py", code=code
    )
    last = said.strip().splitlines()[-1]
    passed, failed, errors = (
        int(found[1]) if (found := re.search(rf"(\d+) {word}", last)) else 0 for word in ("passed", "failed", "error")
    )
    assert (passed, failed, errors) == (outcomes["passing"], outcomes["failing"], outcomes["erring"])
    written = (folder / "junit.xml").read_text()
    stamped, times = re.subn(r'timestamp="[^"]+"', f'timestamp="{at.isoformat()}"', written)
    assert times == 1
    (folder / "junit.xml").write_text(stamped)
    return {"passed": passed / (passed + failed + errors), "ran": float(passed + failed + errors)}


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Built]]:
    """A tracker that collected soon after each build, and once more later."""
    base = tmp_path_factory.mktemp("tracked")
    (base / "build").mkdir()
    config = base / "keyresults.toml"
    metrics = "".join(
        f'\n[metrics.{source}-{kind}]\nsource = "{source}"\nmeasure = "test_coverage"\nkind = "{kind}"\n'
        for source, kinds in KINDS.items()
        for kind in kinds
    )
    config.write_text(FILES + metrics)
    chance = random.Random(3)
    builds = []
    for n, at in enumerate(MEASURED):
        outcomes = {word: chance.randint(0, 9) for word in ("failing", "erring", "skipped")}
        calls = chance.sample(CALLS, chance.randint(1, 4))
        builds.append(build(base / "build", at, calls, {"passing": 20 + n, **outcomes}))
        collect_at(config, at + timedelta(minutes=20))
    assert len({one.figures["json-line"] for one in builds}) >= 4, "the figures should differ"
    collect_at(config, NOW)
    return config, builds


NAMES = [*(f"{source}-{kind}" for source, kinds in KINDS.items() for kind in kinds), "passed", "ran"]


@pytest.mark.parametrize("name", NAMES)
def test_each_days_reading_is_the_newest_builds_own_figure(tracked: tuple[Path, list[Built]], name: str) -> None:
    config, builds = tracked
    oldest = timedelta(days=20) if name == "ran" else WEEK
    ends = [*BERLIN.day_ends(CYCLE, NOW), NOW]
    readings = series(config, name)
    assert [r.at for r in readings] == ends
    for reading in readings:
        before = [one for one in builds if one.at < reading.at]
        if not before:
            assert (reading.value, reading.health) == (None, Health.NO_DATA), reading
            continue
        assert reading.value == pytest.approx(before[-1].figures[name], rel=1e-9), reading
        stale = reading.at - before[-1].at > oldest
        assert reading.health is (Health.STALE if stale else Health.OK), reading


def test_some_days_are_carried_forward_and_some_are_stale(tracked: tuple[Path, list[Built]]) -> None:
    config, _ = tracked
    healths = {r.day: r.health for r in series(config, "json-line")}
    # Built on the evening of 10 October by UTC, in Berlin on the 11th at 01:17: a week later it is still believed.
    assert healths[date(2026, 10, 1)] is Health.NO_DATA
    assert healths[date(2026, 10, 17)] is Health.OK
    assert healths[date(2026, 10, 18)] is Health.STALE
    assert healths[date(2026, 11, 16)] is Health.STALE
    assert healths[date(2026, 11, 17)] is Health.OK


def test_a_day_with_two_builds_has_the_later_ones_figure_at_its_end(tracked: tuple[Path, list[Built]]) -> None:
    config, builds = tracked
    readings = {r.day: r for r in series(config, "ran")}
    assert readings[date(2026, 10, 4)].value == builds[2].figures["ran"]
    noon = series(config, "ran", as_of=datetime(2026, 10, 4, 12, tzinfo=UTC))[-1]
    assert noon.value == builds[1].figures["ran"]


# ---- a repository ----------------------------------------------------------------------------------------------------

HISTORY = (
    TRACKER
    + """
[sources.repo]
type = "git"
path = "shop"

[metrics.merged]
source = "repo"
measure = "deployment_frequency"
deployments = { merges = "main" }

[metrics.merged-per-workday]
source = "repo"
measure = "deployment_frequency"
deployments = { merges = "main" }
per = "workday"
window = "14d"

[metrics.released]
source = "repo"
measure = "deployment_count"
deployments = { tags = "v*" }
window = "cycle"

[metrics.reverted]
source = "repo"
measure = "rollback_rate"
deployments = { merges = "main" }
rollback = { rules = ["revert"] }

[metrics.releases-reverted]
source = "repo"
measure = "rollback_rate"
deployments = { tags = "v*" }
rollback = { rules = ["revert"] }
window = "14d"
"""
)

BEGUN = datetime(2026, 8, 20, 8, tzinfo=UTC)
LOOKED = (datetime(2026, 10, 8, 6, tzinfo=UTC), datetime(2026, 10, 29, 17, tzinfo=UTC), NOW)


def work(repo: Repo, chance: random.Random, now: datetime, until: datetime) -> datetime:
    """Commits, merged branches, reverts of both (some late, some taken back again) and tags, up to a time."""
    while True:
        now += timedelta(hours=chance.choice((1, 5, 9, 20, 70)), seconds=chance.randrange(3600))
        if now >= until:
            return now
        line = repo.git("log", "--first-parent", "--format=%H %P", "-12").splitlines()
        kind = chance.choice(("change", "change", "branch", "revert", "revert", "tag"))
        if kind == "tag":
            annotated = ("-a", "-m", "A release") if chance.random() < 0.5 else ()
            name = f"{chance.choice('vvx')}{now:%m%d.%H%M}"
            repo.git("tag", *annotated, name, at=now)
        elif kind == "revert" and len(line) > 3:
            revert(repo, chance.choice(line[:-1]), now)
        elif kind == "branch":
            repo.git("checkout", "-q", "-b", "side")
            for n in range(chance.randint(1, 3)):
                change(repo, now - timedelta(minutes=30 - n))
            repo.git("checkout", "-q", "main")
            repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'side'", "side", at=now)
            repo.git("branch", "-q", "-D", "side")
        else:
            change(repo, now)


def change(repo: Repo, at: datetime) -> None:
    name = f"{at:%m%d%H%M%S}.txt"
    (repo.path / name).write_text(name)
    repo.git("add", name)
    repo.git("commit", "-q", "-m", f"Add {name}", at=at)


def revert(repo: Repo, commit: str, at: datetime) -> None:
    """As people do; where it does not go through any more (it was taken back already), it is left."""
    chosen, *parents = commit.split()
    try:
        repo.git("revert", "--no-edit", *(("-m", "1") if len(parents) > 1 else ()), chosen, at=at)
    except subprocess.CalledProcessError:
        repo.git("reset", "-q", "--hard")


@pytest.fixture(scope="module", params=[1, 2])
def followed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Repo]:
    base = tmp_path_factory.mktemp("followed")
    config = base / "keyresults.toml"
    config.write_text(HISTORY)
    repo = Repo.create(base / "shop")
    change(repo, BEGUN)
    chance, now = random.Random(request.param), BEGUN
    for until in LOOKED:
        now = work(repo, chance, now, until)
        collect_at(config, until)
    return config, repo


@dataclass
class Shipped:
    """One deployment by plain `git log` or `git for-each-ref`; `undone` once a later one shipped its revert."""

    at: datetime
    undone: bool = False


def commits(repo: Repo) -> Iterator[tuple[str, datetime, str]]:
    """Id, time and message of each commit on main's own line, oldest first."""
    said = repo.git("log", "--first-parent", "--reverse", "--format=%H%x01%ct%x01%B%x02", "main")
    for record in said.split("\x02"):
        if record.strip():
            id_, seconds, message = record.strip().split("\x01")
            yield id_, datetime.fromtimestamp(int(seconds), UTC), message


def by_log(repo: Repo, ships: list[Shipped] | None = None) -> list[Shipped]:
    """Every commit ships itself; with `ships` (releases, oldest first) each goes out with the next of them."""
    own: list[Shipped] = []
    carrier: dict[str, Shipped] = {}
    for id_, at, message in commits(repo):
        if ships is None:
            own.append(Shipped(at))
            mine: Shipped | None = own[-1]
        else:
            mine = next((one for one in ships if one.at >= at), None)
        if mine is None:
            continue
        carrier[id_] = mine
        found = re.search(r"This reverts commit (\w{40})", message)
        origin = carrier.get(found[1]) if found else None
        if origin is not None and origin is not mine and mine.at - origin.at <= WEEK:
            origin.undone = True
    return own if ships is None else ships


def releases(repo: Repo) -> list[Shipped]:
    """Tags like v*, oldest first; one more tag on the commit that is out already brings nothing out."""
    form = "%(creatordate:unix) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
    said = repo.git("for-each-ref", "--sort=creatordate", f"--format={form}", "refs/tags/v*")
    found, out = [], ""
    for seconds, commit in map(str.split, said.splitlines()):
        if commit != out:
            found.append(Shipped(datetime.fromtimestamp(int(seconds), UTC)))
        out = commit
    return found


def days_before(at: datetime, days: int) -> datetime:
    return (at.astimezone(ZoneInfo("Europe/Berlin")) - timedelta(days=days)).astimezone(UTC)


def test_the_repositories_hold_merges_and_reverts(followed: tuple[Path, Repo]) -> None:
    _, repo = followed
    shipped = by_log(repo)
    assert len(shipped) > 40
    assert sum(one.undone for one in shipped) >= 4
    assert repo.git("log", "--first-parent", "--merges", "--format=%h").split()
    late = len(repo.git("log", "--first-parent", "--grep=^This reverts", "--format=%h").split())
    assert late > sum(one.undone for one in shipped), "some reverts should come too late to count, or undo a revert"


def test_frequency_is_what_git_log_counts(followed: tuple[Path, Repo]) -> None:
    config, repo = followed
    shipped = by_log(repo)
    for reading in series(config, "merged"):
        expected = sum(days_before(reading.at, 28) <= one.at < reading.at for one in shipped)
        assert (reading.numerator, reading.health) == (expected, Health.OK)
        assert reading.value == pytest.approx(expected / 28)
    for reading in series(config, "merged-per-workday")[:-1]:
        # Any fourteen whole days hold ten from Monday to Friday.
        expected = sum(days_before(reading.at, 14) <= one.at < reading.at for one in shipped)
        assert reading.value == pytest.approx(expected / 10)
    for reading in series(config, "released"):
        assert reading.value == sum(CYCLE <= one.at < reading.at for one in releases(repo))


@pytest.mark.parametrize(("name", "window"), [("reverted", 28), ("releases-reverted", 14)])
def test_the_revert_rate_is_what_git_log_counts(followed: tuple[Path, Repo], name: str, window: int) -> None:
    config, repo = followed
    shipped = by_log(repo) if name == "reverted" else by_log(repo, releases(repo))
    rated = 0
    for reading in series(config, name):
        settled = [
            one
            for one in shipped
            if days_before(reading.at, window) <= one.at < reading.at and one.at <= NOW - timedelta(hours=24)
        ]
        if not settled:
            assert reading.value is None
            continue
        undone = sum(one.undone for one in settled)
        assert (reading.numerator, reading.denominator) == (undone, len(settled)), reading
        assert reading.health is (Health.OK if len(settled) >= 5 else Health.TOO_FEW)
        rated += undone > 0
    assert rated > 5 or name != "reverted"
