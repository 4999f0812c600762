"""Our drift figures against SciPy live, and against the recorded fixed case."""

import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analyzers import drift
from analyzers.drift import (
    benjamini_hochberg,
    binning,
    chi_square,
    contingency,
    kolmogorov,
    ks,
    psi,
)

DATA = Path(__file__).parent.parent / "data" / "parity"
EXPECTED = json.loads((DATA / "expected.json").read_text())
SCIPY = EXPECTED["libraries"]["scipy"]["results"]
NUMERIC = ("num_normal", "num_lognormal", "num_same", "num_count")
CATEGORICAL = ("cat_small", "cat_new")
EXACT = 1e-9


def read(name):
    text = gzip.decompress((DATA / name).read_bytes()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    return {column: [row[column] for row in rows] for column in rows[0]}


REFERENCE, CURRENT = read("ref.csv.gz"), read("cur.csv.gz")


def numbers(column):
    return np.array(REFERENCE[column], dtype=float), np.array(CURRENT[column], dtype=float)


def labels(column):
    return Counter(REFERENCE[column]), Counter(CURRENT[column])


def recomputed_edges(reference, bins):
    """The recorded edges before rounding; one current value lies on a rounded one."""
    if bins == "ref_equal_width_10":
        return np.linspace(reference.min(), reference.max(), 11)[1:-1]
    return np.unique(np.quantile(reference, np.arange(1, 10) / 10))


@pytest.mark.parametrize("name", sorted(EXPECTED["sha256"]))
def test_the_tables_are_the_recorded_ones(name):
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == EXPECTED["sha256"][name]


@pytest.mark.parametrize("column", NUMERIC)
def test_ks_on_values(column):
    reference, current = numbers(column)
    ours, theirs = ks.ks(reference, current), stats.ks_2samp(reference, current, method="asymp")
    assert ours.statistic == pytest.approx(theirs.statistic, abs=1e-12)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=EXACT)
    assert ours.statistic == pytest.approx(SCIPY[column]["ks_stat"], abs=EXACT)
    assert ours.p_value == pytest.approx(SCIPY[column]["ks_p_asymp"], rel=1e-8)


@pytest.mark.parametrize("column", NUMERIC)
@pytest.mark.parametrize("bins", ["ref_decile_bins", "ref_equal_width_10"])
def test_psi_on_the_recorded_edges(column, bins):
    reference, current = numbers(column)
    case = SCIPY[column][bins]
    edges = recomputed_edges(reference, bins)
    assert edges == pytest.approx(case["inner_edges"], abs=EXACT)
    ours = psi.psi(binning.counts(reference, edges), binning.counts(current, edges))
    assert ours == pytest.approx(case["psi_eps1e-4"], abs=EXACT)


@pytest.mark.parametrize("column", NUMERIC)
def test_quantile_edges_hold_the_recorded_deciles(column):
    edges = binning.quantile_edges(numbers(column)[0], bins=10)
    recorded = np.array(SCIPY[column]["ref_decile_bins"]["inner_edges"])
    nearest = np.abs(edges[:, None] - recorded[None, :]).min(axis=0)
    assert nearest.max() <= EXACT


@pytest.mark.parametrize("column", ["num_normal", "num_lognormal", "num_same"])
def test_a_verdict_carries_the_decile_psi(column):
    reference, current = numbers(column)
    profile = drift.numeric_profile(column, reference)
    counted = drift.numeric_counts(current, profile.edges)
    (verdict,) = drift.compare([profile], {column: counted})
    assert verdict.psi == pytest.approx(SCIPY[column]["ref_decile_bins"]["psi_eps1e-4"], abs=EXACT)
    assert verdict.drifted is (column != "num_same")


@pytest.mark.parametrize("column", CATEGORICAL)
def test_labels(column):
    reference, current = labels(column)
    case = SCIPY[column]
    ours = chi_square.chi_square(reference, current)
    assert ours.statistic == pytest.approx(case["chi2_contingency_stat"], rel=EXACT)
    assert ours.p_value == pytest.approx(case["chi2_contingency_p"], rel=1e-8)
    assert ours.degrees_of_freedom == case["dof"]
    assert ours.effect == pytest.approx(case["tvd"], abs=EXACT)
    table = contingency.contingency(reference, current)
    assert psi.psi(table.reference, table.current) == pytest.approx(case["psi_eps1e-4"], abs=EXACT)


def test_one_outlier_does_not_hide_a_shift():
    rng = np.random.default_rng(7)
    reference, current = rng.normal(0, 1, 10_000), rng.normal(1, 1, 10_000)
    outlier = current.copy()
    outlier[0] = 1000.0
    edges = binning.quantile_edges(reference, bins=10)
    figures = [
        psi.psi(binning.counts(reference, edges), binning.counts(values, edges))
        for values in (current, outlier)
    ]
    recorded = EXPECTED["robustness_case"]["measured"]["hand ref-decile PSI"]
    assert figures == pytest.approx(recorded, abs=1e-4)
    assert abs(figures[1] / figures[0] - 1) < 0.01


@pytest.mark.parametrize("n", [1, 2, 7, 50, 139, 140, 141, 476, 909, 5000, 20_000])
def test_kolmogorov_equals_kstwo(n):
    d = np.concatenate([np.geomspace(0.3 / n, 0.999, 60), np.linspace(0.1, 3, 40) / np.sqrt(n)])
    ours = [kolmogorov.survival(float(value), n) for value in d]
    assert ours == pytest.approx(stats.kstwo.sf(d, n), abs=EXACT)


@pytest.mark.parametrize("n", [20_001, 60_000])
def test_kolmogorov_stays_close_for_large_samples(n):
    d = np.linspace(0.3, 5, 30) / np.sqrt(n)
    ours = np.array([kolmogorov.survival(float(value), n) for value in d])
    expected = stats.kstwo.sf(d, n)
    assert ours == pytest.approx(expected, abs=1e-8)
    assert ours == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("seed", range(30))
def test_fisher_equals_scipy(seed):
    rng = np.random.default_rng(seed)
    reference = (int(rng.integers(1, 3000)), int(rng.integers(0, 9)))
    current = (int(rng.integers(1, 300)), int(rng.integers(0, 9)))
    expected = stats.fisher_exact([reference, current]).pvalue
    assert drift.fisher_exact.fisher_exact(reference, current) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("seed", range(20))
def test_chi_square_equals_scipy_on_the_merged_table(seed):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(15, 0.4))
    reference = {f"k{i}": int(v) for i, v in enumerate(rng.multinomial(5000, shares))}
    current = {f"k{i}": int(v) for i, v in enumerate(rng.multinomial(700, shares))}
    table = contingency.contingency(reference, current)
    ours = chi_square.chi_square(reference, current)
    expected = stats.chi2_contingency(table.counts, correction=False)
    assert (ours.statistic, ours.p_value) == pytest.approx(expected[:2], rel=EXACT)
    assert expected.expected_freq.min() >= contingency.MINIMUM_EXPECTED


@pytest.mark.parametrize("seed", range(10))
def test_benjamini_hochberg_equals_scipy(seed):
    p = np.random.default_rng(seed).uniform(size=25) ** 3
    with_gaps = np.insert(p, [0, 7, 25], np.nan)
    q = benjamini_hochberg.benjamini_hochberg(with_gaps)
    assert q[~np.isnan(with_gaps)] == pytest.approx(stats.false_discovery_control(p), abs=1e-15)
    assert np.isnan(q[np.isnan(with_gaps)]).all()
