import pytest
from scipy import stats

from analyzers.intervals import UNKNOWN, effective_wilson, normal_quantile, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 50), (3, 10), (10, 10), (980, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_equals_scipy(successes, n, confidence):
    ours = wilson(successes, n, confidence=confidence)
    theirs = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_nothing_seen_is_unknown():
    assert wilson(0, 0) == UNKNOWN


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(successes, n):
    with pytest.raises(ValueError, match=f"{successes} successes of {n}"):
        wilson(successes, n)


def test_impossible_confidence_is_refused():
    with pytest.raises(ValueError, match=r"confidence is 95; give a number between 0 and 1"):
        normal_quantile(95)


def test_the_effective_rows_of_a_proportion_are_its_rows():
    plain = wilson(30, 100)
    assert effective_wilson(0.3, 0.3 * 0.7 / 100, n=100, fallback=1).low == pytest.approx(plain.low)
    assert effective_wilson(1.0, 0.0, n=7, fallback=7).low == pytest.approx(wilson(7, 7).low)
