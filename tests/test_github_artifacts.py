"""Coverage and test results out of workflow artifacts, which GitHub only names a place for."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from keyresults.collectors import github_artifacts, github_client
from keyresults.collectors.contract import SourceError
from keyresults.collectors.github_cursor import SETTLES
from keyresults.collectors.github_options import GitHubOptions
from keyresults.collectors.github_transport import Transport
from keyresults.metrics.facts import Sample
from keyresults.metrics.ranges import TimeRange, TimeRanges
from standins.github import TOKEN, GitHubStandIn
from standins.github_code import Commit
from standins.github_figures import Artifact, Storage, run_page, storage
from standins.github_source import DAY, PAYMENTS, Make, a_server, a_world, collectors, keeper  # noqa: F401 (fixtures)
from standins.github_world import World
from standins.histories import START
from standins.keeping import Keeper

HOUR = timedelta(hours=1)
LATE = timedelta(minutes=7)
"""How long after its commit an artifact is there."""

REPORTS = {"figures": {"artifact": "reports", "files": ["coverage.info", "junit/*.xml"]}}


@pytest.fixture
def make(server: GitHubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(github_client, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(github_client, "PER_MINUTE", {})
    with collectors(server, tmp_path) as one:
        yield one


@pytest.fixture
def elsewhere() -> Iterator[Storage]:
    with storage() as place:
        yield place


def packed(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, body in files.items():
            entry = zipfile.ZipInfo("x")
            entry.filename, entry.compress_type = name, method
            archive.writestr(entry, body)
    return whole.getvalue()


def a_list(count: int) -> tuple[bytes, bytes]:
    """One file, and a list that names it `count` times."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, *(0,) * 8, 1, *(0,) * 6) + b"a"
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, *(0,) * 7, 1, 0) + b"a", entry * count


def zip64(list_of: int) -> bytes:
    """An archive whose end says one thing, and its second end (ZIP64), which is believed, another."""
    file, entries = a_list(list_of)
    sizes = (list_of, list_of, len(entries), len(file))
    larger = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, *sizes)
    where = struct.pack("<4sLQL", b"PK\6\7", 0, len(file) + len(entries), 1)
    return file + entries + larger + where + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 47, len(file), 0)


def uncounted(count: int) -> bytes:
    """An archive whose end tells the size of its list truly, and says that it is one file."""
    file, entries = a_list(count)
    return file + entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entries), len(file), 0)


def lcov(covered: int) -> str:
    """Two hundred lines, of which the first ones are covered."""
    lines = "".join(f"DA:{n},{int(n <= covered)}\n" for n in range(1, 201))
    return f"TN:\nSF:src/pay.py\n{lines}end_of_record\n"


def coverage(text: str) -> bytes:
    return packed({"coverage.info": text, "junit/a.xml": junit(1, 0)})


def junit(passed: int, failed: int) -> str:
    cases = '<testcase name="a"/>' * passed + '<testcase name="b"><failure/></testcase>' * failed
    return f'<testsuite name="s" tests="{passed + failed}">{cases}</testsuite>'


def reports(number: int) -> bytes:
    return packed({"coverage.info": lcov(number), "junit/a.xml": junit(number, 1), "junit/b.xml": junit(1, 0), "x": ""})


def uploaded(
    world: World, elsewhere: Storage, number: int, at: datetime, body: bytes | None = None, commit: int | None = None
) -> Artifact:
    """An artifact of a commit made a little earlier, kept for 30 days."""
    oid = f"{commit or number:040x}"
    code = world.repositories[0].code
    if oid not in code.objects:
        code.add(Commit(oid, at - LATE))
    address = elsewhere.put(f"{number}.zip", reports(number) if body is None else body)
    code.artifacts.append(Artifact(number, "reports", oid, at, at + 30 * DAY, address))
    return code.artifacts[-1]


def history(world: World, elsewhere: Storage, count: int = 8) -> dict[str, Sample]:
    """An artifact every day and four hours, the last one some days ago; the samples they give."""
    world.add(PAYMENTS)
    told = {}
    for n in range(1, count + 1):
        one = uploaded(world, elsewhere, n, START + 25 * DAY + n * 28 * HOUR)
        told[one.commit] = sample(n, one)
    return told


def sample(number: int, one: Artifact) -> Sample:
    return Sample(
        key=one.commit,
        subject=PAYMENTS,
        at=one.created - LATE,
        parts={"covered": number, "coverable": 200, "passed": number + 1, "failed": 1, "errors": 0, "skipped": 0},
        commit=one.commit,
        url=run_page(PAYMENTS, one),
    )


