"""What waits in the outbox is sent: to real receivers, in order, again where it has to be, and never for nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from job_scenes import NOW, rows, workspace, write_scene
from keyresults.cli.main import main
from keyresults.jobs import by_apprise, webhook
from keyresults.jobs.deliver import GIVEN_UP, deliver, pause
from keyresults.jobs.sending import NotTold
from keyresults.storage.errors import StoreFull
from keyresults.storage.outbox import Notice
from keyresults.storage.store import Store
from werkzeug import Response

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

CHANNELS = """
[notify.chat]
url = { env = "CHAT" }

[notify.mail]
url = { env = "MAIL" }
"""


@pytest.fixture
def config(tmp_path, httpserver, monkeypatch):
    path = write_scene(tmp_path, rows(1))
    path.write_text(path.read_text() + CHANNELS)
    monkeypatch.setenv("CHAT", httpserver.url_for("/secretpath"))
    monkeypatch.setenv("MAIL", httpserver.url_for("/post/mailsecret"))
    return path


@pytest.fixture
def one(config):
    with workspace(config) as opened:
        yield opened


def notice(n=1, channel="chat", **more):
    fields = {"key": f"status/2026-Q4/p99/{n}", "channel": channel, "occasion": "status", "title": f"title {n}"}
    return Notice(**fields | {"body": f"- **body** {n}"} | more)


def put(one, *notices, at=NOW):
    one.store.tell(notices, {}, at)


def states(one):
    """By key: the outcome, attempts and error of each."""
    from keyresults.storage.tables import outbox
    from sqlalchemy import select

    with one.store._reading() as conn:
        return {
            row.key.rpartition("/")[2]: (row.outcome, row.attempts, row.error) for row in conn.execute(select(outbox))
        }


def heard(httpserver):
    return [json.loads(request.get_data()) for request, _ in httpserver.log]


class Receiver:
    """Accepts, or says what it is told to."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.got = []

    def __call__(self, address, waiting):
        self.got.append((waiting.notice.channel, waiting.notice.title))
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


def test_what_was_put_in_before_the_clock_was_set_back_holds_nothing_up(one):
    put(one, notice(1), at=NOW + DAY)
    put(one, notice(2), at=NOW)
    receiver = Receiver()
    assert deliver(one, NOW + MINUTE, receiver) == 2
    assert receiver.got == [("chat", "title 1"), ("chat", "title 2")]


def test_what_was_put_off_is_tried_again_though_the_clock_was_set_back_a_day(one):
    put(one, notice())
    assert deliver(one, NOW, Receiver(NotTold("busy"))) == 0
    assert deliver(one, NOW + MINUTE / 2, Receiver()) == 0
    assert deliver(one, NOW - DAY, Receiver()) == 1


class TestWebhook:
    def test_it_is_posted_as_json_under_its_key(self, one, httpserver):
        httpserver.expect_request("/secretpath", method="POST").respond_with_data("ok")
        put(one, notice())
        assert deliver(one, NOW) == 1
        ((request, _),) = httpserver.log
        assert request.headers["Idempotency-Key"] == "status/2026-Q4/p99/1"
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.get_data()) == {
            "key": "status/2026-Q4/p99/1",
            "occasion": "status",
            "at": "2026-11-20T12:00:00+00:00",
            "title": "title 1",
            "body": "- **body** 1",
            "text": "title 1\n\n- **body** 1",
        }
        assert states(one)["1"] == ("delivered", 1, None)
        assert deliver(one, NOW + DAY) == 0

    def test_user_and_password_of_the_address_are_sent(self, one, httpserver, monkeypatch):
        httpserver.expect_request("/in").respond_with_data("ok")
        monkeypatch.setenv("CHAT", httpserver.url_for("/in").replace("://", "://ana:p%40ss@"))
        put(one, notice())
        assert deliver(one, NOW) == 1
        authorization = httpserver.log[0][0].authorization
        assert (authorization.username, authorization.password) == ("ana", "p@ss")

    @pytest.mark.parametrize("status", [400, 410, 413, 422])
    def test_what_will_never_be_accepted_is_given_up_and_the_next_is_sent(self, one, httpserver, status, caplog):
        httpserver.expect_ordered_request("/secretpath").respond_with_data("no", status=status)
        httpserver.expect_ordered_request("/secretpath").respond_with_data("ok")
        put(one, notice(1), notice(2))
        assert deliver(one, NOW) == 1
        found = states(one)
        assert (found["1"][0], found["2"][0]) == ("given_up", "delivered")
        assert str(status) in found["1"][2]
        assert [r.levelname for r in caplog.records if r.name == "keyresults.notices"][:1] == ["ERROR"]

    @pytest.mark.parametrize("status", [401, 403, 404, 500, 503, 302])
    def test_what_may_be_mended_is_sent_again(self, one, httpserver, status):
        httpserver.expect_request("/secretpath").respond_with_data("no", status=status)
        put(one, notice())
        assert deliver(one, NOW) == 0
        outcome, attempts, error = states(one)["1"]
        assert (outcome, attempts) == (None, 1)
        assert str(status) in error
        assert one.store.waiting(NOW + MINUTE - timedelta(seconds=1)) == []
        assert len(one.store.waiting(NOW + MINUTE)) == 1

    def test_a_receiver_that_wants_a_pause_gets_it(self, one, httpserver):
        httpserver.expect_request("/secretpath").respond_with_data("no", status=429, headers={"Retry-After": "1800"})
        put(one, notice())
        deliver(one, NOW)
        (waiting,) = one.store.unsent()
        assert waiting.due == NOW + HOUR / 2

    def test_nobody_there_names_no_address(self, one, monkeypatch):
        monkeypatch.setenv("CHAT", "http://127.0.0.1:9/hidden-path")
        put(one, notice())
        assert deliver(one, NOW) == 0
        error = states(one)["1"][2]
        assert error == "the receiver refused the connection: is it running?"

    def test_one_that_hangs_holds_up_nobody_for_long(self, one, httpserver, monkeypatch):
        enough = threading.Event()
        monkeypatch.setattr(webhook, "TIMEOUT", 0.3)
        httpserver.expect_request("/secretpath").respond_with_handler(lambda _: Response(f"{enough.wait(60)}"))
        httpserver.expect_request("/post/mailsecret").respond_with_data("ok")
        put(one, notice(1), notice(2, "mail"))
        assert deliver(one, NOW) == 1
        assert states(one)["1"][2] == "the receiver did not answer in time"
        enough.set()
        while len(httpserver.log) < 2:  # so that the next test doesn't hear of it
            time.sleep(0.01)


