"""Taking secrets out of what a server says back."""

import base64
from urllib.parse import quote

import pytest
from keyresults.collectors.redaction import without
from keyresults.collectors.secrets import Secret

PASSWORD = "p/ss+wörd?"


@pytest.mark.parametrize(
    "said",
    [
        PASSWORD,
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        base64.b64encode(PASSWORD.encode()).decode(),
        base64.b64encode(f"kr:{PASSWORD}".encode()).decode(),
    ],
)
def test_each_form_of_a_secret_is_taken_out(said):
    assert without(f"no {said} here", [Secret(PASSWORD)], user="kr") == "no … here"


@pytest.mark.parametrize(
    "token", ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghs_0123456789abcdef", "github_pat_11ABCDEFG0123456789_x"]
)
def test_tokens_of_others_are_taken_out(token):
    assert without(f"bad credential {token}.", []) == "bad credential …."


def test_a_signed_claim_is_taken_out():
    assert without("not eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI3In0.c2lnbmF0dXJl-_x!", []) == "not …!"


def test_other_words_stay():
    said = "ghost towns and github_pages; eyJust words. 403 for owner/name"
    assert without(said, [Secret("hunter2!")]) == said


def test_a_secret_as_short_as_a_syllable_leaves_words_whole():
    assert without("no answer", [Secret("a")]) == "no answer"


def test_a_secret_that_begins_another_hides_it_whole() -> None:
    short, long = Secret("hunter2hunter2"), Secret("hunter2hunter2/und mehr")
    for secrets in ((short, long), (long, short)):
        assert without("it was hunter2hunter2/und mehr, wasn't it", secrets) == "it was …, wasn't it"
