"""Pearson's chi-square test that two samples of labels come from one population.

    X^2 = sum over cells of (observed - expected)^2 / expected,  k - 1 degrees of freedom

Source: Pearson, Philosophical Magazine 50 (1900) 157-175. Both samples are random: a
test against the reference shares as if they were exact makes X^2 too large by
1 + n_current / n_reference. Rare labels are merged first (`contingency`); the
figures equal `scipy.stats.chi2_contingency(table, correction=False)` on what remains.

The effect is the total variation distance, half the sum of |c_i - r_i|: the share of rows
that would have to change their label. It was preferred to Cramer's V because it
does not depend on the two sample sizes (V shrinks as the reference grows) and because
the Kolmogorov-Smirnov D is the same kind of figure, the largest difference in mass
over half-lines instead of over all sets of labels: one gate of 0.03 means
"3 % of the rows moved" for numbers and for labels.

>>> result = chi_square({"a": 500, "b": 500}, {"a": 60, "b": 40})
>>> round(result.statistic, 4), round(result.p_value, 4), round(result.effect, 3)
(3.6376, 0.0565, 0.1)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from analyzers.drift.contingency import MINIMUM_EXPECTED, Table, contingency

__all__ = ["ChiSquare", "chi_square", "chi_square_table", "total_variation"]


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Test of a merged table; NaN where the table cannot carry it."""

    statistic: float
    p_value: float
    degrees_of_freedom: int
    effect: float  # total variation distance, a share of the rows


def chi_square(reference: Mapping[str, int], current: Mapping[str, int]) -> ChiSquare:
    """Test two label counts, rare labels merged."""
    return chi_square_table(contingency(reference, current))


def chi_square_table(table: Table) -> ChiSquare:
    """Test a merged table.

    A single label on both sides is known to be equal: statistic 0, p 1. An empty side, a
    cell below 5 that could not be merged away, or nothing but rare labels give NaN.
    """
    effect, freedom = total_variation(table), max(0, len(table.labels) - 1)
    if math.isnan(effect):
        return ChiSquare(math.nan, math.nan, freedom, math.nan)
    if freedom == 0:
        return ChiSquare(0.0, 1.0, 0, 0.0)
    if table.smallest_expected < MINIMUM_EXPECTED:
        return ChiSquare(math.nan, math.nan, freedom, effect)
    observed = table.counts
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / table.n
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return ChiSquare(statistic, float(chdtrc(freedom, statistic)), freedom, effect)


def total_variation(table: Table) -> float:
    """Half the sum of the differences in share; NaN when a side is empty or all is rare.

    >>> round(total_variation(contingency({"a": 90, "b": 10}, {"a": 70, "b": 30})), 3)
    0.2
    """
    if table.all_rare or not (sum(table.reference) and sum(table.current)):
        return math.nan
    shares = table.counts / table.counts.sum(axis=1, keepdims=True)
    return float(np.abs(shares[1] - shares[0]).sum() / 2)
