import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

from analyzers import drift

ROWS = 2000


def judge(reference, current, **options):
    profile = drift.numeric_profile("x", reference)
    window = {"x": drift.numeric_counts(current, profile.edges)}
    (verdict,) = drift.compare([profile], window, **options)
    return verdict


def judge_labels(reference, current, **options):
    profile = drift.CategoricalProfile("c", reference, 0, sum(reference.values()))
    (verdict,) = drift.compare([profile], {"c": drift.CategoricalCounts(current)}, **options)
    return verdict


def normal(shift=0.0, n=ROWS, seed=1):
    return np.random.default_rng(seed).normal(shift, 1, n)


def test_no_drift_is_ok_with_all_figures():
    verdict = judge(normal(seed=1), normal(seed=2))
    assert (verdict.status, verdict.drifted, verdict.method) == ("ok", False, "ks")
    assert None not in (verdict.statistic, verdict.p_value, verdict.q_value, verdict.psi)


@pytest.mark.parametrize(("shift", "status"), [(0.3, "warning"), (1.0, "critical")])
def test_a_shift_is_graded(shift, status):
    verdict = judge(normal(seed=1), normal(shift, seed=2))
    assert (verdict.status, verdict.drifted) == (status, True)


def test_significant_but_small_is_not_drift():
    verdict = judge(normal(n=200_000, seed=1), normal(0.03, n=200_000, seed=2))
    assert verdict.q_value < 0.001
    assert (verdict.status, verdict.drifted) == ("ok", False)
    assert verdict.reason.startswith("too small")


def test_the_contract_sets_what_is_critical():
    calm = judge(normal(), normal(0.3, seed=2), critical_psi=0.05)
    assert calm.status == "critical"


@pytest.mark.parametrize(
    ("reference", "current", "status", "reason"),
    [
        (normal(), [], "no_data", "no rows in the current window"),
        (normal(), [np.nan] * 7, "no_data", "all 7 current rows lack a value"),
        ([], normal(), "no_data", "the reference has no value"),
        ([np.nan] * 9, normal(), "no_data", "the reference has no value"),
        (normal(), [1.0], "insufficient", "1 current values; 100 needed"),
        ([1.0], normal(), "insufficient", "1 reference values; 100 needed"),
    ],
)
def test_what_cannot_be_tested_says_why(reference, current, status, reason):
    verdict = judge(reference, current)
    assert (verdict.status, verdict.reason, verdict.drifted) == (status, reason, False)
    figures = (verdict.statistic, verdict.p_value, verdict.q_value, verdict.effect, verdict.psi)
    assert figures == (None,) * 5


def test_a_constant_that_stays_is_ok_and_one_that_moves_is_critical():
    assert judge([5.0] * ROWS, [5.0] * 500).status == "ok"
    for other in (4.999, 5.001, 6.0, np.inf):
        assert judge([5.0] * ROWS, [other] * 500).status == "critical"


def test_zero_inflation_is_seen():
    rng = np.random.default_rng(3)
    reference, current = rng.exponential(size=ROWS), rng.exponential(size=ROWS)
    reference[: ROWS // 2], current[: ROWS // 4] = 0, 0
    assert judge(reference, current).drifted


def test_infinite_values_are_counted_in_the_open_bins():
    current = normal(seed=2)
    current[:400] = np.inf
    assert judge(normal(), current).drifted


def test_missing_shares_are_reported():
    verdict = judge([*normal(n=900), *[np.nan] * 100], [*normal(n=150), *[np.nan] * 50])
    assert (verdict.missing_reference, verdict.missing_current) == (0.1, 0.25)


@pytest.mark.parametrize(("n", "reported"), [(499, False), (500, True)])
def test_psi_needs_500_rows_on_both_sides(n, reported):
    assert (judge(normal(), normal(n=n, seed=2)).psi is not None) is reported
    assert (judge(normal(n=n, seed=2), normal()).psi is not None) is reported


def test_labels_that_moved():
    verdict = judge_labels({"a": 600, "b": 400}, {"a": 480, "b": 520})
    assert (verdict.method, verdict.status) == ("chi_square", "warning")
    assert verdict.effect == pytest.approx(0.12)


def test_a_new_label_beside_a_dominant_one_is_not_lost_in_merging():
    verdict = judge_labels({"a": 10_000}, {"a": 950, "new": 50})
    assert (verdict.method, verdict.drifted, verdict.unseen_current) == ("fisher_exact", True, 0.05)
    assert verdict.statistic is None


def test_one_label_on_both_sides_is_known_to_be_equal():
    verdict = judge_labels({"a": 1000}, {"a": 200})
    assert (verdict.status, verdict.effect, verdict.p_value) == ("ok", 0.0, 1.0)


def test_nothing_but_rare_labels_cannot_be_tested():
    reference = {f"id{i}": 1 for i in range(1000)}
    current = {f"id{i}": 1 for i in range(1000, 1500)}
    verdict = judge_labels(reference, current)
    assert verdict.status == "insufficient"
    assert verdict.reason == "every label is too rare to be tested"


def test_features_without_a_counterpart_are_reported():
    profile = drift.numeric_profile("x", normal())
    window = {"y": drift.CategoricalCounts({"a": 3}, missing=1)}
    absent, stray = drift.compare([profile], window)
    assert (absent.feature, absent.status, absent.n_current) == ("x", "no_data", 0)
    assert (stray.feature, stray.status, stray.n_current) == ("y", "no_data", 3)
    assert stray.reason == "no reference profile of this feature"


def test_the_correction_counts_the_tests_of_the_whole_window():
    profiles = [drift.numeric_profile(f"x{i}", normal(seed=i)) for i in range(10)]
    window = {
        p.feature: drift.numeric_counts(normal(seed=50 + i), p.edges)
        for i, p in enumerate(profiles)
    }
    together = drift.compare(profiles, window)
    assert all(v.q_value >= v.p_value for v in together)
    assert drift.compare(profiles, {}) != together
    assert drift.compare([], {}) == ()


def test_wrong_bins_name_the_feature_and_the_cure():
    profile = drift.numeric_profile("age", normal())
    with pytest.raises(ValueError, match=r"age: 2 current bins, 50 in the profile; count the"):
        drift.compare([profile], {"age": drift.NumericCounts((100, 100))})
    with pytest.raises(TypeError, match=r"age: CategoricalCounts given for a NumericProfile"):
        drift.compare([profile], {"age": drift.CategoricalCounts({"a": 200})})


def test_a_verdict_is_json():
    assert json.loads(json.dumps(asdict(judge(normal(), normal(1, seed=2)))))["drifted"] is True


def test_the_public_names_are_sorted_and_exist():
    assert list(drift.__all__) == sorted(drift.__all__)
    assert all(hasattr(drift, name) for name in drift.__all__)


def test_importing_drift_stays_light():
    code = (
        "import analyzers.drift, sys; print(sorted({'pandas', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
