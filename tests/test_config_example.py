"""The example, the JSON Schema and the reference page are written from the models, and say all there is."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.collectors.registry import BUILT_IN, collector_type
from keyresults.config.example import example_config
from keyresults.config.json_schema import json_schema
from keyresults.config.load import load
from keyresults.config.problem import ConfigProblems
from keyresults.config.reference import config_reference
from keyresults.metrics.measures import MEASURES

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def schema():
    return json_schema()


def test_the_committed_example_is_the_generated_one():
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example_config(), "run `make docs`"


def test_the_committed_reference_is_the_generated_one():
    assert (ROOT / "docs" / "config.md").read_text(encoding="utf-8") == config_reference(), "run `make docs`"


def test_the_example_loads():
    config = load(ROOT / "config.example.toml")
    assert len(config.objectives) == 2
    assert set(config.sources) >= {"github", "prometheus", "coverage", "tests", "repo", "exports", "people"}


def test_the_example_says_every_key(schema):
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    tables = [schema["definitions"][name] for name in schema["definitions"]]
    tables.append(schema["properties"]["metrics"]["additionalProperties"])
    told_elsewhere = {"ca", "zone", "format", "timeout", "remote", "added", "labels", "topics", "app", "incidents"}
    told_elsewhere |= {"id", "installation", "key", "file", "select", "since", "reserve"}
    keys = {key for table in tables for key in table.get("properties", {})} - told_elsewhere
    assert {key for key in keys if re.search(rf"\b{key}\b", text) is None} == set()


def test_the_schema_accepts_the_example(schema):
    jsonschema.Draft7Validator.check_schema(schema)
    example = _json((ROOT / "config.example.toml").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(example)] == []


@pytest.mark.parametrize(
    "text",
    [
        "[trackr]\n",
        '[tracker]\ntimezon = "UTC"\n',
        '[sources.s]\ntype = "githb"\n',
        '[sources.s]\ntype = "coverage"\n',
        '[sources.s]\ntype = "github"\nrepositories = ["a/b"]\ntoken = "literal"\n',
        '[metrics.m]\nsource = "s"\nmeasure = "covrage"\n',
        '[metrics.m]\nsource = "s"\nwindow = "28"\n',
        '[[objectives]]\nid = "o"\ntitle = "O"\nkind = "hopeful"\n',
    ],
)
def test_the_schema_refuses_what_loading_refuses(schema, text):
    assert not jsonschema.Draft7Validator(schema).is_valid(_json(text))


def test_the_schema_holds_no_null_and_no_dangling_reference(schema):
    text = json.dumps(schema)
    assert '"null"' not in text
    assert set(re.findall(r"#/definitions/(\w+)", text)) == set(schema["definitions"])


def test_every_measure_that_a_collector_names_is_one():
    named = {m for word in BUILT_IN for q in collector_type(word).Queries.values() for m in q.measures or ()}
    assert named
    assert named <= set(MEASURES)


def test_the_reference_names_every_measure_and_every_key(schema):
    page = config_reference()
    for measure in MEASURES:
        assert f"`{measure}`" in page
    for key in schema["properties"]["metrics"]["additionalProperties"]["properties"]:
        assert f"`{key}`" in page


def _json(text: str) -> object:
    """TOML as JSON, days as text."""
    return json.loads(json.dumps(tomllib.loads(text), default=lambda day: day.isoformat()))


JUNK = ["3", "-1", "true", '"x"', '""', "[]", "{}", "nan", "1979-05-27", "[[]]", "[{}]", '["x"]', "07:00:00", '"-5%"']
LINES = (ROOT / "config.example.toml").read_text(encoding="utf-8").split("\n")
VALUES = [number for number, line in enumerate(LINES) if re.match(r"\s*[\w-]+ = ", line)]


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(VALUES), st.sampled_from(JUNK))
def test_any_value_anywhere_loads_or_is_told_with_its_place(tmp_path_factory, number, junk):
    path = tmp_path_factory.mktemp("junk") / "keyresults.toml"
    key, _, _ = LINES[number].partition(" = ")
    path.write_text("\n".join([*LINES[:number], f"{key} = {junk}", *LINES[number + 1 :]]), encoding="utf-8")
    try:
        load(path)
        problems = ()
    except ConfigProblems as refused:
        problems = refused.problems
    assert all(problem.line and problem.column for problem in problems)
