"""What every drift measure must satisfy, on inputs hypothesis makes up."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers import drift
from analyzers.drift import benjamini_hochberg, binning, chi_square, contingency, ks, psi

counts = st.lists(st.integers(0, 5000), min_size=1, max_size=30)
pairs = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=30)
any_floats = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60)
tied = st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 7.0]), min_size=1, max_size=200)
values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)
labels = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 400), max_size=10)
relaxed = settings(max_examples=60, deadline=None, derandomize=True)


@relaxed
@given(counts)
def test_identity(rows):
    if sum(rows) == 0:
        assert math.isnan(psi.psi(rows, rows))
        assert math.isnan(ks.ks_counts(rows, rows).statistic)
    else:
        assert psi.psi(rows, rows) == 0
        assert ks.ks_counts(rows, rows) == ks.KS(0.0, 1.0)


@relaxed
@given(pairs)
def test_psi_is_symmetric_not_negative_and_blind_to_the_order_of_bins(rows):
    left, right = np.array(rows).T
    if left.sum() == 0 or right.sum() == 0:
        return
    value = psi.psi(left, right)
    assert value >= 0
    assert math.isclose(value, psi.psi(right, left), abs_tol=1e-12)
    assert math.isclose(value, psi.psi(left[::-1], right[::-1]), rel_tol=1e-9, abs_tol=1e-12)


@relaxed
@given(values, values, st.integers(2, 60))
def test_binned_ks_is_below_by_at_most_the_largest_bin(reference, current, bins):
    edges = binning.quantile_edges(reference, bins)
    r, c = binning.counts(reference, edges), binning.counts(current, edges)
    exact, binned = ks.ks(reference, current), ks.ks_counts(r, c)
    slack = max(r.max() / r.sum(), c.max() / c.sum())
    assert binned.statistic <= exact.statistic + 1e-12
    assert exact.statistic <= binned.statistic + slack + 1e-12
    assert binned.p_value >= exact.p_value - 1e-12


@relaxed
@given(values, values, st.randoms(use_true_random=False))
def test_ks_ignores_order_and_monotone_maps(reference, current, random):
    before = ks.ks(reference, current)
    assert 0 <= before.statistic <= 1
    assert 0 <= before.p_value <= 1
    random.shuffle(reference)
    assert ks.ks(reference, current) == before
    assert ks.ks(current, reference) == before
    assert ks.ks([2 * v for v in reference], [2 * v for v in current]) == before


@relaxed
@given(any_floats, st.integers(1, 60))
def test_edges_increase_are_finite_and_lose_no_row(given_values, bins):
    edges = binning.quantile_edges(given_values, bins)
    assert np.isfinite(edges).all()
    assert (np.diff(edges) > 0).all()
    assert edges.size <= 2 * max(0, bins - 1)
    rows = binning.counts(given_values, edges)
    assert rows.size == edges.size + 1
    assert rows.sum() == sum(not math.isnan(v) for v in given_values)


@relaxed
@given(tied)
def test_groups_are_contiguous_and_keep_the_mass(given_values):
    rows = binning.counts(given_values, binning.quantile_edges(given_values))
    groups = binning.merge(rows)
    assert groups[0] == 0
    assert set(np.diff(groups)) <= {0, 1}
    assert binning.grouped(rows, groups).sum() == rows.sum()


@relaxed
@given(labels, labels)
def test_chi_square_and_its_effect_are_symmetric_and_bounded(left, right):
    result, mirrored = chi_square.chi_square(left, right), chi_square.chi_square(right, left)
    for figure, other in (
        (result.statistic, mirrored.statistic),
        (result.p_value, mirrored.p_value),
        (result.effect, mirrored.effect),
    ):
        assert math.isclose(figure, other, rel_tol=1e-9, abs_tol=1e-12) or (
            math.isnan(figure) and math.isnan(other)
        )
    if not math.isnan(result.effect):
        assert 0 <= result.effect <= 1 + 1e-12


@relaxed
@given(labels, labels)
def test_merging_keeps_every_row(left, right):
    table = contingency.contingency(left, right)
    assert sum(table.reference) == sum(left.values())
    assert sum(table.current) == sum(right.values())


@relaxed
@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=40))
def test_q_values_are_at_least_p_and_at_most_one(p_values):
    q = benjamini_hochberg.benjamini_hochberg(p_values)
    for p, corrected in zip(p_values, q, strict=True):
        assert math.isnan(p) == math.isnan(corrected)
        assert math.isnan(p) or p - 1e-12 <= corrected <= 1


@relaxed
@given(
    any_floats,
    any_floats,
    st.lists(st.none() | st.text(max_size=2)),
    st.lists(st.none() | st.text(max_size=2)),
)
def test_any_input_gives_a_verdict(reference, current, before, after):
    profiles = [
        drift.numeric_profile("x", reference),
        drift.categorical_profile("c", before),
    ]
    window = {
        "x": drift.numeric_counts(current, profiles[0].edges),
        "c": drift.categorical_counts(after),
    }
    for verdict in drift.compare(profiles, window, minimum_n=1):
        assert verdict.reason
        assert (verdict.effect is None) == (verdict.status in ("no_data", "insufficient"))
        assert verdict.drifted == (verdict.status in ("warning", "critical"))
