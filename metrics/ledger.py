"""The ledger of a metric: every fact it looked at, and what each was taken for.

Readings and explanations are both read off the ledger, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """`rows` stand in order of `at` (datetime64[us], UTC: the instant a fact belongs to) and have the columns

    - `key`, `subject`, `url`: which fact;
    - `role`: what it was taken for; `counted`: whether that makes it part of a reading;
    - `hit`: for ratios, whether it is in the numerator; `value`: for quantiles and samples.

    `why` puts a row's part into words. `left_out` says in words what a role's rows, left out of a
    window, are worth noting as ("without a known start"). `refusal` says why no reading can be given at all.
    """

    rows: pd.DataFrame
    why: Callable[[int], str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refusal: str | None = None
