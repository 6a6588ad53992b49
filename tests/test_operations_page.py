"""docs/operations.md: what it tells people to type is typed here, in its order."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from job_scenes import rows, write_scene
from keyresults.config.load import load
from keyresults.metrics.reading import Health
from keyresults.storage.store import Store
from standins import postgres as servers
from stores_filled import rows_of

pytestmark = pytest.mark.soak  # whole commands as the page has them: in CI, and not for every change

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")
SERVER = "postgresql://keyresults@db.example.com/okr"


def section(title):
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##+ |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def blocks(title, language):
    return re.findall(rf"^```{language}\n(.*?)^```", section(title), re.DOTALL | re.MULTILINE)


def typed(title):
    return [line[2:] for block in blocks(title, "console") for line in block.splitlines()]


@pytest.fixture
def shell(tmp_path):
    """Runs lines in a folder with a config, as a reader would."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "keyresults"
    command.write_text(f"#!{sys.executable}\nimport sys\nfrom keyresults.cli.main import main\nsys.exit(main())\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    # Commands go by the machine's clock, at which the scene's data may be of any age: only whether they work counts.
    folder = write_scene(tmp_path / "team", rows(20)).parent
    env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "KR_DB": servers.PASSWORD}

    def run(*lines):
        for line in lines:
            ran = subprocess.run(["bash", "-c", line], cwd=folder, env=env, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, (line, ran.stderr)
        return ran.stdout

    run("keyresults collect")
    return run


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path}/team/.keyresults/store.db"


def facts(url):
    return rows_of(url)["deployments"]


def test_backing_up_and_restoring_as_written_brings_the_store_back(shell, store):
    shell(*typed("Backup"))
    before = rows_of(store)
    with Store.open(store) as opened, opened._writing() as conn:
        conn.exec_driver_sql("DELETE FROM deployments")
    restoring = typed("Restore")
    assert restoring[2].startswith("keyresults store copy")
    shell(*restoring[:3])
    assert rows_of(store) == before
    shell(*restoring[3:])
    assert facts(store) == before["deployments"]


def test_moving_to_a_server_as_written_moves_everything(shell, store, tmp_path, postgres_url):
    there = postgres_url.replace("kr:hunter2%21@", "kr@")
    copy, *look = typed("Moving to PostgreSQL")
    shell(copy.replace(SERVER, f"'{there}'"))
    (address,) = blocks("Moving to PostgreSQL", "toml")
    config = tmp_path / "team" / "keyresults.toml"
    config.write_text(config.read_text().replace("[tracker]\n", address.replace(SERVER, there)))
    assert rows_of(postgres_url) == rows_of(store)
    assert "PostgreSQL" not in shell(*look)
    assert "is sound: 20 facts" in shell(look[0])


def test_pruning_as_written_works(shell):
    shell(*typed("What a year looks like"))


def test_the_config_for_systemd_loads(tmp_path):
    (text,) = blocks("Under systemd", "toml")
    path = tmp_path / "keyresults.toml"
    path.write_text(text)
    config = load(path)
    assert config.store.url == "sqlite:////var/lib/keyresults/store.db"
    places = [config.reports["weekly"].directory, config.daemon.backup.directory]
    assert all(place.is_relative_to("/var/lib/keyresults") for place in places)


def test_the_unit_and_its_config_name_the_same_credential():
    unit = (Path(__file__).parents[1] / "contrib" / "systemd" / "keyresults.service").read_text(encoding="utf-8")
    (text,) = blocks("Under systemd", "toml")
    (name,) = re.findall(r"/run/credentials/keyresults\.service/([\w-]+)", text)
    assert f"\nLoadCredential={name}:/etc/keyresults/secrets/{name}\n" in unit


def test_every_health_is_told_in_the_order_of_the_rules():
    told = re.findall(r"^\| `(\w+)` \|", section("Health, and what to do"), re.MULTILINE)
    assert set(told) == {health.value for health in Health}
