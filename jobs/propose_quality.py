"""Key results on CI, coverage and tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..metrics.reading import Reading
from ..reports.numbers import amount
from . import init_sources as names
from .figures import percent, raised_share, shortened
from .proposal import MONTH, LeftOut, Measured, Proposal, part, share, why_not
from .trial import Trial

LONG_CI = 180.0
"""Seconds; shorter runs keep nobody waiting."""

GREEN_CI = 0.9
WELL_COVERED = 0.93
"""Above these there is little left to gain."""


def ci_proposals(trial: Trial, measured: Measured, start: datetime) -> Iterator[Proposal | LeftOut]:
    if not trial.has(names.CI_DURATION):
        return
    trouble = trial.trouble(names.GITHUB, "runs")
    if trouble is not None:
        if trouble.outcome == "refused":  # the file is in the repository, and GitHub knows no such workflow
            measured.refused.update((names.CI_SUCCESS, names.CI_DURATION))
        yield LeftOut("CI", trouble.error or trouble.outcome)
        return
    lasting = trial.reading(names.CI_DURATION, MONTH, start)
    green = trial.reading(names.CI_SUCCESS, MONTH, start)
    for reading in (lasting, green):
        if not reading.usable():
            yield LeftOut("CI", why_not(reading))
            return
    assert lasting.value is not None
    assert green.value is not None
    measured.words[names.CI_DURATION] = f"{amount(lasting.value, 's')} in the median of {lasting.n:.0f} green runs"
    measured.words[names.CI_SUCCESS] = f"{part(green)} runs succeeded"
    if lasting.value >= LONG_CI:
        yield _quick(lasting.value, green.value, measured)
    if green.value < GREEN_CI:
        yield _green(green.value, measured)


def _quick(seconds: float, success: float, measured: Measured) -> Proposal:
    target = amount(shortened(seconds), "s")
    # Five points of room: skipping what fails would shorten CI too.
    floor = percent(max(0, int((success - 0.05) * 20)) / 20)
    return Proposal(
        id="quick-ci",
        title=f"Shorten CI from {amount(seconds, 's')} to {target}",
        metric=names.CI_DURATION,
        target=f'{{ at_most = "{target.replace(" ", "")}" }}',
        basis=measured.words[names.CI_DURATION],
        guardrails=f'[{{ metric = "{names.CI_SUCCESS}", at_least = "{floor}" }}]',
    )


def _green(success: float, measured: Measured) -> Proposal:
    target = percent(raised_share(success, 0.5))
    return Proposal(
        id="green-ci",
        title=f"Raise CI runs that succeed from {share(success)} to {target}",
        metric=names.CI_SUCCESS,
        target=f'{{ at_least = "{target}" }}',
        basis=measured.words[names.CI_SUCCESS],
    )


def file_proposals(trial: Trial, measured: Measured, now: datetime) -> Iterator[Proposal | LeftOut]:
    passes = _newest(trial, names.TEST_PASSES, now)
    covered = _newest(trial, names.LINES, now)
    if covered is not None:
        yield from _coverage(covered, passes, measured)
    if passes is not None:
        yield from _tests(passes, measured)


def _newest(trial: Trial, metric: str, now: datetime) -> Reading | None:
    return trial.reading(metric, MONTH, now) if trial.has(metric) else None


def _coverage(covered: Reading, passes: Reading | None, measured: Measured) -> Iterator[Proposal | LeftOut]:
    if covered.value is None or not covered.usable():
        yield LeftOut("coverage", why_not(covered))
        return
    measured.words[names.LINES] = f"{share(covered.value)} of lines covered"
    if covered.value >= WELL_COVERED:
        return
    target = percent(raised_share(covered.value, 0.25))
    green = passes is not None and passes.usable() and passes.value == 1
    yield Proposal(
        id="more-coverage",
        title=f"Raise line coverage from {share(covered.value)} to {target}",
        metric=names.LINES,
        target=f'{{ at_least = "{target}" }}',
        basis=measured.words[names.LINES],
        guardrails=f'[{{ metric = "{names.TEST_PASSES}", at_least = "100%" }}]' if green else None,
    )


def _tests(passes: Reading, measured: Measured) -> Iterator[Proposal | LeftOut]:
    if passes.value is None or not passes.usable():
        yield LeftOut("tests", why_not(passes))
        return
    measured.words[names.TEST_PASSES] = f"{part(passes)} tests passed"
    if passes.value < 1:
        yield Proposal(
            id="green-tests",
            title=f"Have every test pass, not {share(passes.value)} of them",
            metric=names.TEST_PASSES,
            target='{ at_least = "100%" }',
            basis=measured.words[names.TEST_PASSES],
        )