class TestOrder:
    def test_the_order_of_a_channel_is_kept_and_other_channels_go_on(self, one):
        put(one, notice(1), notice(2), notice(3, "mail"), notice(4))
        receiver = Receiver(NotTold("not now"))
        assert deliver(one, NOW, receiver) == 1
        assert receiver.got == [("chat", "title 1"), ("mail", "title 3")]
        assert deliver(one, NOW + 30 * timedelta(seconds=1), receiver) == 0
        assert deliver(one, NOW + MINUTE, receiver) == 3
        assert receiver.got[2:] == [("chat", "title 1"), ("chat", "title 2"), ("chat", "title 4")]

    def test_on_either_store_each_is_sent_once_and_in_order(self, config, store_url):
        with workspace(config) as one, Store.open(store_url) as store:
            one.__dict__["store"] = store
            put(one, notice(1), notice(2), notice(3, "mail"))
            receiver = Receiver(NotTold("not now"))
            assert [deliver(one, NOW + n * MINUTE, receiver) for n in range(3)] == [1, 2, 0]
            assert [title for _, title in receiver.got] == ["title 1", "title 3", "title 1", "title 2"]
            assert {outcome for outcome, _, _ in states(one).values()} == {"delivered"}

    def test_pauses_double_up_to_six_hours(self):
        assert [pause(n) for n in (1, 2, 3, 9, 10, 100)] == [
            MINUTE,
            2 * MINUTE,
            4 * MINUTE,
            256 * MINUTE,
            6 * HOUR,
            6 * HOUR,
        ]

    def test_after_a_week_it_is_given_up(self, one, caplog):
        put(one, notice(1), notice(2), at=NOW)
        tried, now = [], NOW

        def refuse(address, waiting):
            tried.append((waiting.notice.title, now - NOW))
            raise NotTold("not now")

        while one.store.unsent():
            deliver(one, now, refuse)
            now = min((waiting.due for waiting in one.store.unsent() if waiting.due > now), default=now)
        last = [at for title, at in tried if title == "title 1"]
        assert last[-1] == GIVEN_UP
        assert len(last) == 1 + 9 + len(range(511 + 360, 7 * 24 * 60, 360)) + 1
        assert [outcome for outcome, _, _ in states(one).values()] == ["given_up", "given_up"]
        errors = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
        assert errors == [f"chat is not told, for good: not now (title {n})" for n in (1, 2)]

    def test_after_a_long_rest_each_is_tried_once_before_it_is_given_up(self, one):
        put(one, notice(1), notice(2))
        assert deliver(one, NOW + 21 * DAY, Receiver(NotTold("not now"))) == 1
        assert [outcome for outcome, _, _ in states(one).values()] == ["given_up", "delivered"]

    def test_a_channel_that_left_the_config_is_waited_for(self, one):
        put(one, notice(1, "gone"))
        assert deliver(one, NOW, Receiver()) == 0
        assert states(one)["1"] == (None, 1, "there is no [notify.gone]")

    def test_an_address_that_is_not_there_is_waited_for(self, one, monkeypatch):
        monkeypatch.delenv("CHAT")
        put(one, notice())
        assert deliver(one, NOW, Receiver()) == 0
        assert "CHAT" in states(one)["1"][2]

    def test_what_nobody_foresaw_is_told_without_its_words(self, one):
        put(one, notice())
        assert deliver(one, NOW, Receiver(ZeroDivisionError("https://secret"))) == 0
        assert states(one)["1"][2] == "it failed in a way it should not: ZeroDivisionError"

    def test_a_daemon_that_stops_begins_nothing_more(self, one):
        put(one, notice(1), notice(2))

        def stop(address, waiting):
            one.stopping.set()

        assert deliver(one, NOW, stop) == 1