def test_coverage_and_tests_of_every_artifact_are_dated_by_their_commit(
    world: World, make: Make, elsewhere: Storage, server: GitHubStandIn
) -> None:
    told = history(world, elsewhere)
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert followed.covered == TimeRanges.of(TimeRange(START + 20 * DAY, world.now - SETTLES))
    assert not followed.problems
    # The repository, the list, when the commits were made, and each artifact's place.
    assert sum(batch.requests for batch in followed.batches) == len(server.asked) == 3 + 8


def test_no_credential_is_sent_to_where_they_lie(world: World, make: Make, elsewhere: Storage) -> None:
    history(world, elsewhere, 3)
    keeper(make(), "samples", START + 20 * DAY, **REPORTS).collect(make(), world.now)
    assert sorted(path for path, _ in elsewhere.asked) == ["/1.zip", "/2.zip", "/3.zip"]
    for _, headers in elsewhere.asked:
        assert "authorization" not in {name.lower() for name in headers}
        assert TOKEN not in str(headers)


def test_a_poll_without_news_is_answered_for_free_and_one_with_news_reads_only_those(
    world: World, make: Make, elsewhere: Storage, server: GitHubStandIn
) -> None:
    told = history(world, elsewhere)
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    memo: dict[str, str] = {}
    followed.collect(make(memo), world.now)
    world.now += HOUR
    server.forget()
    followed.collect(make(memo), world.now)
    assert set(server.counts()) == {304}
    elsewhere.asked.clear()
    world.now += HOUR
    one = uploaded(world, elsewhere, 50, world.now - HOUR / 2)
    followed.collect(make(memo), world.now)
    assert followed.facts == told | {one.commit: sample(50, one)}
    assert [path for path, _ in elsewhere.asked] == ["/50.zip"]


