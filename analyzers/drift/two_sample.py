"""Which test a feature gets, and its figures.

The choice follows from the type of the feature and the counts alone, never from the
outcome: Kolmogorov-Smirnov for numbers; chi-square for labels; Fisher's exact test when
one dominant label leaves fewer than 5 expected rows beside it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from analyzers.drift.binning import grouped, merge
from analyzers.drift.chi_square import chi_square_table
from analyzers.drift.contingency import contingency
from analyzers.drift.distribution import (
    CategoricalCounts,
    CategoricalProfile,
    Counts,
    NumericCounts,
    NumericProfile,
    Profile,
)
from analyzers.drift.fisher_exact import fisher_exact
from analyzers.drift.ks import ks_counts
from analyzers.drift.psi import MINIMUM_N, psi

__all__ = ["Method", "TwoSample", "two_sample"]

Method: TypeAlias = Literal["ks", "chi_square", "fisher_exact"]


@dataclass(frozen=True, slots=True)
class TwoSample:
    """Figures of one test, before any threshold."""

    method: Method
    statistic: float | None  # D, or X^2; the exact test has none
    p_value: float
    effect: float  # share of the rows that moved
    psi: float | None  # nats; None below 500 rows on either side
    unseen_current: float | None = None  # labels only: share that the reference never had


def two_sample(profile: Profile, current: Counts) -> TwoSample | None:
    """Test counts with rows on both sides; None when every label is too rare."""
    match profile, current:
        case NumericProfile(), NumericCounts():
            return _numeric(profile, current)
        case CategoricalProfile(), CategoricalCounts():
            return _categorical(profile, current)
    given = type(current).__name__
    raise TypeError(f"{profile.feature}: {given} given for a {type(profile).__name__}")


def _numeric(profile: NumericProfile, current: NumericCounts) -> TwoSample:
    bins, given = len(profile.counts), len(current.counts)
    if bins != given:
        cure = "count the window over the edges of this profile"
        raise ValueError(f"{profile.feature}: {given} current bins, {bins} in the profile; {cure}")
    result = ks_counts(profile.counts, current.counts)
    groups = merge(profile.counts)
    stability = _psi(
        grouped(profile.counts, groups).tolist(), grouped(current.counts, groups).tolist()
    )
    return TwoSample("ks", result.statistic, result.p_value, result.statistic, stability)


def _categorical(profile: CategoricalProfile, current: CategoricalCounts) -> TwoSample | None:
    table = contingency(profile.counts, current.counts)
    result = chi_square_table(table)
    if math.isnan(result.effect):
        return None
    stability = _psi(table.reference, table.current)
    unseen = _unseen(profile.counts, current.counts)
    if not math.isnan(result.p_value):
        figures = (result.statistic, result.p_value, result.effect, stability, unseen)
        return TwoSample("chi_square", *figures)
    p_value = fisher_exact(table.reference, table.current)
    return TwoSample("fisher_exact", None, p_value, result.effect, stability, unseen)


def _psi(reference: Sequence[int], current: Sequence[int]) -> float | None:
    fewest = min(sum(reference), sum(current))
    return psi(reference, current) if fewest >= MINIMUM_N else None


def _unseen(reference: Mapping[str, int], current: Mapping[str, int]) -> float:
    new = sum(rows for label, rows in current.items() if not reference.get(label))
    return new / sum(current.values())