class TestKilled:
    PROGRAM = """
import os, signal, sys; sys.path.insert(0, sys.argv[2])
from pathlib import Path
from job_scenes import NOW, workspace
from keyresults.jobs.deliver import deliver
from keyresults.storage.store import Store
left, name = int(sys.argv[3]), sys.argv[4]
real = getattr(Store, name)
def dying(*arguments, **more):
    global left
    left -= 1
    if left == 0: os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **more)
setattr(Store, name, dying)
with workspace(Path(sys.argv[1])) as one: deliver(one, NOW)
"""

    @pytest.mark.parametrize("at", [1, 2, 3])
    @pytest.mark.parametrize("point", ["begin_notice", "end_notice"])
    def test_none_is_lost_and_only_the_one_under_way_is_repeated(self, config, httpserver, point, at):
        """Killed before the receiver heard of it; after it accepted, and before that was noted."""
        httpserver.expect_request("/secretpath").respond_with_data("ok")
        with workspace(config) as one:
            put(one, *(notice(n) for n in (1, 2, 3)))
        died = subprocess.run(
            [sys.executable, "-c", self.PROGRAM, str(config), str(Path(__file__).parent), str(at), point]
        )
        assert died.returncode == -9
        with workspace(config) as one:
            while one.store.unsent():
                deliver(one, one.store.unsent()[0].due)
            assert one.store.check() == []
        keys = [request.headers["Idempotency-Key"] for request, _ in httpserver.log]
        assert list(dict.fromkeys(keys)) == [f"status/2026-Q4/p99/{n}" for n in (1, 2, 3)]
        repeated = [key for key, times in Counter(keys).items() if times > 1]
        assert repeated == ([f"status/2026-Q4/p99/{at}"] if point == "end_notice" else [])
        assert max(Counter(keys).values()) <= 2
        effects = {said["key"]: said for said in heard(httpserver)}
        assert len(effects) == 3

    def test_a_store_that_is_full_sends_nothing_again_and_again(self, one, monkeypatch):
        put(one, notice())
        receiver = Receiver()

        def full(*_, **__):
            raise StoreFull("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(Store, "begin_notice", full)
            for n in range(3):
                with pytest.raises(StoreFull):
                    deliver(one, NOW + n * HOUR, receiver)
        assert receiver.got == []
        assert deliver(one, NOW + 3 * HOUR, receiver) == 1


class TestApprise:
    """The real apprise, which posts to a real server."""

    def to(self, monkeypatch, httpserver, path="/post/mailsecret", scheme="json"):
        address = httpserver.url_for(path).replace("http://", f"{scheme}://")
        monkeypatch.setenv("MAIL", address)

    def test_it_gets_title_and_body(self, one, httpserver, monkeypatch):
        self.to(monkeypatch, httpserver)
        httpserver.expect_request("/post/mailsecret").respond_with_data("ok")
        put(one, notice(1, "mail"))
        assert deliver(one, NOW) == 1
        (said,) = heard(httpserver)
        assert said["title"] == "title 1"
        assert "body" in said["message"]

    def test_a_refusal_that_stays_is_told_from_one_that_passes(self, one, httpserver, monkeypatch):
        self.to(monkeypatch, httpserver)
        httpserver.expect_ordered_request("/post/mailsecret").respond_with_data("no", status=500)
        httpserver.expect_ordered_request("/post/mailsecret").respond_with_data("no", status=400)
        put(one, notice(1, "mail"))
        deliver(one, NOW)
        assert states(one)["1"] == (None, 1, "the channel did not accept it (500)")
        deliver(one, NOW + MINUTE)
        assert states(one)["1"] == ("given_up", 2, "the channel did not accept it (400)")

    def test_an_address_nobody_knows_is_said_without_it(self, one, monkeypatch):
        monkeypatch.setenv("MAIL", "carrierpigeon://hidden")
        put(one, notice(1, "mail"))
        assert deliver(one, NOW) == 0
        assert states(one)["1"][2] == "the address is none that apprise knows"

    def test_without_apprise_it_says_what_to_install(self, one, monkeypatch):
        monkeypatch.setenv("MAIL", "json://hidden")
        monkeypatch.setattr(by_apprise, "find_spec", lambda name: None)
        put(one, notice(1, "mail"))
        assert deliver(one, NOW) == 0
        assert states(one)["1"][2] == 'this channel needs apprise: pip install "keyresults[notify]"'

    def test_a_text_too_long_for_the_channel_is_cut_at_a_line(self, one, httpserver, monkeypatch):
        self.to(monkeypatch, httpserver)
        httpserver.expect_request("/post/mailsecret").respond_with_data("ok")
        body = "".join(f"- line {n:05} of very many\n" for n in range(4000))
        put(one, notice(1, "mail", body=body))
        assert deliver(one, NOW) == 1
        (said,) = heard(httpserver)
        assert 30_000 < len(said["message"]) <= 32_768
        assert said["message"].rstrip().endswith("of very many\n…")

    @pytest.mark.parametrize(
        ("room", "kept"),
        [(100, "one\ntwo\nthree"), (13, "one\ntwo\nthree"), (12, "one\ntwo\n…"), (9, "one\ntwo\n…"), (6, "one\n…")],
    )
    def test_whole_lines_are_kept(self, room, kept):
        assert by_apprise.fitting("one\ntwo\nthree", room) == kept

    def test_of_one_long_line_its_beginning_is_kept(self):
        assert by_apprise.fitting("x" * 50, 10) == "x" * 8 + "\n…"

    CHATS = (
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://discord.com/api/webhooks/0000000000/" + "B" * 40,
        "https://discordapp.com/api/webhooks/0000000000/" + "B" * 40,
        "https://chat.googleapis.com/v1/spaces/SPACE/messages?key=KEY&token=TOKEN",
        "https://prod-01.westus.logic.azure.com/workflows/WID/triggers/manual/paths/invoke?api-version=2016-06-01&sig=S",
        "https://default12.34.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/abc"
        "/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abc",
    )

    def test_addresses_of_chats_are_known_to_apprise(self):
        assert all(by_apprise.knows(address) for address in self.CHATS)
        program = "import apprise, sys\nprint([apprise.Apprise.instantiate(a) is not None for a in sys.argv[1:]])"
        told = subprocess.run([sys.executable, "-c", program, *self.CHATS], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == str([True] * len(self.CHATS))

    def test_other_addresses_are_posted_to(self):
        assert not by_apprise.knows("https://hooks.example.com/services/T/B/x")
        assert not by_apprise.knows("https://evil-discord.com/api")


@pytest.mark.soak
def test_no_address_is_left_in_logs_or_in_the_store(one, httpserver, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    for path, status in (("/secretpath", 500), ("/post/mailsecret", 404)):
        httpserver.expect_request(path).respond_with_data("said back: secretpath mailsecret", status=status)
    monkeypatch.setenv("MAIL", httpserver.url_for("/post/mailsecret").replace("http://", "json://ana:pwsecret@"))
    put(one, notice(1), notice(2, "mail"))
    deliver(one, NOW)
    monkeypatch.setenv("CHAT", "http://127.0.0.1:9/secretpath")
    deliver(one, NOW + MINUTE)
    monkeypatch.setenv("CHAT", "https://user:pwsecret@nowhere.invalid/secretpath?k=mailsecret")
    deliver(one, NOW + HOUR)
    said = "\n".join(r.getMessage() + str(r.exc_info or "") for r in caplog.records if r.name != "werkzeug")
    stored = "".join(str(state) for state in states(one).values())
    assert "chat could not be told yet" in said
    for secret in ("secretpath", "mailsecret", "pwsecret", "nowhere.invalid"):
        assert secret not in said + stored


class TestCommand:
    def run(self, config, channel):
        return main(["--config", str(config), "notify", "--test", channel])

    def test_a_test_is_sent_and_its_arrival_said(self, config, httpserver, capsys):
        httpserver.expect_request("/secretpath").respond_with_data("ok")
        assert self.run(config, "chat") == 0
        assert capsys.readouterr().out == "chat accepted a test.\n"
        (said,) = heard(httpserver)
        assert (said["occasion"], said["title"]) == ("test", "A test by keyresults")
        assert not (config.parent / ".keyresults").exists()

    def test_what_did_not_arrive_is_a_failure(self, config, httpserver, capsys):
        httpserver.expect_request("/secretpath").respond_with_data("no", status=404)
        assert self.run(config, "chat") == 3
        err = capsys.readouterr().err
        assert err == "Error: the receiver answered with 404\n"

    def test_a_channel_that_is_not_there_is_wrong_usage(self, config, capsys):
        assert self.run(config, "chatt") == 2
        assert "chat" in capsys.readouterr().err
