"""The house rules: who may import whom, what comes late, and what the wheel holds."""

from __future__ import annotations

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (("metrics",), ("krs", "collectors"), ("storage", "config", "reports"), ("jobs",), ("cli",))
BELOW = {
    "metrics": frozenset(),
    "krs": {"metrics"},
    "collectors": {"metrics"},
    "storage": {"metrics", "krs"},
    "config": {"metrics", "krs", "collectors"},
    "reports": {"metrics", "krs"},
    "jobs": {"metrics", "krs", "collectors", "storage", "config", "reports"},
    "cli": {"metrics", "krs", "collectors", "storage", "config", "reports", "jobs"},
}
"""What each room may import, besides itself."""

SUBFOLDERS = {"storage": {"migrations"}, "reports": {"templates"}}
LATE = {"pandas", "numpy", "jinja2", "vl_convert"}
CLIENTS = {"github", "prometheus_api_client"}
FORBIDDEN = ("/".join(("..", "shared")),)


@dataclass(frozen=True)
class Import:
    """One import: the module's whole name, and whether it runs as soon as the file is imported."""

    file: Path
    line: int
    name: str
    early: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: {self.name}"


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@cache
def imports_of(path: Path) -> list[Import]:
    package = ("keyresults", *path.relative_to(ROOT).parent.parts)
    return [
        Import(path, node.lineno, name, early)
        for node, early in statements(ast.parse(path.read_text(encoding="utf-8")), early=True)
        for name in names_of(node, package)
    ]


