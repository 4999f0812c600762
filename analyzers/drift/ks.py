"""Two-sample Kolmogorov-Smirnov test, on values or on binned counts.

    D = max over x of |F_current(x) - F_reference(x)|

is a share of the rows: that much of the mass lies on the other side of some
threshold. Source: Smirnov, Annals of Mathematical Statistics 19 (1948) 279-281. The
p-value equals `scipy.stats.ks_2samp(..., method="asymp")`: Kolmogorov's distribution at
the rounded effective size n_r n_c / (n_r + n_c). It is conservative under ties.

On counts the distribution functions are known at the edges alone, so D is the largest
difference over the edges: never above D of the values, and below it by at most the
largest bin mass of either sample (both functions climb by no more than that
between two edges). The p-value is then too large rather than too small.

>>> ks([1, 2, 3, 4], [3, 4, 5, 6]).statistic
0.5
>>> ks_counts([2, 2, 0], [0, 2, 2]).statistic
0.5
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzers.drift.kolmogorov import survival

__all__ = ["KS", "ks", "ks_counts"]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KS:
    """Statistic and p-value, both NaN when a side has no rows."""

    statistic: float
    p_value: float


def ks(reference: npt.ArrayLike, current: npt.ArrayLike) -> KS:
    """Test two arrays of values; NaN is missing and left out, infinity is a value."""
    r, c = _ordered(reference), _ordered(current)
    if r.size == 0 or c.size == 0:
        return KS(math.nan, math.nan)
    at = np.concatenate([r, c])
    below_r = np.searchsorted(r, at, side="right") / r.size
    below_c = np.searchsorted(c, at, side="right") / c.size
    return _result(below_r - below_c, r.size, c.size)


def ks_counts(reference_counts: npt.ArrayLike, current_counts: npt.ArrayLike) -> KS:
    """Test two vectors of counts over the same ordered bins."""
    r = np.asarray(reference_counts, dtype=np.float64)
    c = np.asarray(current_counts, dtype=np.float64)
    if r.shape != c.shape:
        raise ValueError(f"bins differ: {r.size} reference, {c.size} current")
    if r.sum() == 0 or c.sum() == 0:
        return KS(math.nan, math.nan)
    gap = np.cumsum(r) / r.sum() - np.cumsum(c) / c.sum()
    return _result(gap, int(r.sum()), int(c.sum()))


def _ordered(values: npt.ArrayLike) -> _Floats:
    array = np.asarray(values, dtype=np.float64).ravel()
    return np.sort(array[~np.isnan(array)])


def _result(gap: _Floats, n_reference: int, n_current: int) -> KS:
    statistic = float(np.abs(gap).max())
    effective = n_reference * n_current / (n_reference + n_current)
    return KS(statistic, survival(statistic, max(1, round(effective))))
