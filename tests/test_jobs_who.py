"""Whose name is written beside what people say."""

import getpass
import subprocess

import pytest
from keyresults.jobs.who import Nobody, who


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A repository whose owner is called Ana in git; nothing of the machine's own git is seen."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "config", "user.name", "Ana Lima"], cwd=tmp_path, check=True)
    subprocess.run(["git", "config", "user.email", "ana@example.com"], cwd=tmp_path, check=True)
    monkeypatch.setattr(getpass, "getuser", lambda: "login")
    return tmp_path


def test_what_is_given_comes_before_the_variable_before_git_before_the_login(folder):
    assert who("ben", {"KEYRESULTS_USER": "cho"}, folder) == "ben"
    assert who(None, {"KEYRESULTS_USER": "cho"}, folder) == "cho"
    assert who(None, {"KEYRESULTS_USER": " "}, folder) == "Ana Lima"
    subprocess.run(["git", "config", "--unset", "user.name"], cwd=folder, check=True)
    assert who(None, {}, folder) == "login"


def test_without_git_or_a_repository_it_is_the_login(folder, monkeypatch):
    assert who(None, {}, folder / "gone") == "login"
    monkeypatch.setenv("PATH", str(folder))
    assert who(None, {}, folder) == "login"


def test_only_the_name_is_taken_on_one_line_and_not_for_ever(folder):
    assert who("Ana Lima <ana@example.com>", {}, folder) == "Ana Lima"
    assert who(" Ana\n\tLima ", {}, folder) == "Ana Lima"
    assert who("x" * 5000, {}, folder) == "x" * 100


@pytest.mark.parametrize("empty", ["", "  \n", "<ana@example.com>"])
def test_an_empty_name_is_refused(folder, empty):
    with pytest.raises(Nobody, match="--by needs a name"):
        who(empty, {}, folder)


def test_where_nobody_is_known_it_says_how_to_give_a_name(folder, monkeypatch):
    subprocess.run(["git", "config", "--unset", "user.name"], cwd=folder, check=True)

    def unknown():
        raise OSError("no login")

    monkeypatch.setattr(getpass, "getuser", unknown)
    with pytest.raises(Nobody, match=r"--by, or in KEYRESULTS_USER"):
        who(None, {}, folder)
