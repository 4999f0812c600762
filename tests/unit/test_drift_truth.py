"""How often the verdicts are right, measured on simulated windows.

Twelve numbers (six normal, six log-normal) and eight labels of 2 to 50 values. Every
window draws its own reference. The drifts are small: two normals by 0.2 standard
deviations, two log-normals by 10 % in scale, two labels with 6 % of the rows moved.
"""

from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from analyzers import drift

LABELS = (2, 3, 5, 8, 12, 20, 30, 50)
DRIFTING = frozenset({"n0", "n1", "n6", "n7", "c2", "c5"})
COLUMNS = 20


class Rates(NamedTuple):
    any_flag: float  # share of the windows
    hit: float  # share of the drifting features
    false: float  # share of the others


def shares(labels, moved):
    p = 1 / np.arange(1, labels + 1)
    p /= p.sum()
    if moved:
        amount = min(0.06, 0.3 * p[0])
        p[:2] += (-amount, amount)
    return p


def numeric(rng, n, j, drifted):
    x = rng.standard_normal(n) + (0.2 if drifted and j < 2 else 0)
    if j < 6:
        return x
    return np.exp(0.6 * x) * (1.1 if drifted and j < 8 else 1)


def draw(rng, n, drifted):
    columns = {f"n{j}": numeric(rng, n, j, drifted) for j in range(12)}
    for j, labels in enumerate(LABELS):
        rows = rng.multinomial(n, shares(labels, drifted and j in (2, 5)))
        columns[f"c{j}"] = {str(k): int(v) for k, v in enumerate(rows)}
    return columns


def profiles(columns):
    return [
        drift.CategoricalProfile(name, rows, 0, sum(rows.values()))
        if isinstance(rows, dict)
        else drift.numeric_profile(name, rows)
        for name, rows in columns.items()
    ]


def window(references, columns):
    return {
        p.feature: drift.numeric_counts(columns[p.feature], p.edges)
        if isinstance(p, drift.NumericProfile)
        else drift.CategoricalCounts(columns[p.feature])
        for p in references
    }


def flagged(reference, current):
    references = profiles(reference)
    verdicts = drift.compare(references, window(references, current))
    return {v.feature for v in verdicts if v.drifted}


def on_arrays(reference, current):
    """The same tests by SciPy on all values, corrected, without any gate."""
    p = [
        stats.chi2_contingency(
            [[a for a, b in both if a + b], [b for a, b in both if a + b]], correction=False
        ).pvalue
        if isinstance(rows, dict)
        else stats.ks_2samp(rows, current[name], method="asymp").pvalue
        for name, rows in reference.items()
        for both in [
            list(zip(rows.values(), current[name].values(), strict=True))
            if isinstance(rows, dict)
            else []
        ]
    ]
    q = stats.false_discovery_control(p)
    return {name for name, value in zip(reference, q, strict=True) if value <= 0.05}


def rates(n_reference, n_current, *, drifted, windows, seed, method=flagged):
    rng = np.random.default_rng(seed)
    found = [
        method(draw(rng, n_reference, False), draw(rng, n_current, drifted)) for _ in range(windows)
    ]
    hits = sum(len(f & DRIFTING) for f in found) / (windows * len(DRIFTING))
    false = sum(len(f - DRIFTING) for f in found) / (windows * (COLUMNS - len(DRIFTING)))
    return Rates(sum(map(bool, found)) / windows, hits, false)


@pytest.mark.parametrize(
    ("n_reference", "n_current"), [(10_000, 1000), (1000, 1000), (10_000, 200)]
)
def test_undrifted_windows_are_seldom_flagged(n_reference, n_current):
    measured = rates(n_reference, n_current, drifted=False, windows=200, seed=20)
    assert measured.any_flag <= 0.06, measured


def test_small_drifts_are_found_at_a_thousand_rows():
    measured = rates(10_000, 1000, drifted=True, windows=40, seed=21)
    assert measured.hit >= 0.90, measured
    assert measured.false <= 0.04, measured


def test_binning_costs_little_power():
    ours = rates(1000, 1000, drifted=True, windows=100, seed=22)
    scipy = rates(1000, 1000, drifted=True, windows=100, seed=22, method=on_arrays)
    assert ours.hit >= 0.65, ours
    assert ours.hit >= scipy.hit - 0.06, (ours, scipy)
    assert ours.false <= scipy.false, (ours, scipy)