def statements(tree: ast.AST, *, early: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import statement, and whether it stands outside functions and `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node, early
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for inner in node.body:
                yield from statements(ast.Module([inner], []), early=False)
            for inner in node.orelse:
                yield from statements(ast.Module([inner], []), early=early)
        else:
            late = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from statements(node, early=early and not late)


def names_of(node: ast.Import | ast.ImportFrom, package: tuple[str, ...]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = package[: len(package) - node.level + 1] if node.level else ()
    module = (*base, *(node.module.split(".") if node.module else ()))
    # `from .. import krs` names a room only in what it imports.
    return [".".join((*module, alias.name)) for alias in node.names]


def room_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "keyresults" and len(parts) > 1 else None


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs a clone: git lists what belongs to the repository")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    allowed = {room, *BELOW[room]}
    wrong = [i for path in modules(room) for i in imports_of(path) if room_of(i.name) not in {None, *allowed}]
    assert not wrong, "\n".join(map(str, wrong))


def test_no_room_may_import_sideways_or_up() -> None:
    for number, floor in enumerate(FLOORS):
        below = {room for lower in FLOORS[:number] for room in lower}
        assert all(BELOW[room] <= below for room in floor)


def test_every_dependency_is_imported() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[<>=]", one)[0].lower() for one in declared}
    imported = {i.name.split(".")[0] for room in BELOW for path in modules(room) for i in imports_of(path)}
    used = {
        home.lower().replace("_", "-")
        for module, homes in packages_distributions().items()
        if module in imported
        for home in homes
    }
    assert names - used == {"tzdata"}  # which zoneinfo reads by itself


@pytest.mark.parametrize("room", BELOW)
def test_imports_between_rooms_are_relative(room: str) -> None:
    for path in modules(room):
        for node, _ in statements(ast.parse(path.read_text(encoding="utf-8")), early=True):
            absolute = isinstance(node, ast.Import) or not node.level
            named = names_of(node, ()) if absolute else []
            assert not any(name.split(".")[0] in {"keyresults", *BELOW} for name in named), f"{path}:{node.lineno}"


def test_reading_an_import_sees_functions_type_checking_and_levels(tmp_path: Path) -> None:
    text = (
        "import os\nfrom ..krs import model\nfrom .. import jobs\nif TYPE_CHECKING:\n    import pandas\n"
        "else:\n    import numpy\ndef late():\n    import github\nclass A:\n    import json\n"
    )
    found = [
        (name, early)
        for node, early in statements(ast.parse(text), early=True)
        for name in names_of(node, ("keyresults", "storage"))
    ]
    assert found == [
        ("os", True),
        ("keyresults.krs.model", True),
        ("keyresults.jobs", True),
        ("pandas", False),
        ("numpy", True),
        ("github", False),
        ("json", True),
    ]


@pytest.mark.parametrize("room", BELOW)
def test_what_takes_long_to_import_is_imported_late(room: str) -> None:
    early = [i for path in modules(room) for i in imports_of(path) if i.early and i.name.split(".")[0] in LATE]
    assert not early, "\n".join(map(str, early))


def test_only_collectors_import_client_libraries() -> None:
    rooms = BELOW.keys() - {"collectors"}
    clients = [i for room in rooms for path in modules(room) for i in imports_of(path) if is_client(i)]
    assert not clients, "\n".join(map(str, clients))


def test_client_libraries_are_imported_late() -> None:
    """Inside functions; or in a module which itself is imported inside functions only."""
    everything = [i for room in BELOW for path in modules(room) for i in imports_of(path)]
    early = {i.name for i in everything if i.early}
    at_once = [i for i in everything if i.early and is_client(i)]
    wrong = [
        i for i in at_once if any(f"{name}.".startswith(f"keyresults.collectors.{i.file.stem}.") for name in early)
    ]
    assert not wrong, "\n".join(map(str, wrong))


def is_client(one: Import) -> bool:
    return one.name.split(".")[0] in CLIENTS


@pytest.mark.parametrize("room", BELOW)
def test_a_room_is_flat_typed_and_says_what_lives_there(room: str) -> None:
    folders = {p.name for p in (ROOT / room).iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders <= SUBFOLDERS.get(room, set())
    assert (ROOT / room / "py.typed").is_file()
    said = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8")))
    assert said is not None
    assert len(said.splitlines()) >= 3, f"{room}/__init__.py should tell what belongs into it, and what is kept out"


SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)\b(?P<rest>.*)")
REASONED = {"noqa": re.compile(r": [A-Z0-9, ]+ \(\w.+\)$"), "type": re.compile(r"\[[\w, -]+\]  # \w.+$")}


def silenced(text: str) -> Iterator[tuple[int, str, bool]]:
    """Every comment that silences a check: its line, itself, and whether it says why."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        found = SILENCED.search(token.string) if token.type == tokenize.COMMENT else None
        if found:
            reasoned = REASONED["noqa" if found[1] == "noqa" else "type"]
            yield token.start[0], token.string, reasoned.match(found["rest"]) is not None


def test_whoever_silences_a_check_says_why() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {comment}"
        for path in tracked()
        if path.suffix == ".py"
        for line, comment, reasoned in silenced(path.read_text(encoding="utf-8"))
        if not reasoned
    ]
    assert not wrong, "\n".join(wrong)


def test_a_reason_is_told_from_none() -> None:
    text = (
        "a = 1  # noqa\nb = 2  # noqa: S101\nc = 3  # noqa: S101 (made up)\nd = 4  # type: ignore[misc]\n"
        "e = 5  # type: ignore[misc]  # made up\nf = 6  # type: ignore\ng = '# noqa'\n"
    )
    assert [(line, reasoned) for line, _, reasoned in silenced(text)] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
        (5, True),
        (6, False),
    ]


def test_no_file_names_what_lies_outside_the_repository() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked()
        for word in FORBIDDEN
        if word.encode() in path.read_bytes()
    ]
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what git has of this tree."""
    copy = tmp_path_factory.mktemp("tree")
    for path in tracked():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def held(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_the_wheel_has_one_name_at_its_top(held: set[str]) -> None:
    tops = {name.split("/")[0] for name in held}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"keyresults"}


def test_the_wheel_holds_every_module_and_marker_of_every_room(held: set[str]) -> None:
    ours = [path.relative_to(ROOT) for path in tracked() if path.relative_to(ROOT).parts[0] in BELOW]
    assert {f"keyresults/{path.as_posix()}" for path in ours} <= held
    assert {f"keyresults/{room}/py.typed" for room in BELOW} <= held
    assert any(name.startswith("keyresults/storage/migrations/versions/r0001") for name in held)
    assert "keyresults/storage/migrations/env.py" in held


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's own files in a folder of their own; what it depends on is this environment's."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return target


def run_installed(installed: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "100"}
    return subprocess.run(
        [*command], env=environment, cwd=installed, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_installed_command_tells_what_it_can_do(installed: Path) -> None:
    told = run_installed(installed, installed / "bin" / "keyresults", "--help")
    assert told.returncode == 0, told.stderr
    assert "Usage" in told.stdout
    assert "status" in told.stdout


def test_asking_for_help_imports_nothing_heavy(installed: Path) -> None:
    heavy = sorted({*LATE, *CLIENTS, "alembic"})
    code = (
        "import sys; sys.argv = ['keyresults', '--help']\n"
        "from keyresults.cli.main import main\n"
        "try: main()\n"
        f"finally: print('heavy:', [m for m in {heavy} if m in sys.modules])\n"
    )
    told = run_installed(installed, sys.executable, "-c", code)
    assert "heavy: []" in told.stdout, told.stdout + told.stderr


def test_the_installed_store_finds_its_migrations(installed: Path) -> None:
    code = (
        "from keyresults.storage import schema\n"
        f"assert schema.MIGRATIONS.is_dir() and schema.MIGRATIONS.is_relative_to({str(installed)!r})\n"
    )
    told = run_installed(installed, sys.executable, "-c", code)
    assert told.returncode == 0, told.stderr
