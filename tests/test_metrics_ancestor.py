"""The rollback rule `ancestor`: by hand, and against plain loops over made-up trees of commits."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from columns import at, tables
from keyresults.metrics.facts import Shipment
from keyresults.metrics.pairs import pairs_wanted
from keyresults.metrics.reading import Health
from metric_cases import broke, definition, deployed, explained, merged, read

DAY = at("2026-10-05 10:00")
BOTH = ("version_return", "ancestor")
TREE = {"A": "", "B": "A", "C": "B", "D": "C", "X": "B", "Y": "C"}
"""Each commit's parent: A, B, C and D in a line; X and Y branch off it."""


def rules(*names, mark="between", **fields):
    return definition("rollback_rate", rollback_rules=names, rollback_mark=mark, min_samples=0, **fields)


def track(commits, **fields):
    return [deployed(c, DAY + timedelta(days=n), key=f"{n}{c}", **fields) for n, c in enumerate(commits.split())]


def ancestors(commit, parents):
    found = set()
    while commit := parents[commit]:
        found.add(commit)
    return found


def relation(previous, commit, parents):
    if previous == commit:
        return "identical"
    if commit in ancestors(previous, parents):
        return "behind"
    return "ahead" if previous in ancestors(commit, parents) else "diverged"


def lies(previous, commit, told, **fields):
    given = {"key": f"{previous}..{commit}", "subject": "acme/pay", "found_at": DAY, "method": "compare"}
    return Shipment(**{**given, "previous": previous, "commit": commit, "relation": told, **fields})


def told_of(commits, parents=TREE):
    """How each commit lies to the one before, and to all that came earlier."""
    names = list(dict.fromkeys(commits.split()))
    return [lies(p, c, relation(p, c, parents)) for n, c in enumerate(names) for p in names[:n]]


def taken_for(what, facts):
    return {key: note.role for key, note in explained(what, facts).items()}


def taken_back(what, facts):
    return {key[1:] for key, note in explained(what, facts).items() if "taken back" in note.why}


def test_a_commit_that_is_an_ancestor_of_what_runs_is_a_rollback():
    facts = [*track("A C B"), *told_of("A C B")]
    assert taken_for(rules(*BOTH), facts) == {"0A": "forward", "1C": "forward", "2B": "rollback"}
    assert (read(rules(*BOTH), facts).numerator, read(rules(*BOTH), facts).denominator) == (1, 2)
    assert "went back to B, an ancestor of what it replaced" in explained(rules(*BOTH), facts)["2B"].why


def test_it_takes_back_every_version_that_came_after_its_commit():
    facts = [*track("A C D B"), *told_of("A C D B")]
    assert taken_back(rules(*BOTH), facts) == {"C", "D"}
    assert taken_back(rules(*BOTH, mark="newest"), facts) == {"D"}


def test_a_branch_off_an_older_version_is_no_rollback():
    facts = [*track("A C X D"), *told_of("A C X D")]
    assert set(taken_for(rules(*BOTH), facts).values()) == {"forward"}


def test_what_a_rollback_left_standing_can_be_returned_to():
    facts = [*track("A C D B D B"), *told_of("A C D B")]
    expected = ["forward", "forward", "forward", "rollback", "forward", "rollback"]
    assert list(taken_for(rules(*BOTH), facts).values()) == expected
    assert list(taken_for(rules("ancestor"), facts).values()) == expected


def test_without_the_rule_the_reading_says_what_it_would_give():
    facts = [*track("A C B"), *told_of("A C B")]
    reading = read(rules("version_return"), facts)
    assert (reading.value, reading.n) == (0, 3)
    assert "the rule 'ancestor' would take 1 of these for rollbacks" in reading.notes
    assert not any("'ancestor' would" in note for note in read(rules(*BOTH), facts).notes)


def test_what_is_known_of_one_way_is_known_of_the_other():
    facts = [*track("A C A"), lies("A", "C", "ahead")]
    assert list(taken_for(rules("ancestor"), facts).values()) == ["forward", "forward", "rollback"]
    assert pairs_wanted(rules("ancestor"), tables(facts), at("2026-11-01")) == []


