"""Files no parser should see are refused before one does, within a second."""

import time
import tomllib

import pytest
from keyresults.config.document import read
from keyresults.config.load import load
from keyresults.config.peek import peek
from keyresults.config.places import Places
from keyresults.config.problem import ConfigProblems

MIB = 1 << 20

REFUSED = {
    "a dotted key of 40 KB": ("a." * 20_000 + "a = 1", "dotted parts"),
    "a dotted key with spaces": ("a . " * 10_000 + "a = 1", "dotted parts"),
    "a dotted key in quotes": ('"a".' * 10_000 + "a = 1", "dotted parts"),
    "a dotted header": ("[" + "a." * 20_000 + "a]", "dotted parts"),
    "deep arrays": ("a = " + "[" * 100_000, "nesting"),
    "deep arrays that close": ("a = " + "[" * 5_000 + "]" * 5_000, "nesting"),
    "deep inline tables": ("a = " + "{a=" * 100_000, "nesting"),
    "a key of a megabyte": ("k" * (MIB - 10) + " = 1", "characters"),
    "a number of a megabyte": ("a = " + "1" * (MIB - 10), "characters"),
    "an integer Python won't read": ("a = " + "_".join(["1" * 900] * 6), "characters"),
    "half a million values": ("a = [" + "1," * (MIB // 2 - 10) + "]", "values"),
    "as many tables": ("[[a]]\n" * 40_000, "values"),
    "more than a megabyte": ("#" * (MIB + 1), "bytes"),
    "a string that never ends": ('a = """' + '\\"""' * (MIB // 4 - 10), "never ends"),
    "a million lines": ("\n" * (MIB - 1), "lines"),
    "quotes and nothing else": ("'" * (MIB - 1), "no TOML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_within_a_second(tmp_path, name):
    text, said = REFUSED[name]
    path = tmp_path / "keyresults.toml"
    path.write_text(text)
    for reader in (load, peek):
        began = time.monotonic()
        with pytest.raises(ConfigProblems) as raised:
            reader(path)
        assert time.monotonic() - began < 1.0
        (problem,) = raised.value.problems
        assert said in problem.message
        assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = 1\0", "binary: a NUL byte at offset 5"),
        (bytes(range(256)), "binary: a NUL byte at offset 0"),
        (b'a = "\xff"', "no UTF-8 text: byte 0xff at offset 5"),
        (b"\x7fELF\x02\x01\x01\x03", "no TOML"),
        ("a = 1".encode("utf-16"), "binary|UTF-8"),
        (b"a = 1\rb = 2", "no TOML"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, said):
    path = tmp_path / "keyresults.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigProblems, match=said):
        load(path)


def test_a_large_honest_config_is_read_in_time(tmp_path):
    path = tmp_path / "keyresults.toml"
    metric = (
        "[metrics.m{n}]\nsource = \"p\"\nquery = '''sum(rate(x{{a=\"[{{.}}]\"}}[$day])) # no comment'''\nunit = \"s\"\n"
    )
    path.write_text(
        '[sources.p]\ntype = "prometheus"\nurl = "http://localhost:9090"\n'
        + "".join(metric.format(n=n) for n in range(1500))
    )
    began = time.monotonic()
    assert len(load(path).metrics) == 1500
    assert time.monotonic() - began < 5.0


def test_what_stands_in_strings_and_comments_is_not_counted(tmp_path):
    path = tmp_path / "keyresults.toml"
    brackets = "[{" * 200 + "a." * 200
    path.write_text(
        f"# {brackets}\na = \"{brackets}\"\nb = '{brackets}'\nc = \"\"\"\n{brackets}\"\"\"\nd = '''{brackets}'''\n"
    )
    assert set(read(path).table) == {"a", "b", "c", "d"}


STRINGS = [
    '"',
    '""""',
    '"""a""""',
    '""""a"""""',
    '"""\\""""',
    "'a\\'",
    "''''a'b''''",
    '"a\\\\"',
    '"a\\"',
    '"""a\\\n  b"""',
    '"#"',
    "'''\n#'''",
]


@pytest.mark.parametrize("text", STRINGS)
def test_strings_end_where_toml_ends_them(tmp_path, text):
    path = tmp_path / "keyresults.toml"
    path.write_text(f"a = {text}\nb = [1] # '\n")
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError:
        with pytest.raises(ConfigProblems):
            read(path)
    else:
        assert read(path).table == table


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_change_nothing(tmp_path, ends, mark):
    path = tmp_path / "keyresults.toml"
    path.write_bytes((mark + "[tracker]\nforecast = false\n".replace("\n", ends)).encode())
    document = read(path)
    assert document.table == {"tracker": {"forecast": False}}
    assert Places(document.text).of(("tracker", "forecast")) == (2, 1)


def test_a_folder_or_nothing_at_all_is_named(tmp_path):
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(ConfigProblems, match="can't be read"):
            load(path)
