"""What others put into an artifact takes neither more memory than is promised, nor more time than it is worth."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from keyresults.collectors import zip_files
from keyresults.collectors.coverage_formats import read
from keyresults.collectors.file_patterns import SourceFile, UnreadableFile
from keyresults.collectors.file_xml import elements
from keyresults.collectors.github_artifacts import measured

pytestmark = pytest.mark.soak  # processes that are given bombs: in CI, and not for every change

MB = 10**6
COBERTURA = '<coverage line-rate="1">'

HOSTILE = {
    "lists.json": '{"files":{},"meta":[' + "[]," * (20 * MB // 3) + "0]}",
    "large.json": '{"meta":{},"files":{}}' + " " * (180 * MB),
    "words.xml": f"{COBERTURA}<a>" + "ab\n" * (20 * MB // 3) + "</a></coverage>",
    "tag.xml": f"{COBERTURA}<a b='" + "c" * (20 * MB),
    "deep.xml": COBERTURA + "<a>" * (5 * MB),
    "names.xml": COBERTURA + "".join(f"<a{n}/>" for n in range(200_000)),
    "spaces.xml": COBERTURA + "".join(f'<a xmlns:p{n}="u"/>' for n in range(300_000)),
    "grammar.xml": f"<!DOCTYPE coverage [<!ATTLIST a b CDATA '{'c' * MB}'>]>{COBERTURA}{'<a/>' * 1000}</coverage>",
    "files.info": "".join(f"SF:{n}\nDA:1,1\nend_of_record\n" for n in range(300_000)),
    "line.info": "SF:" + "a" * (20 * MB),
    "block.out": "mode: set\na.go:1.1,90000000.2 1 1\n",
    "blocks.out": "mode: set\n" + "a.go:1.1,999999999999.2 1 1\n" * 1000,
}

MEASURE = """
import sys
from pathlib import Path
from keyresults.collectors.file_patterns import UnreadableFile
from keyresults.collectors.github_artifacts import measured

for name in sys.argv[1:]:
    try:
        measured(Path(name).read_bytes(), name, (), "line")
    except UnreadableFile as error:
        print(error)
status = Path("/proc/self/status").read_text()
print(status.partition("VmHWM:")[2].split()[0])
"""


def packed(name: str, text: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, text)
    return whole.getvalue()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much a process had")
def test_no_artifact_takes_a_process_beyond_300_mb(tmp_path: Path) -> None:
    paths = []
    for name, text in HOSTILE.items():
        paths.append(tmp_path / f"{name}.zip")
        paths[-1].write_bytes(packed(name, text))
    told = subprocess.run([sys.executable, "-c", MEASURE, *paths], check=True, capture_output=True, text=True)
    *refused, kilobytes = told.stdout.splitlines()
    assert len(refused) == len(HOSTILE)
    assert int(kilobytes) * 1024 < 300 * MB


def written(folder: Path, name: str, text: str) -> SourceFile:
    path = folder / name
    path.write_text(text)
    return SourceFile(path, name)


def test_elements_that_have_ended_are_let_go(tmp_path: Path) -> None:
    file = written(tmp_path, "c.xml", f"<a x='1'>{'<b>t<c/></b>' * 30_000}</a>")
    told = list(elements(file))
    assert [ended for ended, _ in told].count(True) == 60_001
    assert all(len(element) == 0 for _, element in told)
    assert told[-1][1].attrib == {"x": "1"}


def test_a_large_report_of_ones_own_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More lines than an artifact may tell of: a file of the `coverage` source has no such bound."""
    monkeypatch.setattr(zip_files, "MEMORY", 2**20)
    count = 2**20 // 100
    lines = "".join(f"DA:{n},{n % 2}\n" for n in range(count))
    text = f"SF:a.py\n{lines}end_of_record\n"
    own = read(written(tmp_path, "l.info", text), None, "line")
    assert len(own.files["a.py"]) == count
    with pytest.raises(UnreadableFile, match="more source files and lines than are read of an artifact"):
        measured(packed("l.info", text), "artifact", (), "line")


def test_xml_of_ones_own_is_read_whole_and_that_of_an_artifact_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_files, "MOST_ELEMENTS", 15_000)
    text = f"<testsuite>{'<testcase/>' * 20_000}</testsuite>"
    assert sum(ended for ended, _ in elements(written(tmp_path, "j.xml", text))) == 20_001
    with pytest.raises(UnreadableFile, match="more XML elements than are read of an artifact"):
        measured(packed("j.xml", text), "artifact", (), "line")


def test_a_name_no_file_can_have_is_one_that_is_not_there() -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in ("a.info", "b.info"):
            archive.writestr(name, f"SF:{'x' * 5000}\nDA:1,1\nend_of_record\n")
    assert measured(whole.getvalue(), "artifact", (), "line") == {"covered": 1, "coverable": 1}


def test_what_tests_print_is_skipped_however_long() -> None:
    said = "line\n" * (2 * MB)
    text = f"<testsuite><testcase><system-out>{said}</system-out></testcase></testsuite>"
    parts = measured(packed("j.xml", text), "artifact", (), "line")
    assert parts == {"passed": 1, "failed": 0, "errors": 0, "skipped": 0}