@pytest.mark.soak
def test_several_pages_are_read_as_far_back_as_is_asked(
    world: World, make: Make, elsewhere: Storage, server: GitHubStandIn
) -> None:
    world.add(PAYMENTS)
    same = reports(7)
    for n in range(1, 251):
        uploaded(world, elsewhere, n, START + 11 * DAY + n * timedelta(hours=2), same)
    followed = keeper(make(), "samples", START + 21 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert {int(key, 16) for key, one in followed.facts.items() if one.at in followed.covered} == set(range(121, 251))
    assert sum(one.path.endswith("/artifacts") for one in server.asked) == 2
    followed.since = START + 10 * DAY
    followed.collect(make(), world.now)
    assert {int(key, 16) for key in followed.facts} == set(range(1, 251))
    assert len(elsewhere.asked) == 250


def test_a_repeated_run_replaces_what_was_measured_at_its_commit(world: World, make: Make, elsewhere: Storage) -> None:
    told = history(world, elsewhere)
    again = uploaded(world, elsewhere, 60, world.now - HOUR, commit=3)
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told | {again.commit: replace(sample(60, again), at=told[again.commit].at)}
    assert "/3.zip" not in {path for path, _ in elsewhere.asked}


def test_other_branches_and_forks_are_left_alone(world: World, make: Make, elsewhere: Storage) -> None:
    told = history(world, elsewhere)
    uploaded(world, elsewhere, 70, world.now - HOUR).branch = "feature"
    uploaded(world, elsewhere, 71, world.now - HOUR).forked = True
    uploaded(world, elsewhere, 72, world.now - HOUR).name = "others"
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told


def test_what_has_expired_is_said_and_no_time_before_it_is_claimed(
    world: World, make: Make, elsewhere: Storage
) -> None:
    told = history(world, elsewhere)
    expired = [uploaded(world, elsewhere, 80 + n, START + n * DAY) for n in range(1, 4)]
    followed = keeper(make(), "samples", START, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert list(dict.fromkeys(followed.problems)) == [
        f"{PAYMENTS}: 3 artifacts 'reports' have expired unread, the newest of 2026-09-10"
    ]
    kept_from = world.now - 30 * DAY
    assert followed.covered == TimeRanges.of(TimeRange(kept_from, world.now - SETTLES))
    assert followed.batches[-1].horizon == kept_from
    assert expired[2].created < kept_from


def test_what_expires_after_it_was_read_keeps_its_figure(world: World, make: Make, elsewhere: Storage) -> None:
    told = history(world, elsewhere)
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    world.now += 60 * DAY
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert not followed.problems
    assert followed.covered == TimeRanges.of(TimeRange(START + 20 * DAY, world.now - SETTLES))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (packed({"../coverage.info": "x"}), "which leads out of it"),
        (packed({"/etc/coverage.info": "x"}), "which leads out of it"),
        (packed({"a/..\\..\\coverage.info": "x"}), "which leads out of it"),
        (packed({"C:/coverage.info": "x"}), "which leads out of it"),
        (packed({"other.info": "x"}), "no file in it matches 'coverage.info'; it holds other.info"),
        (packed({"coverage.info": "nonsense", "junit/a.xml": junit(1, 0)}), "it begins with 'nonsense'"),
        (packed({"coverage.info": lcov(1), "junit/a.xml": "<testsuite>"}), "the XML ends or breaks here"),
        (b"no archive at all", "it is no zip archive"),
        (reports(3)[:-30], "it is no zip archive, or cut off"),
        (b"PK" + reports(3)[300:], "it can't be unpacked"),
        (packed({str(n): "" for n in range(10_001)}), "it holds more than the 10,000 files"),
        (packed({}), "no file in it matches"),
        (packed({".": "x"}), "it holds nothing"),
        (packed({"": "x"}), "it holds nothing"),
        (
            packed({"coverage.info": lcov(1), "junit/a.xml": junit(1, 0)}, zipfile.ZIP_BZIP2),
            "packed by another method than deflate",
        ),
        (
            packed({"coverage.info": lcov(1), "junit/a.xml": junit(1, 0)}, zipfile.ZIP_LZMA),
            "packed by another method than deflate",
        ),
        (zip64(list_of=2), "archives beyond 4 GB (ZIP64)"),
        (zip64(list_of=10_001), "archives beyond 4 GB (ZIP64)"),
        (uncounted(10_001), "it holds more than the 10,000 files"),
        (coverage('{"meta": {}, "files": ' + "9" * 5000 + "}"), "it can't be read (Exceeds the limit"),
        (coverage('{"meta": [], "files": {}}'), "it has no `meta` and `files`"),
        (coverage('{"meta": {}, "files": {"a": {"executed_lines": [1e999]}}}'), "it lacks what coverage.py writes"),
        (coverage(f"SF:a\nLF:{10**400}\nend_of_record\n"), "it says that 0 of"),
        (coverage("SF:a\nLF:2\nLH:3\nend_of_record\n"), "it says that 3 of 2 are covered"),
    ],
)
def test_an_archive_that_can_not_be_read_is_a_problem_and_no_figure(
    world: World, make: Make, elsewhere: Storage, body: bytes, words: str
) -> None:
    told = history(world, elsewhere)
    uploaded(world, elsewhere, 90, world.now - HOUR, body)
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told
    (problem,) = dict.fromkeys(followed.problems)
    assert problem.startswith(f"{PAYMENTS}: artifact reports of 000000000000: ") or "matches" in problem
    assert words in problem


