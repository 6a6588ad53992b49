"""Reports and reminders on a rhythm: files that are whole, notices that are put in once."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from job_scenes import rows, workspace, write_scene
from keyresults.jobs import pages, webhook
from keyresults.jobs.collect import collect
from keyresults.jobs.notices import concerns_of
from keyresults.jobs.readers import unheard
from keyresults.jobs.tell import tell_checkins, tell_report
from keyresults.krs.checkin import CheckIn
from keyresults.storage.outbox import Notice, WaitingNotice

STORED = 101

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 20, 9, tzinfo=UTC)

TELLING = """
[reports.weekly]
at = "monday 09:00"
formats = ["markdown", "html", "json", "terminal"]
directory = "told"
notify = ["chat", "deaf"]

[checkins]
every = "1 week"
on = "friday 10:00"

[notify.chat]
url = { env = "CHAT" }

[notify.deaf]
url = { env = "DEAF" }
tell = ["status"]

[notify.payers]
url = { env = "PAYERS" }

[teams.payments]
people = ["cho"]
notify = ["payers"]
"""


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path, rows(240))
    owned = path.read_text().replace('id = "daily"', 'id = "daily"\n  owner = "cho"')
    path.write_text(owned + TELLING)
    with workspace(path, MONDAY) as one:
        collect(one)
    return path


def tell(config, due, *, after=timedelta(minutes=1)):
    with workspace(config, due + after) as one:
        return tell_report(one, one.config.reports["weekly"], due)


def notices(config):
    with workspace(config) as one:
        return [w.notice for w in one.store.unsent()]


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class TestReports:
    def test_each_format_is_written_under_its_day_and_under_a_name_that_stays(self, config):
        written = tell(config, MONDAY)
        folder = config.parent / "told"
        assert {p.name for p in written} == {
            f"weekly{day}.{ending}" for day in ("", "-2026-11-16") for ending in ("md", "html", "json", "txt")
        }
        for ending in ("md", "html", "json", "txt"):
            assert (folder / f"weekly.{ending}").read_bytes() == (folder / f"weekly-2026-11-16.{ending}").read_bytes()
        assert json.loads((folder / "weekly.json").read_text())["since"] == "2026-11-09"

    def test_it_tells_what_moved_since_the_run_before(self, config):
        tell(config, MONDAY)
        tell(config, MONDAY + 3 * WEEK)
        assert json.loads((config.parent / "told/weekly.json").read_text())["since"] == "2026-11-16"
        tell(config, MONDAY + 3 * WEEK + timedelta(hours=1))
        assert json.loads((config.parent / "told/weekly.json").read_text())["since"] == "2026-12-06"

    def test_asked_again_for_the_same_time_it_writes_the_same_and_sends_nothing(self, config):
        tell(config, MONDAY - WEEK)
        tell(config, MONDAY)
        before, sent = contents(config.parent / "told"), notices(config)
        tell(config, MONDAY, after=timedelta(hours=5))
        assert contents(config.parent / "told") == before
        assert notices(config) == sent

    def test_older_reports_stay_with_the_pages_beside_them(self, config, monkeypatch):
        monkeypatch.setattr(pages, "MOST_FACTS", 1)
        tell(config, MONDAY)
        before = contents(config.parent / "told")
        tell(config, MONDAY + WEEK)
        after = contents(config.parent / "told")
        kept = {name for name in before if "2026-11-16" in name}
        assert any(name.startswith("evidence/weekly-2026-11-16/") for name in kept)
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        beside = next(name for name in kept if name.startswith("evidence/"))
        assert beside.encode() in after["weekly-2026-11-16.html"]
        assert b"../../weekly-2026-11-16.html" in after[beside]

    def test_the_first_screen_is_sent_to_the_channels_that_want_reports(self, config):
        tell(config, MONDAY)
        (notice,) = notices(config)
        assert (notice.key, notice.channel, notice.occasion) == ("report/weekly/2026-11-16T08:00:00Z", "chat", "report")
        assert notice.title == "Progress in 2026-Q4, 16 Nov 2026 09:00 Europe/Berlin"
        lines = notice.body.splitlines()
        markdown = (config.parent / "told/weekly.md").read_text().splitlines()
        first = [line for line in markdown[3:] if line.startswith("- ")][: len(lines) - 4]
        assert lines[2:-2] == first
        assert lines[-1] == (
            "In full: `told/weekly-2026-11-16.md`, `told/weekly-2026-11-16.html`, `told/weekly-2026-11-16.json`, "
            "`told/weekly-2026-11-16.txt`"
        )

    def test_it_is_said_that_a_channel_wants_no_reports(self, config):
        with workspace(config) as one:
            assert concerns_of(one) == ['[reports.weekly] is not sent to deaf: its tell leaves "report" out']

    @pytest.mark.soak
    @pytest.mark.parametrize("at", [1, 4, 8, STORED])
    def test_a_kill_leaves_each_file_whole_or_away_and_the_notice_is_not_lost(self, config, at):
        """Killed as the `at`-th file is about to take its place, or as all are there and the store knows nothing."""
        program = (
            "import sys, os, signal; sys.path.insert(0, sys.argv[2])\n"
            "from pathlib import Path\n"
            "from datetime import datetime\n"
            "from job_scenes import workspace\n"
            "from keyresults.jobs.tell import tell_report\n"
            "from keyresults.storage.store import Store\n"
            "left, real = [int(sys.argv[3])], Path.replace\n"
            "def replace(self, other):\n"
            "    left[0] -= 1\n"
            "    if left[0] == 0: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    return real(self, other)\n"
            "Path.replace = replace\n"
            "if left[0] > 100: Store.tell = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            "due = datetime.fromisoformat(sys.argv[4])\n"
            "with workspace(Path(sys.argv[1]), due) as one: tell_report(one, one.config.reports['weekly'], due)\n"
        )
        tell(config, MONDAY)
        before, due = contents(config.parent / "told"), MONDAY + WEEK
        here = str(Path(__file__).parent)
        died = subprocess.run([sys.executable, "-c", program, str(config), here, str(at), due.isoformat()])
        assert died.returncode == -signal.SIGKILL
        found = {name: data for name, data in contents(config.parent / "told").items() if "/." not in f"/{name}"}
        tell(config, due)
        after = contents(config.parent / "told")
        for name, data in found.items():
            assert data in (before.get(name), after[name]), name
        assert [n.key for n in notices(config)] == [
            "report/weekly/2026-11-16T08:00:00Z",
            "report/weekly/2026-11-23T08:00:00Z",
        ]

    def test_a_folder_that_is_none_sends_nothing(self, config):
        (config.parent / "told").write_text("a file")
        with pytest.raises(OSError):
            tell(config, MONDAY)
        assert notices(config) == []
        (config.parent / "told").unlink()
        tell(config, MONDAY)
        assert len(notices(config)) == 1


class TestCheckIns:
    def remind(self, config, at=FRIDAY):
        with workspace(config, at + timedelta(seconds=1)) as one:
            collect(one)
            tell_checkins(one, at)

    def test_who_answers_is_reminded_in_the_team_s_channel_and_of_the_rest_everybody(self, config):
        self.remind(config)
        told = {n.channel: n for n in notices(config)}
        assert set(told) == {"chat", "payers"}
        assert told["chat"].key == told["payers"].key == "checkin/2026-Q4/2026-11-20T09:00:00Z"
        assert told["payers"].title == "3 check-ins due in 2026-Q4"
        assert told["chat"].title == "2 check-ins due in 2026-Q4"
        assert "(daily)" not in told["chat"].body

    def test_each_has_its_reading_and_what_moved(self, config):
        with workspace(config, FRIDAY - 3 * DAY) as one:
            said = CheckIn(at=FRIDAY - 9 * DAY, by="cho", confidence=6, note="the pipeline is faster")
            one.store.put_check_in("2026-Q4", "daily", said)
        self.remind(config)
        body = next(n.body for n in notices(config) if n.channel == "payers")
        lines = [line.strip() for line in body.splitlines()]
        at = lines.index("- **Increase deployment frequency to daily** (daily)")
        assert "since 11 Nov, the day of the last check-in" in body
        assert any("→ ≥ 1/day" in line for line in lines[at : at + 3]), lines
        assert "Confidence 6 of 10, 9 days ago by cho: the pipeline is faster" in lines
        assert "cho · due since 13 Nov 10:00, 2 rounds" in lines

    def test_once_for_one_time_and_again_for_the_next(self, config):
        self.remind(config)
        self.remind(config)
        assert len(notices(config)) == 2
        self.remind(config, FRIDAY + WEEK)
        assert len(notices(config)) == 4

    def test_where_nothing_is_due_nobody_is_reminded(self, config):
        with workspace(config, FRIDAY) as one:
            for name in ("daily", "rollbacks", "mood"):
                one.store.put_check_in("2026-Q4", name, CheckIn(at=FRIDAY, by="cho", confidence=6, note=""))
        self.remind(config)
        assert notices(config) == []


def test_the_config_on_the_page_is_one(config):
    page = (Path(__file__).parent.parent / "docs" / "telling.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    config.write_text(config.read_text().replace(TELLING, written).replace('"cho"', '"ana"'))
    with workspace(config) as one:
        assert list(unheard(one.config)) == []
        assert set(one.config.notify) == {"chat", "leads"}


def test_the_payload_on_the_page_has_the_keys_of_those_sent():
    page = (Path(__file__).parent.parent / "docs" / "telling.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    shown = json.loads(written)
    notice = Notice(key=shown["key"], channel="hook", occasion="status", title=shown["title"], body=shown["body"])
    at = datetime.fromisoformat(shown["at"])
    waiting = WaitingNotice(id=1, notice=notice, created_at=at, due=at, attempts=0, error=None)
    assert json.loads(webhook.body(waiting)) == shown
