"""Who answers for a key result."""

import pytest
from keyresults.krs.cycle import Cycle
from keyresults.krs.model import Objective
from keyresults.krs.owners import answers_for, owners
from krs_cases import END, START, key_result

PEOPLE = {"payments": ("ana", "ben"), "platform": ("cho", "ana"), "support": ()}


def objective(**more):
    return Objective(id="o", title="", cycle=Cycle("2026-Q4", START, END), **more)


@pytest.mark.parametrize(
    ("shared", "owner", "found"),
    [
        ({"owner": "payments", "teams": ("payments", "platform")}, "ana", ("ana",)),
        ({"owner": "payments", "teams": ("platform", "payments")}, None, ("payments", "platform")),
        ({"teams": ("payments", "platform")}, None, ("payments", "platform")),
        ({"owner": "ben"}, None, ("ben",)),
        ({}, None, ()),
    ],
)
def test_without_an_owner_of_its_own_all_who_share_the_objective_answer_for_it(shared, owner, found):
    assert owners(objective(**shared), key_result(owner=owner)) == found


@pytest.mark.parametrize(
    ("name", "owned_by", "answers"),
    [
        ("payments", ("payments",), True),
        ("payments", ("ben",), True),
        ("ben", ("payments",), True),
        ("ben", ("ben",), True),
        ("ben", ("ana",), False),  # a colleague's
        ("ana", ("platform",), True),  # in two teams
        ("support", ("payments",), False),
        ("payments", (), False),
        ("dan", ("dan",), True),  # in no team
    ],
)
def test_a_team_answers_for_its_people_and_a_person_for_their_teams(name, owned_by, answers):
    assert answers_for(name, owned_by, PEOPLE) is answers
