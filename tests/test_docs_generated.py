"""`make docs` writes what is committed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_generated_pages_are_those_committed(tmp_path):
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True, timeout=60)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert Path("config.example.toml") in written
    different = [path for path in written if (tmp_path / path).read_bytes() != (ROOT / path).read_bytes()]
    assert different == [], "run `make docs`"


def test_every_page_that_claims_to_be_generated_is(tmp_path):
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True, timeout=60)
    pages = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")]
    claiming = [page for page in pages if "`make docs`" in (ROOT / page).read_text(encoding="utf-8")]
    assert claiming
    assert [page for page in claiming if not (tmp_path / page).exists()] == []
