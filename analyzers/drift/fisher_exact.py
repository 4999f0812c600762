"""Fisher's exact test of a table of two groups, for when one of them is rare.

A feature with one dominant label has an expected count below 5 beside it, where
chi-square is not valid and merging would hide a new label holding 5 % of the current
rows. With all totals fixed the rare rows in the current window are hypergeometric;
p sums the probabilities not above that of what was seen. Source: Fisher, J. Royal
Statistical Society 98 (1935) 39-54; equals `scipy.stats.fisher_exact`.

>>> round(fisher_exact((9995, 5), (994, 6)), 6)
0.000172
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

__all__ = ["fisher_exact"]


def fisher_exact(reference: Sequence[int], current: Sequence[int]) -> float:
    """Two-sided p-value of (frequent, rare) counts; NaN when a side has no rows."""
    n_reference, n_current = sum(reference), sum(current)
    if n_reference == 0 or n_current == 0:
        return math.nan
    rare = reference[1] + current[1]
    possible = np.arange(max(0, rare - n_reference), min(rare, n_current) + 1, dtype=np.float64)
    log_p = _log_choose(n_current, possible) + _log_choose(n_reference, rare - possible)
    log_p -= _log_choose(n_reference + n_current, np.array(float(rare)))
    seen = log_p[current[1] - int(possible[0])]
    return float(min(1.0, np.exp(log_p[log_p <= seen + 1e-7]).sum()))


def _log_choose(n: int, k: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = -betaln(n - k + 1, k + 1) - math.log1p(n)
    return result