def test_where_nothing_is_known_of_the_commits_there_is_no_reading():
    reading = read(rules(*BOTH), track("A B C"))
    assert (reading.value, reading.health) == (None, Health.NO_DATA)
    assert any(note.startswith("3 left out: how their commits lie") for note in reading.notes)


def test_a_version_that_may_have_been_taken_back_is_in_neither_side():
    known = [lies("A", "B", "ahead"), lies("C", "D", "ahead")]
    facts = [*track("A B C D"), *known, lies("B", "C", None, method="merge-time")]
    notes = explained(rules(*BOTH), facts)
    assert [note.role for note in notes.values()] == ["in doubt", "in doubt", "in doubt", "forward"]
    newest = rules(*BOTH, mark="newest")
    assert list(taken_for(newest, facts).values()) == ["forward", "in doubt", "in doubt", "forward"]
    reading = read(newest, facts)
    assert (reading.numerator, reading.denominator) == (0, 2)


def test_a_rollback_of_unknown_reach_leaves_out_what_it_may_have_taken_back():
    facts = [*track("A C D B"), lies("A", "C", "ahead"), lies("C", "D", "ahead"), lies("D", "B", "behind")]
    assert list(taken_for(rules(*BOTH), facts).values()) == ["in doubt", "in doubt", "forward", "rollback"]
    assert pairs_wanted(rules(*BOTH), tables(facts), at("2026-11-01")) == [("acme/pay", "C", "B")]


def test_versions_returned_to_need_no_comparison():
    reading = read(rules(*BOTH), [*track("A B A"), lies("A", "B", "ahead")])
    assert (reading.numerator, reading.denominator) == (1, 2)


def test_the_platforms_mark_settles_what_comparing_cannot():
    marked = deployed("C", DAY + timedelta(days=2), key="2C", marked_rollback=True)
    facts = [*track("A B"), marked, lies("A", "B", "ahead")]
    assert list(taken_for(rules(*BOTH, "marked"), facts).values()) == ["forward", "forward", "rollback"]


def test_one_in_doubt_in_any_environment_is_in_doubt():
    eu, us = (track("A B", environment=name) for name in ("prod-eu", "prod-us"))
    us[1] = deployed("Z", DAY + timedelta(days=1, hours=1), key="1Z", environment="prod-us")
    facts = [*eu, *[deployed(f.commit, f.at + timedelta(hours=1), key=f"us{f.key}", environment="prod-us") for f in us]]
    known = lies("A", "B", "ahead")
    notes = explained(rules(*BOTH, environment="prod-*"), [*facts, known])
    assert notes["0A"].role == "in doubt"
    assert notes["1B"].role == "forward"


def test_a_failure_rate_leaves_them_out_too():
    what = definition("change_failure_rate", rollback_rules=BOTH, min_samples=0)
    known = [lies("A", "C", "ahead"), lies("C", "B", "behind"), lies("A", "B", "ahead"), lies("B", "D", None)]
    facts = [*track("A C B"), merged("m", "2026-10-05 09:00"), *known]
    assert (read(what, facts).numerator, read(what, facts).denominator) == (1, 2)
    doubtful = read(what, [*facts, deployed("D", DAY + timedelta(days=3), key="3D")])
    assert (doubtful.numerator, doubtful.denominator) == (1, 1)


@pytest.mark.parametrize("measure", ["failed_deployment_recovery_time", "deployment_rework_rate"])
def test_other_measures_leave_them_out_and_note_them(measure):
    what = definition(measure, rollback_rules=BOTH, min_samples=0)
    known = [lies("A", "C", "ahead"), lies("C", "B", "behind"), lies("A", "B", "ahead")]
    facts = [
        *track("A C B"),
        merged("m", "2026-10-05 09:00"),
        broke("i", "2026-10-06 11:00", closed_at=at("2026-10-09")),
    ]
    certain = read(what, [*facts, *known])
    # C was taken back by B a day after it; of A, C and B one is a rollback.
    assert certain.value == (86_400 if measure == "failed_deployment_recovery_time" else pytest.approx(1 / 3))
    doubtful = read(what, facts)
    assert doubtful.value is None
    assert any(note.startswith("3 left out: how their commits lie") for note in doubtful.notes)


