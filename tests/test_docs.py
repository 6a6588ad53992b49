"""The pages people write: their links lead somewhere, their commands exist, their configs load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from keyresults.cli.main import keyresults
from keyresults.collectors.registry import BUILT_IN
from keyresults.config.load import load
from keyresults.metrics.measures import MEASURES

ROOT = Path(__file__).parent.parent
FOLDERS = ("docs", "examples")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
README = (ROOT / "README.md").read_text(encoding="utf-8")
STARTED = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")

HOSTS = {"github.com", "api.github.com", "keepachangelog.com", "localhost:9090", "wiki"}
"""Where addresses on the pages may lead, beside hosts under example.com and the store's own file."""

MACHINES = tuple("/" + folder for folder in ("work/", "work\n", "tmp/", "root/", "home/"))


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> Iterator[list[str]]:
    """The words of every line that a reader may type, comments left out."""
    for block in blocks(text, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                yield line[2:].partition("#")[0].split()


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_leads_there(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        aim = (page.parent / file).resolve() if file else page
        assert aim.is_relative_to(ROOT), target
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_leads_to_a_strange_host_or_somebodys_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    hosts = {host for scheme, host in re.findall(r"(\w+)://([^/\s\"'`<>)]*)", text) if scheme != "sqlite"}
    assert {host for host in hosts if not host.endswith(".example.com")} <= HOSTS
    assert not [word for word in MACHINES if word in text]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_to_type_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in commands(page.read_text(encoding="utf-8")):
        if words[0] == "make":
            assert set(words[1:]) <= targets, words
        if Path(words[0]).name == "keyresults":
            check_call(words[1:])


def check_call(words: list[str]) -> None:
    """The subcommand and every option are known; values aren't looked at."""
    known = {option for parameter in keyresults.params for option in parameter.opts}
    if words[0] == "--config":
        words = words[2:]
    if words[0] in known:
        return
    command = keyresults.commands[words[0]]
    if isinstance(command, click.Group):
        command = command.commands[words[1]]
    taken = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= taken, words


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_in_prose_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`keyresults ([a-z][a-z-]*)", text)
    assert set(named) <= set(keyresults.commands)


def test_the_readme_begins_with_the_demo_and_the_tests() -> None:
    first = "\n".join(README.splitlines()[:25])
    assert "make demo" in first
    assert "make test" in first


@pytest.mark.parametrize("text", [README, STARTED], ids=["README.md", "getting-started.md"])
def test_the_configs_of_a_page_make_one_that_loads(text: str, tmp_path: Path) -> None:
    config = tmp_path / "keyresults.toml"
    config.write_text("\n".join(blocks(text, "toml")), encoding="utf-8")
    assert load(config).objectives


def test_the_first_steps_use_every_source() -> None:
    assert set(re.findall(r'^type = "(\w+)"', STARTED, re.MULTILINE)) == set(BUILT_IN)


def test_the_readme_names_every_source_and_measure() -> None:
    assert set(re.findall(r"^\| \[(\w+)\]\(docs/collectors/\1\.md\)", README, re.MULTILINE)) == set(BUILT_IN)
    table = README.partition("## Metrics")[2].partition("##")[0]
    assert set(re.findall(r"`(\w+)`", table)) == set(MEASURES)


def test_what_the_readme_shows_of_the_demo_is_in_the_demo() -> None:
    shown = " ".join(blocks(README, "text")[0].split())
    demo = (ROOT / "examples" / "demo" / "keyresults.toml").read_text(encoding="utf-8")
    told = dict(re.findall(r'^\s*id = "([\w-]+)"\n\s*title = "(.+)"$', demo, re.MULTILINE))
    seen = [name for name in re.findall(r"\(([a-z0-9-]+)\)", shown) if name in told]
    assert len(seen) >= 3
    for name in seen:
        assert f"{told[name]} ({name})" in shown


def test_the_index_lists_every_page() -> None:
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")} - {"README.md"}
    assert pages <= set(re.findall(r"\]\(([\w./-]+\.md)\)", index))
