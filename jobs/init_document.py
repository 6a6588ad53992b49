"""The first config as a text: draft to measure with, and the one that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .init_period import Period
from .init_sources import PEOPLE, metric_tables, source_tables
from .init_tables import Table, document, quoted
from .proposal import Proposal, Proposals
from .surroundings import Surroundings

NO_TEAM = re.compile(r"[^A-Za-z0-9._-]+|^[^A-Za-z0-9]+")


def draft(found: Surroundings, period: Period) -> str:
    """Sources and metrics alone."""
    return document([_tracker(found, period), *source_tables(found), *metric_tables(found, {})])


def written(found: Surroundings, period: Period, proposals: Proposals) -> str:
    return document(_all(found, period, proposals))


def _all(found: Surroundings, period: Period, proposals: Proposals) -> Iterator[Table | str]:
    yield (
        f"Written by `keyresults init` on {period.start} from what it found here. It is yours to change; "
        "`keyresults check` says what is wrong with it, and where."
    )
    yield _tracker(found, period)
    yield Table(
        header="[calendar]",
        entries={"holidays": f"[{period.cycle.end}]"},
        above="Days off, in no divisor of a rate per workday; workdays are Monday to Friday.",
        active=False,
    )
    yield Table(
        header=f"[teams.{team(found)}]",
        entries={"people": "[]"},
        above="Who answers for the key results below: put the team's own name here and there, and its people.",
    )
    yield "Where facts come from"
    yield from source_tables(found)
    yield "What the facts say"
    yield from metric_tables(found, proposals.measured.windows, proposals.measured.refused)
    yield from _objective(found, period, proposals)


def _tracker(found: Surroundings, period: Period) -> Table:
    words = "Days, weeks and quarters are cut in this zone."
    return Table(
        header="[tracker]",
        entries={"timezone": quoted(found.timezone), "cycle": quoted(period.cycle.name)},
        above=words,
    )


def _objective(found: Surroundings, period: Period, proposals: Proposals) -> Iterator[Table | str]:
    proposed = "Proposed from this repository's own history: change it to what matters to you."
    yield f"What is wanted, and how you would know. {proposed if proposals.key_results else ''}"
    for left in proposals.left_out:
        yield f"Not proposed, {left.what}: {left.why}."
    if not proposals.key_results:
        yield from _example()
        return
    yield Table(
        header="[[objectives]]",
        entries={
            "id": quoted("delivery"),
            "title": quoted(title(found, proposals)),
            "owner": quoted(team(found)),
            "kind": quoted("committed"),
            "cycle": quoted(period.cycle.name),
        },
    )
    for one in proposals.key_results:
        yield _key_result(one, found, period)


def _key_result(one: Proposal, found: Surroundings, period: Period) -> Table:
    entries = {
        "id": quoted(one.id),
        "title": quoted(one.title),
        "owner": quoted(team(found)),
        "metric": quoted(one.metric),
        "start": str(period.start),
        "target": one.target,
    }
    if one.guardrails is not None:
        entries["guardrails"] = one.guardrails
    words = f"Measured: {one.basis}."
    return Table(header="[[objectives.key_results]]", entries=entries, above=words, indent="  ")


def _example() -> Iterator[Table]:
    yield Table(
        header=f"[sources.{PEOPLE}]",
        entries={"type": quoted("manual")},
        above="An example, with values recorded by hand: keyresults record engagement 74%",
        active=False,
    )
    yield Table(
        header="[metrics.engagement]",
        entries={"source": quoted(PEOPLE), "measure": quoted("sampled"), "unit": quoted("%"), "max_age": quoted("28d")},
        active=False,
    )
    yield Table(
        header="[[objectives]]",
        entries={"id": quoted("team"), "title": quoted("A team that people like to work in")},
        active=False,
    )
    yield Table(
        header="[[objectives.key_results]]",
        entries={
            "id": quoted("engagement"),
            "title": quoted("Raise engagement from 70% to 80%"),
            "metric": quoted("engagement"),
            "target": '{ from = "70%", to = "80%" }',
        },
        active=False,
        indent="  ",
    )


def title(found: Surroundings, proposals: Proposals) -> str:
    """The objective as a sentence, by what its key results are about."""
    name = project(found)
    about = {one.metric for one in proposals.key_results}
    if about & {"releases", "merges", "deployments"}:
        return f"Bring changes of {name} to its users sooner, without taking them back"
    return f"Make {name} safe to change"


def project(found: Surroundings) -> str:
    return found.repository.label.rpartition("/")[2] if found.repository else found.directory.name


def team(found: Surroundings) -> str:
    name = NO_TEAM.sub("-", project(found)).strip("-._")[:80]
    return f"{name}-team" if name else "team"
