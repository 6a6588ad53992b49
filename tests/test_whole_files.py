"""Files that are written whole: what processes leave that die meanwhile, and many writers at once."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest
from keyresults.jobs.whole_files import write_whole

DIES = """
import os, signal, sys
from pathlib import Path
from keyresults.jobs.whole_files import write_whole
os.fsync = lambda number: os.kill(os.getpid(), signal.SIGKILL)
write_whole(Path(sys.argv[1]), "half " * 1000)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_killed_processes_left_is_gone_when_the_file_is_written_again(tmp_path):
    path = tmp_path / "report.html"
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", DIES, path], check=False).returncode == -signal.SIGKILL
    assert names(tmp_path) == [".report.html.part"]
    write_whole(path, "whole")
    assert (path.read_text(), names(tmp_path)) == ("whole", ["report.html"])


def test_the_leftovers_of_other_files_and_what_only_looks_like_ours_stay(tmp_path):
    others = [".report.md.part", ".report.html.original", ".report.html.part.bak"]
    for name in others:
        (tmp_path / name).write_text("kept")
    write_whole(tmp_path / "report.html", "whole")
    assert names(tmp_path) == sorted([*others, "report.html"])
    assert all((tmp_path / name).read_text() == "kept" for name in others)


def test_two_who_write_at_once_never_mix(tmp_path):
    path = tmp_path / "report.html"
    texts = [letter * 200_000 for letter in "abcd"]
    seen, done = set(), threading.Event()

    def write(text):
        for _ in range(25):
            write_whole(path, text)

    def look():
        while not done.is_set():
            if path.exists():
                seen.add(path.read_text())

    write_whole(path, texts[0])
    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    reader = threading.Thread(target=look)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert seen <= set(texts)
    assert path.read_text() in texts
    assert names(tmp_path) == ["report.html"]


def test_a_file_that_somebody_else_is_writing_is_left_to_them(tmp_path):
    theirs = tmp_path / ".report.html.part"
    with theirs.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("theirs")
        file.flush()
        write_whole(tmp_path / "report.html", "mine")
        assert theirs.read_text() == "theirs"
    assert names(tmp_path) == [".report.html.part", "report.html"]


def test_a_link_laid_in_its_place_leads_nowhere(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    (tmp_path / ".report.html.part").symlink_to(elsewhere)
    (tmp_path / ".report.md.part").hardlink_to(elsewhere)
    for name in ("report.html", "report.md"):
        write_whole(tmp_path / name, "whole")
        assert (tmp_path / name).read_text() == "whole"
    assert elsewhere.read_text() == "kept"


def test_it_works_where_the_file_system_has_no_locks(tmp_path, monkeypatch):
    def refuse(number, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    write_whole(tmp_path / "report.html", "whole")
    write_whole(tmp_path / "report.html", "whole again")
    assert (tmp_path / "report.html").read_text() == "whole again"


def test_what_can_not_be_written_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "report.html", "whole")
    assert names(tmp_path) == []