# ---- which pairs are asked for


def test_lead_times_ask_for_neighbours_that_went_forward_newest_first():
    lead = definition("lead_time_for_changes")
    assert pairs_wanted(lead, tables(track("A B A A C")), at("2026-11-01")) == [
        ("acme/pay", "A", "C"),
        ("acme/pay", "A", "B"),
    ]


def test_measures_of_deployments_alone_ask_for_none():
    for measure in ("deployment_frequency", "rollback_rate", "deployment_duration"):
        assert pairs_wanted(definition(measure), tables(track("A B C")), at("2026-11-01")) == []


def test_the_rule_revert_asks_for_what_was_shipped():
    assert len(pairs_wanted(rules("revert"), tables(track("A B C")), at("2026-11-01"))) == 2


def test_services_and_environments_have_neighbours_of_their_own():
    canary = track("A B", environment="prod-canary")
    rest = [deployed(f.commit, f.at + timedelta(hours=1), key=f"r{f.key}", environment="prod-rest") for f in canary]
    elsewhere = track("P Q", subject="acme/ledger", environment="prod-rest")
    found = pairs_wanted(
        definition("lead_time_for_changes", environment="prod-*"),
        tables([*canary, *rest, *elsewhere]),
        at("2026-11-01"),
    )
    assert set(found) == {("acme/pay", "A", "B"), ("acme/ledger", "P", "Q")}


# ---- against plain loops


def made_up(rng):
    """A tree of commits, and a history that mostly moves on, sometimes back or aside."""
    parents = {"c0": ""}
    for n in range(1, 12):
        parents[f"c{n}"] = f"c{max(0, n - rng.choice((1, 1, 1, 2, 3)))}"
    line = [f"c{min(11, max(0, n + rng.choice((-4, -2, -1, 0, 0, 1, 1))))}" for n in range(rng.randint(3, 14))]
    return parents, line


def by_plain_loops(parents, line, names, mark):
    """Each deployment's role, and which of them were taken back."""
    stack, role, undone = [], [], set()
    for n, commit in enumerate(line):
        if n and line[n - 1] == commit:
            role.append("redeploy")
            continue
        held = [line[m] for m in stack]
        if "version_return" in names and commit in held:
            gone = stack[held.index(commit) + 1 :]
            stack = stack[: held.index(commit) + 1]
        else:
            keep = len(stack)
            while keep and commit in ancestors(line[stack[keep - 1]], parents):
                keep -= 1
            gone, stack = stack[keep:], stack[:keep]
            if not stack or line[stack[-1]] != commit:
                stack.append(n)
        role.append("rollback" if gone else "forward")
        undone |= set(gone if mark == "between" else gone[-1:])
    return role, {n for n in undone if role[n] == "forward"}


@pytest.mark.parametrize("seed", range(60))
def test_any_history_agrees_with_plain_loops(seed):
    rng = random.Random(seed)
    parents, line = made_up(rng)
    names, mark = rng.choice((BOTH, ("ancestor",))), rng.choice(("between", "newest"))
    what = rules(*names, mark=mark)
    facts = [deployed(c, DAY + timedelta(days=n), key=f"{n:02}") for n, c in enumerate(line)]
    known = asked_for(what, facts, parents)
    role, undone = by_plain_loops(parents, line, names, mark)
    notes = explained(what, [*facts, *known])
    assert [note.role for note in notes.values()] == role
    assert {n for n, note in enumerate(notes.values()) if "taken back" in note.why} == undone


def asked_for(what, facts, parents):
    """What is known once everything wanted has been asked, round by round; only what may be needed is."""
    known = []
    while wanted := pairs_wanted(what, tables([*facts, *known]), at("2026-11-01")):
        known += [lies(p, c, relation(p, c, parents)) for _, p, c in wanted]
    neighbours = sum(one.commit != other.commit for one, other in pairwise(facts))
    rollbacks = sum(one.relation == "behind" for one in known)
    assert len(known) <= neighbours + 2 * rollbacks
    return known
