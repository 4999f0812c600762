"""Confidence intervals of proportions, and figures that may be unknown.

A rate without its interval hides how few rows stand behind it, and a zero that
means "no data" looks like a catastrophe. An `Estimate` carries the value, both
limits and the number of rows; where nothing was seen all three are None.

>>> wilson(9, 10)
Estimate(value=0.9, low=0.5958..., high=0.9821..., n=10)
>>> wilson(0, 0) == UNKNOWN
True
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

__all__ = ["UNKNOWN", "Estimate", "effective_wilson", "normal_quantile", "wilson"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its two-sided confidence limits; all None when undefined."""

    value: float | None
    low: float | None
    high: float | None
    n: int  # rows that the figure rests on


UNKNOWN = Estimate(value=None, low=None, high=None, n=0)


def normal_quantile(confidence: float) -> float:
    """Two-sided standard normal quantile.

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; give a number between 0 and 1, such as 0.95")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> Estimate:
    """Score interval of a proportion: Wilson, JASA 22 (1927) 209-212.

    With p = successes / n and z the normal quantile, the limits are
    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). They stay inside
    [0, 1] and do not collapse at 0 of n or n of n, as the textbook ones do.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}; successes must lie between 0 and n")
    if n == 0:
        return UNKNOWN
    share, z = successes / n, normal_quantile(confidence)
    shrink = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / shrink
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    # Rounding must not push a limit past the value: at 0 of n the low limit is 0.
    low, high = max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))
    return Estimate(share, low, high, round(n))


def effective_wilson(
    value: float, variance: float, *, n: int, fallback: float, confidence: float = 0.95
) -> Estimate:
    """Wilson interval of a mean share whose variance is known from elsewhere.

    The effective number of rows, value (1 - value) / variance, replaces n (Korn and
    Graubard, Survey Methodology 24 (1998) 193-201). Where the variance is zero, as
    when every row is right, `fallback` rows are assumed, so no interval has width 0.
    """
    spread = value * (1 - value)
    rows = spread / variance if variance > 0 and spread > 0 else fallback
    return replace(wilson(value * rows, rows, confidence=confidence), value=value, n=n)
