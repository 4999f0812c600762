"""Bins of a numeric feature, fixed once by its reference.

Edges are quantiles of the *reference*, so one absurd current value cannot move them
(bins spread over both samples can hide a shift of one standard deviation behind a
single outlier). Bin i holds edges[i-1] <= value < edges[i] and both ends are open:
exactly the range aggregation `from` inclusive, `to` exclusive, whose counts can
therefore replace the values.

>>> edges = quantile_edges([1, 2, 3, 4, 5, 6, 7, 8], bins=4)
>>> edges
array([2.75, 4.5 , 6.25])
>>> counts([0, 2.75, 5, float("inf")], edges)
array([1, 1, 1, 1])
"""

import numpy as np
import numpy.typing as npt

__all__ = ["counts", "grouped", "merge", "quantile_edges"]

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


def quantile_edges(values: npt.ArrayLike, bins: int = 50) -> _Floats:
    """Inner edges, strictly increasing and finite, of bins of about equal mass.

    A value that alone carries 1 / bins of the rows or more (zero inflation, counts, a
    constant) gets a bin of its own, closed by the next larger double: otherwise
    a constant 5 that becomes a constant 6 would stay within one bin. There are
    thus at most 2 (bins - 1) edges, and none when no value is finite.

    >>> quantile_edges([5, 5, 5]).tolist()
    [5.0, 5.000000000000001]
    """
    finite = np.sort(_finite(values))
    if finite.size == 0:
        return finite
    with np.errstate(over="ignore", invalid="ignore"):  # interpolation near 1e308
        quantiles = np.quantile(finite, np.arange(1, bins) / bins)
    edges = np.unique(_finite(quantiles))
    return np.union1d(edges, _after(_atoms(finite, edges, bins)))


def counts(values: npt.ArrayLike, edges: npt.ArrayLike) -> _Ints:
    """Rows per bin, len(edges) + 1 of them; NaN is missing and counted nowhere."""
    array = np.asarray(values, dtype=np.float64).ravel()
    inner = np.asarray(edges, dtype=np.float64)
    bins = np.searchsorted(inner, array[~np.isnan(array)], side="right")
    return np.bincount(bins, minlength=inner.size + 1).astype(np.int64)


def merge(reference_counts: npt.ArrayLike, share: float = 0.1) -> _Ints:
    """Group of each fine bin, so that a group holds about `share` of the reference.

    A bin goes where the middle of its mass lies in the cumulated reference, which
    rounding cannot tip over a border. Groups are contiguous and numbered from 0. A
    bin heavier than `share` keeps to itself but for lighter neighbours; an empty bin
    beyond it stays a group, since whatever falls there later is news.

    >>> merge([10] * 10, share=0.2).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    >>> merge([0, 100, 0]).tolist()
    [0, 1, 2]
    """
    mass = np.asarray(reference_counts, dtype=np.float64)
    if mass.sum() == 0:
        return np.zeros(mass.size, dtype=np.int64)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    _, groups = np.unique(np.floor(middle / share), return_inverse=True)
    return groups.astype(np.int64)


def grouped(fine_counts: npt.ArrayLike, groups: npt.ArrayLike) -> _Ints:
    """Rows per group of the fine bins.

    >>> grouped([1, 2, 3, 4], [0, 0, 1, 1])
    array([3, 7])
    """
    weights = np.asarray(fine_counts, dtype=np.float64)
    return np.bincount(np.asarray(groups), weights=weights).astype(np.int64)


def _finite(values: npt.ArrayLike) -> _Floats:
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[np.isfinite(array)] + 0.0  # -0.0 becomes 0.0


def _atoms(ordered: _Floats, edges: _Floats, bins: int) -> _Floats:
    """Edges that are values carrying at least 1 / bins of the rows."""
    rows = np.searchsorted(ordered, edges, "right") - np.searchsorted(ordered, edges, "left")
    return edges[(rows > 1) & (rows * bins >= ordered.size)]


def _after(values: _Floats) -> _Floats:
    return _finite(np.nextafter(values, np.inf))
