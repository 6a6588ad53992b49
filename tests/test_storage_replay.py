"""Batches written twice, in any order, against a plain model of what a store holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from keyresults.metrics.stream import Batch
from keyresults.storage.store import Store
from storage_samples import START, covered, deployment, dump, hours, stream

# Few keys, so that batches meet: a fact comes new, the same, with another end or at another time.
facts = st.builds(deployment, st.integers(0, 4), state=st.sampled_from(["success", "failure"]), hour=st.integers(0, 6))
spans = st.tuples(st.integers(0, 9), st.integers(1, 4)).map(lambda s: (s[0], s[0] + s[1]))
batches = st.builds(
    Batch,
    facts=st.lists(facts, max_size=4).map(tuple),
    covered=st.lists(spans, max_size=3).map(lambda pairs: covered(*pairs)),
    removed=st.lists(st.sampled_from(["d0", "d1", "d2"]), max_size=2).map(tuple),
    cursor=st.none() | st.fixed_dictionaries({"page": st.integers(0, 9)}),
    open_keys=st.lists(st.sampled_from(["d3", "d4"]), max_size=2, unique=True).map(tuple),
    horizon=st.none() | st.integers(0, 3).map(hours),
)
sequences = st.lists(batches, max_size=5)


def written(sequence, leaving_out=()):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.db")
        with Store.open(f"sqlite:///{path}") as store:
            for batch in sequence:
                store.write(stream(), batch, START)
            assert store.check() == []
        return dump(path, leaving_out=leaving_out)


@settings(max_examples=25, deadline=None)
@given(sequences)
def test_each_batch_twice_leaves_the_same_rows(sequence):
    assert written([batch for batch in sequence for _ in range(2)]) == written(sequence)


@settings(max_examples=25, deadline=None)
@given(sequences)
def test_a_whole_replay_leaves_the_same_rows_but_for_the_count_of_changes(sequence):
    counts = ("revision",)
    assert written(sequence * 2, counts) == written(sequence, counts)


@settings(max_examples=25, deadline=None)
@given(sequences)
def test_a_store_holds_what_a_dictionary_would(sequence):
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/store.db") as store:
        known, reached = {}, set()
        for batch in sequence:
            before, was_reached = dict(known), set(reached)
            known |= {fact.key: fact for fact in batch.facts}
            for key in batch.removed:
                known.pop(key, None)
            reached |= {h for h in range(20) if hours(h) in batch.covered}
            done = store.write(stream(), batch, START)

            assert done.added == len(known.keys() - before.keys())
            assert done.removed == len(before.keys() - known.keys())
            assert done.changed == sum(known[k] != before[k] for k in known.keys() & before.keys())
            differing = [k for k in known.keys() | before.keys() if known.get(k) != before.get(k)]
            instants = [fact.at for k in differing for fact in (known.get(k), before.get(k)) if fact is not None]
            instants += [hours(h) for h in reached - was_reached]
            assert done.touched_from == min(instants, default=None)

        for key in ("d0", "d1", "d2", "d3", "d4"):
            assert store.fact(stream().id, key) == known.get(key)
        if sequence:
            state = store.state(stream().id)
            assert {h for h in range(20) if hours(h) in state.coverage} == reached
            assert state.facts == len(known)
            assert state.newest_fact == max((fact.at for fact in known.values()), default=None)
        in_order = sorted(known.values(), key=lambda fact: (fact.at, fact.key))
        assert store.facts("deployments", [stream().id])["key"] == [fact.key for fact in in_order]
