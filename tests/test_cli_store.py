"""`keyresults store`: what it says, what it ends with, and that it shows no password."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from job_scenes import rows, workspace, write_scene
from keyresults.cli.main import main
from keyresults.storage.store import Store
from standins import postgres as servers
from storage_samples import START, hours, stream
from stores_filled import fill, rows_of


@pytest.fixture
def config(tmp_path):
    path = write_scene(tmp_path / "team", rows(20))
    fill(f"sqlite:///{store_of(path)}")
    return path


def store_of(config):
    return config.parent / ".keyresults/store.db"


@pytest.fixture
def call(config, capsys):
    def called(*words):
        code = main(["--config", str(config), "store", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return called


def without_password(url):
    return url.replace("kr:hunter2%21@", "kr@")


def test_a_sound_store_is_said_to_be(call, config):
    assert call("check") == (0, f"{store_of(config)} is sound: 306 facts in 7 streams.\n", "")


def test_a_damaged_one_ends_with_two_and_says_what_is_wrong(call, config):
    with Store.open(f"sqlite:///{store_of(config)}") as store, store._writing() as conn:
        conn.exec_driver_sql("UPDATE streams SET facts = 17 WHERE kind = 'incidents'")
    code, out, err = call("check")
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {store_of(config)} is damaged: put a backup in its place\n")
    assert "says it has 17 facts and has 1" in err


@pytest.mark.parametrize("words", [("check",), ("backup",)])
def test_where_nothing_was_collected_there_is_no_store(tmp_path, capsys, words):
    path = write_scene(tmp_path, rows(3))
    assert main(["--config", str(path), "store", *words]) == 2
    assert "there is no store at" in capsys.readouterr().err
    assert not (tmp_path / "backups").exists()


def test_a_backup_goes_beside_the_config(call, config):
    code, out, err = call("backup")
    (made,) = (config.parent / "backups").glob("store-*.db")
    assert (code, err) == (0, "")
    assert out == f"{store_of(config)} is backed up, and the copy checked: {made}\n"
    assert rows_of(f"sqlite:///{made}") == rows_of(f"sqlite:///{store_of(config)}")


def test_a_backup_goes_where_the_config_says(call, config):
    with config.open("a") as file:
        file.write('\n[daemon]\nbackup = { every = "1d", directory = "safe" }\n')
    assert call("backup")[0] == 0
    assert len(list((config.parent / "safe").glob("store-*.db"))) == 1


def test_a_backup_takes_no_files_place(call, config, tmp_path):
    before = rows_of(f"sqlite:///{store_of(config)}")
    for taken in (store_of(config), tmp_path / "mine.txt"):
        taken.touch()
        code, out, err = call("backup", "--output", str(taken))
        assert (code, out) == (2, "")
        assert f"{taken} is there already" in err
    assert rows_of(f"sqlite:///{store_of(config)}") == before


def test_a_restored_backup_is_the_store_again(call, config, tmp_path):
    before = rows_of(f"sqlite:///{store_of(config)}")
    assert call("backup", "--output", str(tmp_path / "safe.db"))[0] == 0
    store_of(config).write_bytes(b"gone" * 1000)
    assert call("check")[0] == 2
    for file in store_of(config).parent.glob("store.db*"):
        file.unlink()
    assert call("copy", str(tmp_path / "safe.db"), str(store_of(config)))[0] == 0
    assert call("check")[0] == 0
    assert rows_of(f"sqlite:///{store_of(config)}") == before


def test_a_store_moves_to_a_server_and_back(call, config, tmp_path, postgres_url, monkeypatch):
    monkeypatch.setenv("KR_DB", servers.PASSWORD)
    there, back = without_password(postgres_url), tmp_path / "back.db"
    code, out, err = call("copy", str(store_of(config)), there, "--password-env", "KR_DB")
    assert (code, err) == (0, "")
    assert out.endswith(" tables, compared.\n")
    assert call("copy", there, f"sqlite:///{back}", "--password-env", "KR_DB")[0] == 0
    assert rows_of(f"sqlite:///{back}") == rows_of(postgres_url) == rows_of(f"sqlite:///{store_of(config)}")


@pytest.mark.parametrize("variables", [["KR_DB"], ["KR_DB", "KR_OTHER"]])
def test_from_server_to_server_one_password_may_do(call, postgres, postgres_url, monkeypatch, variables):
    fill(postgres_url, 3)
    for name in variables:
        monkeypatch.setenv(name, servers.PASSWORD)
    other = postgres.schema(f"kr{uuid.uuid4().hex}")
    options = [word for name in variables for word in ("--password-env", name)]
    assert call("copy", without_password(postgres_url), without_password(other), *options)[0] == 0
    assert rows_of(other) == rows_of(postgres_url)


def test_a_backup_of_a_store_on_a_server_is_a_file(config, postgres_url, monkeypatch, tmp_path, capsys):
    fill(postgres_url)
    monkeypatch.setenv("KR_DB", servers.PASSWORD)
    address = f'store = {{ url = "{without_password(postgres_url)}", password = {{ env = "KR_DB" }} }}'
    config.write_text(config.read_text().replace("[tracker]\n", f"[tracker]\n{address}\n"))
    assert main(["--config", str(config), "store", "backup", "--output", str(tmp_path / "safe.db")]) == 0
    assert main(["--config", str(config), "store", "check"]) == 0
    assert servers.PASSWORD not in "".join(capsys.readouterr())
    assert rows_of(f"sqlite:///{tmp_path}/safe.db") == rows_of(postgres_url)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["postgresql://kr:hunter2@db.example.com/okr", "b.db"], "leave the password out of the address"),
        (["postgresql://kr:a/hunter2@db.example.com/okr", "b.db"], "leave the password out of the address"),
        (["a.db", "postgresql://db.example.com/okr?user=kr&password=hunter2"], "leave the password out"),
        (["a.db", "mysql://db.example.com/okr"], "is no address of a store"),
        (["a.db", "b.db", "--password-env", "KR_DB"], "is for stores on a server"),
        (["a.db", "postgresql://kr@db.example.com/okr", "--password-env", "KR_NONE"], "KR_NONE is not set"),
        (["none.db", "b.db"], "there is no store at"),
    ],
)
def test_what_can_not_be_copied_is_said_without_the_password(call, words, said, monkeypatch, tmp_path):
    monkeypatch.setenv("KR_DB", "hunter2")
    monkeypatch.chdir(tmp_path)
    code, out, err = call("copy", *words)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())
    assert "hunter2" not in err
    assert not (tmp_path / "b.db").exists()


def test_a_wrong_password_is_not_shown(call, postgres_url, monkeypatch, tmp_path):
    monkeypatch.setenv("KR_DB", "a wrong secret")
    code, out, err = call("copy", without_password(postgres_url), str(tmp_path / "b.db"), "--password-env", "KR_DB")
    assert (code, out) == (2, "")
    assert "refuses the user or password" in err
    assert "a wrong secret" not in err


def test_copying_needs_no_config(tmp_path, capsys, monkeypatch):
    fill(f"sqlite:///{tmp_path}/a.db", 3)
    monkeypatch.chdir(tmp_path)
    assert main(["store", "copy", "a.db", "sqlite:///b.db"]) == 0
    assert rows_of(f"sqlite:///{tmp_path}/b.db") == rows_of(f"sqlite:///{tmp_path}/a.db")
    assert f"{tmp_path}/a.db is copied to {tmp_path}/b.db: " in capsys.readouterr().out


def test_pruning_says_what_went(call, config):
    with Store.open(f"sqlite:///{store_of(config)}") as store:
        for hour in range(3):
            run = store.start_run("github", stream(), hours(hour))
            store.finish_run(run, hours(hour), "ok", None, 1, 0, 0, 0)
    assert call("prune", "--runs-older-than", "500 weeks") == (
        0,
        "Removed 0 records of collections and 0 notices.\n",
        "",
    )
    with workspace(config) as one:
        days = (one.clock() - START).days
    assert days > 1
    code, out, _ = call("prune", "--runs-older-than", "1s")
    assert code == 0
    assert out.startswith("Removed ")
    with Store.open(f"sqlite:///{store_of(config)}") as store:
        assert len(store.runs(stream().id)) == 1


def test_what_was_said_is_thinned_only_where_it_is_asked_for(call, config):
    with workspace(config) as one:
        for hour in range(3):
            said = {"cycle": "2026-Q4", "day": START.date(), "config_digest": "c", "ground": f"{hour}"}
            one.store.put_evaluation(at=hours(hour), content="{}", **said)
    assert "evaluations" not in call("prune")[1]
    out = call("prune", "--said-older-than", "1d")[1]
    assert out.endswith("Removed 2 evaluations that were said over on their day.\n")


def test_where_no_store_is_nothing_is_pruned_and_none_is_made(call, config):
    store_of(config).unlink(missing_ok=True)
    code, out, err = call("prune")
    assert (code, out) == (2, "")
    assert "there is no store" in err
    assert not store_of(config).exists()


def test_a_length_that_is_none_is_said(call):
    code, _, err = call("prune", "--runs-older-than", "soon")
    assert code == 2
    assert "'soon' is no length of time" in err


def test_asking_what_it_can_do_loads_nothing_heavy():
    program = (
        "import sys; from keyresults.cli.main import main; main(['store', '--help'])\n"
        "assert not {'sqlalchemy', 'pydantic', 'pandas'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in ran.stdout.partition("Commands:\n")[2].splitlines()] == [
        "backup", "check", "copy", "prune",
    ]  # fmt: skip


def test_a_backup_is_made_while_others_write(call, config, tmp_path):
    with Store.open(f"sqlite:///{store_of(config)}") as store, store._writing() as conn:
        conn.exec_driver_sql("INSERT INTO memos VALUES ('a', 'b', 'c')")
        assert call("backup", "--output", str(Path(tmp_path, "safe.db")))[0] == 0
