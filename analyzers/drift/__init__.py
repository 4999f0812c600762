"""Drift of one feature at a time: whether what a model sees left what it was built on.

    values ── numeric_profile ──> NumericProfile  (edges, counts)   kept, frozen
    window ── numeric_counts ───> NumericCounts   (or an aggregation over the edges)
    profiles, counts ── compare ─> FeatureVerdict (figures, status, reason) per feature

| module               | what it holds                                             |
|----------------------|-----------------------------------------------------------|
| `binning`            | reference quantile edges, counts, groups of a tenth       |
| `ks`                 | two-sample test of numbers, on values or on bins          |
| `chi_square`         | two-sample test of labels, total variation distance       |
| `fisher_exact`       | the same beside one dominant label                        |
| `psi`                | population stability index                                |
| `benjamini_hochberg` | q-values over all features of a window                    |
| `verdict`            | the three gates: significant, large enough, rows enough   |

Everything here is a pure function of arrays or counts. Each measure is a module of its
own name: `from analyzers.drift import psi`, then `psi.psi(...)`.

>>> profile = numeric_profile("age", range(1000))
>>> window = {"age": numeric_counts(range(1200), profile.edges)}
>>> [(v.feature, v.status, v.reason) for v in compare([profile], window)]
[('age', 'warning', '16.3% of the rows moved, PSI 0.165 (q 3.6e-13)')]
"""

from analyzers.drift import benjamini_hochberg, binning, chi_square, fisher_exact, ks, psi
from analyzers.drift.distribution import (
    CategoricalCounts,
    CategoricalProfile,
    Counts,
    NumericCounts,
    NumericProfile,
    Profile,
    categorical_counts,
    categorical_profile,
    numeric_counts,
    numeric_profile,
)
from analyzers.drift.verdict import FeatureVerdict, Status, compare

__all__ = [
    "CategoricalCounts",
    "CategoricalProfile",
    "Counts",
    "FeatureVerdict",
    "NumericCounts",
    "NumericProfile",
    "Profile",
    "Status",
    "benjamini_hochberg",
    "binning",
    "categorical_counts",
    "categorical_profile",
    "chi_square",
    "compare",
    "fisher_exact",
    "ks",
    "numeric_counts",
    "numeric_profile",
    "psi",
]
