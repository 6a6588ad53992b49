"""What is written to the log: one line each, as text or JSON, and no secret in any."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyresults.collectors.secrets import EnvironmentSecret
from keyresults.jobs.logs import configure

PASSWORD = 'hunter2/und "mehr"?geheim'
LOG = logging.getLogger("keyresults.daemon")


@pytest.fixture(autouse=True)
def _as_before():
    root, ours = logging.getLogger(), logging.getLogger("keyresults")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


@pytest.fixture
def secret(monkeypatch, tmp_path):
    monkeypatch.setenv("KR_LOG_TEST", PASSWORD)
    return EnvironmentSecret(env="KR_LOG_TEST").resolve(tmp_path)


def lines(form, write, level=logging.INFO):
    stream = io.StringIO()
    configure(form, level, stream)
    write()
    return stream.getvalue().splitlines()


def ran():
    LOG.info("%s: %s", "collect/github", "done", extra={"job": "collect/github", "seconds": 3.91, "next": None})


def test_a_run_is_one_line_of_text():
    (line,) = lines("text", ran)
    at, rest = line.split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds() < 60
    assert rest == "INFO keyresults.daemon collect/github: done job=collect/github seconds=3.91 next=None"


def test_a_run_is_one_object_of_json():
    (line,) = lines("json", ran)
    told = json.loads(line)
    assert told.pop("ts").endswith("Z")
    assert told == {
        "level": "INFO",
        "logger": "keyresults.daemon",
        "msg": "collect/github: done",
        "job": "collect/github",
        "seconds": 3.91,
        "next": None,
    }


def crash():
    try:
        raise ValueError(f"no {PASSWORD}") from KeyError("the first\ncause")
    except ValueError:
        LOG.exception("it failed")


def test_what_was_raised_stands_below_or_within():
    first, *below = lines("text", crash)
    assert first.endswith("ERROR keyresults.daemon it failed")
    assert all(line.startswith("  ") for line in below)
    assert any("ValueError" in line for line in below)
    (line,) = lines("json", crash)
    assert "Traceback" in json.loads(line)["exc"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_forges_a_line(form):
    forged = "it said\n2026-01-01T00:00:00.000Z INFO keyresults.daemon all is well\r\nand more\u2028so"
    told = lines(form, lambda: LOG.warning("%s", forged, extra={"job": "a\nb c=d"}))
    assert len(told) == 1


@given(st.text(), st.text())
def test_any_text_makes_one_line_that_json_reads_back(text, beside):
    stream = io.StringIO()
    configure("json", logging.INFO, stream)
    LOG.info("%s", text, extra={"job": beside})
    assert stream.getvalue().count("\n") == 1
    told = json.loads(stream.getvalue())
    if not re.search("Bearer|Basic|://|ey|gh", text + beside):
        assert (told["msg"], told["job"]) == (text, beside)


def said_everywhere():
    basic = base64.b64encode(f"kr:{PASSWORD}".encode()).decode()
    LOG.info("the answer was %s", PASSWORD)
    LOG.info("it was sent to https://kr:open-sesame@example.com/x and with Authorization: Basic %s", basic)
    LOG.info("Authorization: Bearer abcdef0123456789 and ghp_0123456789abcdef0123")
    LOG.info("beside", extra={"error": f"no {PASSWORD}", "parts": [PASSWORD], "cause": ValueError(PASSWORD)})
    LOG.info("where from", stack_info=True)
    LOG.warning(PASSWORD)
    logging.getLogger("urllib3").warning("retrying %r", {"password": PASSWORD})
    crash()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_written_down(form, secret):
    text = "\n".join(lines(form, said_everywhere))
    hidden = "…" if form == "text" else "\\u2026"
    assert f"the answer was {hidden}" in text
    assert f"ValueError: no {hidden}" in text
    basic = base64.b64encode(f"kr:{PASSWORD}".encode()).decode()
    for part in (PASSWORD, json.dumps(PASSWORD)[1:-1], "open-sesame", basic[:12], "abcdef0123456789", "hunter2"):
        assert part not in text


def test_a_message_whose_arguments_do_not_fit_is_written_as_it_is(secret):
    stream = io.StringIO()
    configure("text", logging.INFO, stream)
    broken = {"name": "keyresults", "levelname": "INFO", "msg": f"%d of {PASSWORD}", "args": ("many",)}
    logging.getLogger().handlers[-1].handle(logging.makeLogRecord(broken))
    assert stream.getvalue().endswith("%d of … ('many',)\n")


def test_no_line_of_text_moves_a_terminal_s_cursor():
    stream = io.StringIO()
    configure("text", stream=stream)
    log = logging.getLogger("keyresults.daemon")
    log.warning("answered with 500 \x1b[2J\x1b]0;mine\x07\x9b31m \u202ereversed", extra={"job": "\x1b[1m"})
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        log.exception("caf\u00e9\u00a0bar \u2713")
    text = stream.getvalue()
    assert all(line.replace("\u00a0", "").isprintable() for line in text.splitlines())
    assert "caf\u00e9\u00a0bar \u2713" in text


def test_the_journal_is_told_how_bad_each_line_is(tmp_path, monkeypatch):
    with (tmp_path / "stderr").open("w+") as stream:
        place = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{place.st_dev}:{place.st_ino}")
        configure("text", logging.DEBUG, stream)
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            LOG.log(level, "said")
        crash()
        stream.seek(0)
        told = stream.read().splitlines()
    assert [line[:3] for line in told[:5]] == ["<7>", "<6>", "<4>", "<3>", "<3>"]
    assert len(told) > 7
    assert all(line.startswith("<3>") for line in told[5:])


def test_only_what_goes_to_the_journal_is_for_it(tmp_path, monkeypatch):
    place = tmp_path.stat()
    monkeypatch.setenv("JOURNAL_STREAM", f"{place.st_dev}:{place.st_ino}")
    with (tmp_path / "stderr").open("w+") as stream:
        configure("text", logging.INFO, stream)
        ran()
        stream.seek(0)
        assert not stream.read().startswith("<")


def test_a_stream_that_is_gone_stops_nobody(capfd):
    stream = io.StringIO()
    configure("text", logging.INFO, stream)
    stream.close()
    LOG.info("the answer was %s", PASSWORD)
    assert PASSWORD not in capfd.readouterr().err


def test_other_handlers_are_told_what_was_said(caplog, secret):
    configure("text", logging.INFO, io.StringIO())
    LOG.addHandler(caplog.handler)
    try:
        LOG.warning("the answer was %s", 42)
    finally:
        LOG.removeHandler(caplog.handler)
    assert caplog.records[0].args == (42,)


def test_ours_are_written_from_the_level_on_and_those_of_libraries_from_warnings_on():
    def write():
        for name in ("keyresults.collect", "urllib3"):
            for level in (logging.DEBUG, logging.INFO, logging.WARNING):
                logging.getLogger(name).log(level, "%s at %d", name, level)

    def told(level):
        return [line.partition(" at ")[2] for line in lines("text", write, level)]

    assert told(logging.INFO) == ["20", "30", "30"]
    assert told("DEBUG") == ["10", "20", "30", "30"]
    assert told("WARNING") == ["30", "30"]


def test_the_last_call_holds():
    first = io.StringIO()
    configure("text", logging.INFO, first)
    assert len(lines("json", ran)) == 1
    assert first.getvalue() == ""
