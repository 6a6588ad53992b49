"""Plays ten weeks of a made-up quarter with keyresults, from facts to report: `make demo`.

Everything is written into one folder, made anew each time. Nothing leaves this machine.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import exports
from server import PrometheusFailed, missing_programs, prometheus
from story import Story

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "demo"
MARK = ".made-by-the-demo"
PART = "# ---- Latency, from Prometheus"


class DemoFailed(Exception):
    """In words for the user."""


def main(folder: Path) -> None:
    look_around()
    os.environ.pop("KEYRESULTS_CONFIG", None)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    story = Story(datetime.now(UTC))
    clear(folder)
    say("Writing what acme's systems know: deployments, tickets, a git repository")
    write_exports(folder, story)
    missing = missing_programs()
    if missing:
        say(f"No {' and no '.join(missing)} on this machine: latencies come from export/latency.csv instead")
        exports.write_latencies(folder / "export" / "latency.csv", story)
        play(folder, story, None)
    else:
        say("Filling a Prometheus with fifteen weeks of latencies")
        with prometheus(folder / "prometheus", exports.openmetrics(story)) as url:
            play(folder, story, url)
    tell(folder, story)


def look_around() -> None:
    try:
        found = importlib.util.find_spec("keyresults.cli")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise DemoFailed("keyresults is not installed for this Python; run `make install` first")
    if shutil.which("git") is None:
        raise DemoFailed("git is not on the PATH; it makes the demo's repository")


def clear(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise DemoFailed(f"{folder} holds something that the demo did not make; move it away first")
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("", "export", "build"):
        (folder / name).mkdir(parents=True)
    (folder / MARK).touch()


def write_exports(folder: Path, story: Story) -> None:
    exports.write_deployments(folder / "export" / "deployments.csv", story)
    exports.write_tickets(folder / "export" / "tickets.csv", story)
    exports.write_repository(folder / "payment-kit.git", story)


def play(folder: Path, story: Story, url: str | None) -> None:
    say("Writing keyresults.toml and checking it")
    (folder / "keyresults.toml").write_text(config(story, url))
    keyresults(folder, "check")
    say("Recording what merchants said when they were last asked")
    at, score = story.survey()
    keyresults(folder, "record", "merchant-survey", f"{score}", "--at", at.isoformat(), "--by", "dia")
    say("Collecting coverage once a sprint, as the build would after writing its file")
    for day in story.measured_days():
        exports.write_coverage(folder / "build" / "coverage.xml", story, day)
        keyresults(folder, "collect", "coverage", quiet=True)
        covered, coverable = story.coverage(day)
        print(f"{story.date_of(day)}: {covered} of {coverable} lines", flush=True)
    say("Collecting everything else")
    keyresults(folder, "collect")
    say("Asking Ana and Ben how sure they are, then who has not been asked yet")
    keyresults(folder, "checkin", "p99", "--confidence", "8", "--note", "The price cache is live", "--by", "ana")
    keyresults(
        folder, "checkin", "coverage", "--confidence", "7", "--note", "We always catch up at the end", "--by", "ben"
    )
    keyresults(folder, "checkin", "--due", "--owner", "payments")


def config(story: Story, url: str | None) -> str:
    """keyresults.toml with its dates moved to the story's, and the latencies' source that is there."""
    text = (HERE / "keyresults.toml").read_text()
    moved = story.start - tomllib.loads(text)["cycles"]["demo"]["start"]
    text = re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda day: f"{date.fromisoformat(day[0]) + moved}", text)
    if url is not None:
        return text.replace("http://localhost:9090", url)
    before, _, after = text.partition(PART)
    _, heading, rest = after.partition("\n# ---- ")
    return before + (HERE / "without-prometheus.toml").read_text() + heading.lstrip() + rest


def tell(folder: Path, story: Story) -> None:
    keyresults(folder, "report", "--format", "markdown", "--output", "report.md")
    keyresults(folder, "report", "--format", "json", "--output", "report.json")
    keyresults(folder, "report", "--format", "html", "--output", "report.html")
    say("keyresults status")
    keyresults(folder, "status")
    script = Path(sys.executable).parent / "keyresults"
    program = shlex.quote(os.path.relpath(script, folder)) if script.exists() else "keyresults"
    say(f"The report is {shown(folder / 'report.html')}, for a browser; report.md and report.json lie beside it.")
    say("To look further:")
    print(
        f"  cd {shlex.quote(shown(folder))}\n"
        f"  {program} explain rollbacks  # every deployment, and why it counts\n"
        f"  {program} metric p99          # day by day\n"
        f"  {program} status --as-of {story.date_of(48)}  # three weeks ago"
    )


def shown(path: Path) -> str:
    """As short as it can be written from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def keyresults(folder: Path, *arguments: str, quiet: bool = False) -> None:
    """As on a command line in the folder, without starting Python anew each time.

    Raises:
        DemoFailed: where the command ends with another code than 0; what it said has been shown.
    """
    from keyresults.cli.main import INTERRUPTED
    from keyresults.cli.main import main as command

    said = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(said) if quiet else contextlib.nullcontext():
        code = command(list(arguments))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        print(said.getvalue(), file=sys.stderr, end="")
        raise DemoFailed(f"`keyresults {' '.join(arguments)}` ended with {code}")


def say(words: str) -> None:
    print(f"\n▸ {words}", flush=True)


def stop(number: int, frame: FrameType | None) -> NoReturn:
    """So that a Prometheus is never left behind."""
    raise SystemExit(128 + number)


def run(folder: Path) -> int:
    """The exit code."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        main(folder)
    except KeyboardInterrupt:
        return 130
    except (DemoFailed, PrometheusFailed, subprocess.SubprocessError, OSError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else FOLDER))
