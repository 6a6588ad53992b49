"""Every key has its line and column, however the file writes it."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.config.places import Places

TEXT = """\
top.inner = 1  # a comment
"quoted key" = { one = 1, two.three = [{ four = 4 }, { four = 5 }] }

[table."with.dot"]
text = '''
[no.table]
no = "key"
'''
list = [
  1,
  # between
  { deep = true },
]

  [[array]]
  name = "first"
    [[array.inner]]
    x = 1
    [[array.inner]]
    x = 2
    [array.inner.table]
    y = 3
  [[array]]
    [[array.inner]]
    x = 4
"""


def test_keys_of_every_form_are_found():
    places = Places(TEXT)
    assert places.of(("top", "inner")) == (1, 5)
    assert places.of(("quoted key",)) == (2, 1)
    assert places.of(("quoted key", "two", "three", 1, "four")) == (2, 56)
    assert places.of(("table", "with.dot", "text")) == (5, 1)
    assert places.of(("table", "with.dot", "list", 0)) == (10, 3)
    assert places.of(("table", "with.dot", "list", 1, "deep")) == (12, 5)
    assert places.of(("array", 0, "name")) == (16, 3)
    assert places.of(("array", 0, "inner", 1, "x")) == (20, 5)
    assert places.of(("array", 0, "inner", 1, "table", "y")) == (22, 5)
    assert places.of(("array", 1, "inner", 0, "x")) == (25, 5)


def test_what_is_not_there_is_placed_at_the_table_around_it():
    places = Places(TEXT)
    assert places.of(("array", 1, "missing")) == (23, 5)
    assert places.of(("nothing", "of", "it")) == (1, 1)


def test_strings_don_t_hold_keys():
    assert Places(TEXT).of(("no", "table")) == (1, 1)


_LEAVES = st.integers(0, 9)
_TREES = st.recursive(_LEAVES, lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=12)


@settings(deadline=None)
@given(st.lists(_TREES, min_size=1, max_size=4), st.lists(st.sampled_from(["header", "inline", "dotted"]), min_size=4))
def test_each_key_is_where_its_name_is(trees, forms):
    text, keys = _written(trees, forms)
    places = Places(text)
    for key, name in keys:
        offset = text.index(name)
        line = text.count("\n", 0, offset) + 1
        assert places.of(key) == (line, offset - text.rfind("\n", 0, offset))


def _written(trees, forms):
    """TOML with a table for each tree, in one of three forms; every key has a name of its own."""
    names = (f"k{n}_" for n in range(1000))
    text, tables, keys = "", "", []
    for tree, form in zip(trees, forms, strict=False):
        name, inner = next(names), next(names)
        value = _value(tree, names, (name, inner), keys)
        keys += [((name,), name), ((name, inner), inner)]
        if form == "header":
            tables += f"[ {name} ]\n  {inner} = {value}\n"
        elif form == "inline":
            text += f"{name} = {{ {inner} = {value} }}\n"
        else:
            text += f"  {name} . {inner} = {value}\n"
    return text + tables, keys


def _value(tree, names: Iterator[str], key, keys) -> str:
    if isinstance(tree, int):
        return str(tree)
    parts = []
    for inner in tree:
        name = next(names)
        parts.append(f"{name} = {_value(inner, names, (*key, name), keys)}")
        keys.append(((*key, name), name))
    return "{ " + ", ".join(parts) + " }"
