"""Uncertainty of a share of counts."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.80


def wilson(hits: float, n: float) -> tuple[float, float] | None:
    """The 80 % Wilson score interval of `hits` in `n`, as fractions; None for n = 0.

    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    """
    if n <= 0:
        return None
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends of the scale the two terms are equal but for rounding.
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)
