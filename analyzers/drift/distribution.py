"""What is kept of a feature: its frozen reference profile and its current counts.

Both hold counts only, so a profile is a small document and the counts of a window may
come from an aggregation as well as from values. `n` counts the rows that have a value,
`missing` those that do not (None, NaN); infinities are values of the open end bins but
no part of the moments.

>>> profile = numeric_profile("age", [20, 30, 40, None], bins=2)
>>> profile.edges, profile.counts, profile.missing, profile.mean
((30.0,), (1, 2), 1, 30.0)
>>> numeric_counts([25, 35, None], profile.edges)
NumericCounts(counts=(1, 1), missing=1)
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analyzers.drift import binning

__all__ = [
    "CategoricalCounts",
    "CategoricalProfile",
    "Counts",
    "NumericCounts",
    "NumericProfile",
    "Profile",
    "categorical_counts",
    "categorical_profile",
    "coarse",
    "numeric_counts",
    "numeric_profile",
]


@dataclass(frozen=True, slots=True)
class NumericProfile:
    """Reference of a number; moments in the feature's unit, None when no value is finite."""

    feature: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]  # len(edges) + 1
    missing: int
    n: int
    mean: float | None
    std: float | None  # of the population, divisor n
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class CategoricalProfile:
    """Reference of a label."""

    feature: str
    counts: Mapping[str, int]
    missing: int
    n: int


@dataclass(frozen=True, slots=True)
class NumericCounts:
    """Current rows per bin of the profile."""

    counts: tuple[int, ...]
    missing: int = 0


@dataclass(frozen=True, slots=True)
class CategoricalCounts:
    """Current rows per label."""

    counts: Mapping[str, int]
    missing: int = 0


Profile = NumericProfile | CategoricalProfile
Counts = NumericCounts | CategoricalCounts


def numeric_profile(feature: str, values: npt.ArrayLike, bins: int = 50) -> NumericProfile:
    """Profile of reference values; any array, also empty or all missing."""
    array = np.asarray(values, dtype=np.float64).ravel()
    edges = tuple(binning.quantile_edges(array, bins).tolist())
    current = numeric_counts(array, edges)
    n = sum(current.counts)
    return NumericProfile(feature, edges, current.counts, current.missing, n, *_moments(array))


def categorical_profile(feature: str, labels: Iterable[object]) -> CategoricalProfile:
    """Profile of reference labels."""
    current = categorical_counts(labels)
    return CategoricalProfile(
        feature, current.counts, current.missing, sum(current.counts.values())
    )


def coarse(profile: NumericProfile, share: float = 0.1) -> NumericProfile:
    """The profile on the groups of a tenth that PSI uses: the same PSI from a fifth of the bins.

    >>> fine = numeric_profile("age", range(1000))
    >>> len(fine.counts), coarse(fine).counts[:3], coarse(fine).edges[:3]
    (50, (100, 100, 100), (99.9, 199.8, 299.7))
    """
    groups = binning.merge(profile.counts, share)
    firsts = np.flatnonzero(np.diff(groups))
    edges = tuple(profile.edges[i] for i in firsts.tolist())
    counts = tuple(binning.grouped(profile.counts, groups).tolist())
    return replace(profile, edges=edges, counts=counts)


def numeric_counts(values: npt.ArrayLike, edges: npt.ArrayLike) -> NumericCounts:
    """Current values counted over the edges of a profile."""
    array = np.asarray(values, dtype=np.float64).ravel()
    counted = tuple(binning.counts(array, edges).tolist())
    return NumericCounts(counted, int(np.isnan(array).sum()))


def categorical_counts(labels: Iterable[object]) -> CategoricalCounts:
    """Current labels counted; None and NaN are missing, anything else is its text.

    >>> categorical_counts(["car", "home", "car", None])
    CategoricalCounts(counts={'car': 2, 'home': 1}, missing=1)
    """
    rows = list(labels)
    present = [str(label) for label in rows if not _is_missing(label)]
    return CategoricalCounts(dict(sorted(Counter(present).items())), len(rows) - len(present))


def _is_missing(label: object) -> bool:
    return label is None or (isinstance(label, float) and math.isnan(label))


def _moments(array: npt.NDArray[np.float64]) -> tuple[float | None, ...]:
    """Mean, standard deviation, minimum, maximum; None for what is unknown or overflows."""
    finite = array[np.isfinite(array)]
    if finite.size == 0:
        return (None, None, None, None)
    with np.errstate(over="ignore", invalid="ignore"):
        figures = (finite.mean(), finite.std(), finite.min(), finite.max())
    return tuple(float(figure) if np.isfinite(figure) else None for figure in figures)