@pytest.mark.soak
def test_a_bomb_is_let_go_before_it_fills_anything(
    world: World, make: Make, elsewhere: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = history(world, elsewhere)
    files = {"coverage.info": lcov(1), **{f"junit/{n}.xml": b" " * (40 * 2**20) for n in range(6)}}
    bomb = packed(files)
    assert len(bomb) < 2**19
    uploaded(world, elsewhere, 91, world.now - HOUR, bomb)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert list(dict.fromkeys(followed.problems)) == [
        f"{PAYMENTS}: artifact reports of 000000000000: it unpacks to more than the 209,715,200 bytes that are read"
    ]
    assert not list(temporary.iterdir())


def test_an_entry_that_lies_about_its_size_is_not_believed(world: World, make: Make, elsewhere: Storage) -> None:
    history(world, elsewhere)
    honest = packed({"coverage.info": b"T" * (30 * 2**20), "junit/a.xml": junit(1, 0)})
    size = (30 * 2**20).to_bytes(4, "little")
    uploaded(world, elsewhere, 92, world.now - HOUR, honest.replace(size, (10).to_bytes(4, "little")))
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert f"{92:040x}" not in followed.facts
    assert len(set(followed.problems)) == 1


def test_one_that_can_not_be_fetched_is_tried_again_and_those_before_it_are_kept(
    world: World, make: Make, elsewhere: Storage
) -> None:
    told = history(world, elsewhere)
    elsewhere.broken.add("/4.zip")
    uploaded(world, elsewhere, 95, world.now - HOUR, b"nonsense")
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    with pytest.raises(SourceError, match="answered with 500 to the download"):
        followed.collect(make(), world.now)
    assert set(followed.facts) == {f"{n:040x}" for n in (5, 6, 7, 8)}
    assert not followed.covered
    assert len(set(followed.problems)) == 1
    elsewhere.broken.clear()
    elsewhere.asked.clear()
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert len(elsewhere.asked) == 4


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_a_download_is_as_encrypted_as_the_api(
    world: World, make: Make, elsewhere: Storage, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(Transport, "is_encrypted", True)
    world.add(PAYMENTS)
    one = uploaded(world, elsewhere, 1, world.now - HOUR)
    one.address = f"{one.address}".replace("http", scheme, 1)
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    with pytest.raises(SourceError, match=r"artifact reports of 0{12}: .* would be asked without encryption"):
        followed.collect(make(), world.now)
    assert not elsewhere.asked


def test_an_api_in_capital_letters_is_encrypted_too() -> None:
    written = {"api_url": "HTTPS://github.example.com/api/v3/", "repositories": [PAYMENTS], "token": {"env": "T"}}
    assert GitHubOptions.model_validate(written).api_url == "https://github.example.com/api/v3"


@pytest.mark.parametrize(("seconds", "batches"), [(0.0, 8), (30.0, 1)])
def test_downloads_that_take_long_are_handed_over_one_by_one(
    world: World, make: Make, elsewhere: Storage, monkeypatch: pytest.MonkeyPatch, seconds: float, batches: int
) -> None:
    told = history(world, elsewhere)
    monkeypatch.setattr(github_artifacts, "HAND_OVER", seconds)
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert [len(batch.facts) for batch in followed.batches if batch.facts] == [8 // batches] * batches


def test_what_is_gone_or_too_large_holds_up_none_of_the_others(world: World, make: Make, elsewhere: Storage) -> None:
    told = history(world, elsewhere)
    for n in range(101, 108):
        uploaded(world, elsewhere, n, world.now - HOUR)
    code = world.repositories[0].code
    code.artifacts[-1].address = None
    del elsewhere.held["/106.zip"]
    for one in code.artifacts[8:13]:
        one.size = 2**26 + 1
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told
    said = list(dict.fromkeys(followed.problems))
    assert said[0] == f"{PAYMENTS}: artifact reports of 000000000000 is gone"
    assert said[-1] == f"{PAYMENTS}: 2 more artifacts can't be read either"
    assert sum("it has 67,108,865 bytes, more than the 67,108,864 that are read" in one for one in said) == 1
    followed.collect(make(), world.now + HOUR)
    assert followed.facts == told


def test_a_kind_of_coverage_the_files_do_not_know_is_told(world: World, make: Make, elsewhere: Storage) -> None:
    history(world, elsewhere, 1)
    (stream,) = make().streams([("samples", {**REPORTS, "kind": "statement"})])
    followed = Keeper(stream, START + 20 * DAY)
    followed.collect(make(), world.now)
    assert not followed.facts
    (problem,) = dict.fromkeys(followed.problems)
    assert 'in the format lcov, which has no kind "statement"' in problem


@pytest.mark.parametrize("hostile", ["[" * 200_000, '<!DOCTYPE a [<!ENTITY b "c">]><testsuite name="&b;"/>'])
def test_a_hostile_report_is_a_problem(world: World, make: Make, elsewhere: Storage, hostile: str) -> None:
    told = history(world, elsewhere)
    uploaded(world, elsewhere, 96, world.now - HOUR, packed({"coverage.info": hostile, "junit/a.xml": junit(1, 0)}))
    followed = keeper(make(), "samples", START + 20 * DAY, **REPORTS)
    followed.collect(make(), world.now)
    assert followed.facts == told
    assert len(set(followed.problems)) == 1


def test_without_files_everything_in_it_counts(world: World, make: Make, elsewhere: Storage) -> None:
    world.add(PAYMENTS)
    one = uploaded(world, elsewhere, 1, world.now - HOUR, packed({"build/lcov.info": lcov(150)}))
    uploaded(world, elsewhere, 2, world.now - HOUR, packed({"build/lcov.info": lcov(1), "index.html": "<html/>"}))
    followed = keeper(make(), "samples", START + 20 * DAY, figures={"artifact": "reports"})
    followed.collect(make(), world.now)
    (fact,) = followed.facts.values()
    assert isinstance(fact, Sample)
    assert (fact.commit, fact.parts) == (one.commit, {"covered": 150, "coverable": 200})
    (problem,) = dict.fromkeys(followed.problems)
    assert "its root <html> is neither" in problem
    assert problem.endswith("; `files` says which of it count")
