"""Writes the story down as acme's systems would: CSV exports, a coverage file, a git repository, samples."""

from __future__ import annotations

import csv
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from story import BOUNDS, STEP, ZONE, Deployment, Merge, Story

LINES_A_FILE = 40


def write_deployments(path: Path, story: Story) -> None:
    columns = ("id", "repository", "sha", "env", "result", "created", "started", "finished")
    _write_rows(path, columns, (_cells(one) for one in story.deployments()))


def _cells(one: Deployment) -> list[str]:
    times = (one.created, one.started, one.finished)
    what = (one.id, one.repository, one.commit, one.environment, one.result)
    return [*what, *(at.isoformat(timespec="seconds") for at in times)]


def write_tickets(path: Path, story: Story) -> None:
    _write_rows(path, ("date", "tickets"), story.tickets())


def write_coverage(path: Path, story: Story, day: int) -> None:
    """Cobertura, as coverage.py and most other tools can write it."""
    covered, coverable = story.coverage(day)
    stamp = int(story.measured_at(day).timestamp() * 1000)
    files = range(0, coverable, LINES_A_FILE)
    path.write_text(
        f'<?xml version="1.0" ?>\n<coverage version="7.6" timestamp="{stamp}" lines-valid="{coverable}" '
        f'lines-covered="{covered}" line-rate="{covered / coverable:.4f}" branch-rate="0" complexity="0">\n'
        "<sources><source>/builds/payments/src</source></sources>\n"
        '<packages><package name="payments"><classes>\n'
        + "".join(_coverage_of_file(first, min(coverable, first + LINES_A_FILE), covered) for first in files)
        + "</classes></package></packages>\n</coverage>\n"
    )


def _coverage_of_file(first: int, end: int, covered: int) -> str:
    name = f"part_{first // LINES_A_FILE:03}.py"
    lines = "".join(f'<line number="{n - first + 1}" hits="{int(n < covered)}"/>' for n in range(first, end))
    return f'<class name="{name}" filename="{name}"><methods/><lines>{lines}</lines></class>\n'


def write_latencies(path: Path, story: Story) -> None:
    """The 99th percentile of each finished day, for machines without Prometheus."""
    days: dict[str, list[int]] = {}
    for at, requests in story.latencies():
        day = (at - STEP).astimezone(ZONE).date()
        if day < story.date_of(story.today):
            sums = days.setdefault(day.isoformat(), [0] * len(BOUNDS))
            days[day.isoformat()] = [a + b for a, b in zip(sums, requests, strict=True)]
    _write_rows(path, ("day", "p99_seconds"), ((day, f"{quantile(0.99, counts):.4f}") for day, counts in days.items()))


def quantile(share: float, requests: Sequence[int]) -> float:
    """As Prometheus estimates it: even inside the bucket it falls into."""
    rank, below = share * sum(requests), 0
    for low, high, count in zip((0.0, *BOUNDS), BOUNDS, requests, strict=False):
        if below + count >= rank:
            return low + (high - low) * (rank - below) / count
        below += count
    raise ValueError("no requests")


def openmetrics(story: Story) -> str:
    """What Prometheus would have scraped from the payment service: counters that only rise."""
    scrapes = list(story.latencies())
    lines = ["# TYPE http_request_duration_seconds histogram"]
    for n, bound in enumerate(BOUNDS):
        le = "+Inf" if n == len(BOUNDS) - 1 else f"{bound:g}"
        series = f'http_request_duration_seconds_bucket{{service="payments",le="{le}"}}'
        totals = accumulate(sum(requests[: n + 1]) for _, requests in scrapes)
        lines += (f"{series} {total} {at.timestamp():.0f}" for (at, _), total in zip(scrapes, totals, strict=True))
    return "\n".join([*lines, "# EOF", ""])


def write_repository(path: Path, story: Story) -> None:
    """A bare repository: squashed merges to `main`, and a tag for each release."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", path], check=True, env=clean)
    with subprocess.Popen(
        ["git", "fast-import", "--quiet"], cwd=path, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as git:
        assert git.stdin is not None
        assert git.stdout is not None
        commits: dict[int, str] = {}
        for text, number in _history(story, commits):
            git.stdin.write(text.encode() + f"get-mark :{number}\n".encode())
            git.stdin.flush()
            commits[number] = git.stdout.readline().decode().strip()
    if git.returncode:
        raise subprocess.CalledProcessError(git.returncode, "git fast-import")


def _history(story: Story, commits: dict[int, str]) -> Iterator[tuple[str, int]]:
    """Commands for each merge with the releases before the next one, and its number.

    `commits` fills up with the ids of those before, which reverts name.
    """
    releases = story.releases()
    merges = story.merges()
    for merge, after in zip(merges, [*merges[1:], None], strict=True):
        text = _commit(merge, commits)
        while releases and (after is None or releases[0][1] < after.at):
            name, at = releases.pop(0)
            text += f"tag {name}\nfrom :{merge.number}\ntagger {_signed(at)}\n{_data(name)}"
        yield text, merge.number


def _commit(merge: Merge, commits: dict[int, str]) -> str:
    message = f"{merge.title} (#{merge.number})\n"
    if merge.reverts is not None:
        message += f"\nThis reverts commit {commits[merge.reverts]}.\n"
    return (
        f"commit refs/heads/main\nmark :{merge.number}\ncommitter {_signed(merge.at)}\n{_data(message)}"
        f"M 644 inline CHANGES\n{_data(message)}"
    )


def _signed(at: datetime) -> str:
    return f"acme <kit@acme.example> {at.timestamp():.0f} {at:%z}"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
