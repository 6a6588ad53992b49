"""Key results from what was measured: a few, each a step from where the repository stands, none met already."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from .init_period import Period
from .init_sources import GIT
from .proposal import LeftOut, Measured, Proposal, Proposals
from .propose_delivery import Delivery, silence
from .propose_quality import ci_proposals, file_proposals
from .surroundings import Surroundings
from .trial import Trial

MOST = 4
"""More would be too many to begin with."""


def propose(trial: Trial, found: Surroundings, period: Period, now: datetime) -> Proposals:
    """At most `MOST` key results for the period, those that say most first."""
    measured = Measured()
    every = list(_every(trial, found, period, now, measured))
    return Proposals(
        key_results=tuple([one for one in every if isinstance(one, Proposal)][:MOST]),
        left_out=tuple(one for one in every if isinstance(one, LeftOut)),
        measured=measured,
    )


def _every(
    trial: Trial, found: Surroundings, period: Period, now: datetime, measured: Measured
) -> Iterator[Proposal | LeftOut]:
    start = trial.config.calendar.start_of(period.start)
    silent = silence(trial, found, start, now)
    if silent is not None:
        yield LeftOut(GIT, silent)
    else:
        branch = (found.repository.branch if found.repository else None) or ""
        delivery = Delivery(trial=trial, branch=branch, period=period, start=start, now=now, measured=measured)
        yield from delivery.proposals()
    yield from ci_proposals(trial, measured, start)
    yield from file_proposals(trial, measured, now)
