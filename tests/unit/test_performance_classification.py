import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from analyzers import performance
from analyzers.performance import ConfusionMatrix

pairs = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=80)
MACRO = ("macro_precision", "macro_recall", "macro_f1")


def matrix_of(rows):
    return ConfusionMatrix.of({pair: rows.count(pair) for pair in rows})


def scikit(name, rows, **options):
    true, predicted = zip(*rows, strict=True)
    score = getattr(metrics, f"{name}_score")
    return float(score(true, predicted, zero_division=np.nan, **options))


def same(ours, theirs):
    return ours is None if math.isnan(theirs) else ours == pytest.approx(theirs, abs=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pairs.filter(len))
def test_values_equal_scikit_learn(rows):
    matrix = matrix_of(rows)
    accuracy = metrics.accuracy_score(*zip(*rows, strict=True))
    assert performance.accuracy(matrix).value == pytest.approx(accuracy)
    for name in ("precision", "recall", "f1"):
        macro = getattr(performance, f"macro_{name}")(matrix).value
        assert same(macro, scikit(name, rows, average="macro"))
        for label in matrix.labels:
            ours = getattr(performance, name)(matrix, label).value
            assert same(ours, scikit(name, rows, labels=[label], average="macro"))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pairs)
def test_limits_hold_the_value_and_have_width(rows):
    matrix = matrix_of(rows)
    figures = [getattr(performance, name)(matrix) for name in ("accuracy", *MACRO)]
    figures += [f for c in performance.per_class(matrix).values() for f in (c.precision, c.f1)]
    for figure in figures:
        if figure.value is None:
            assert (figure.low, figure.high) == (None, None)
        else:
            assert 0 <= figure.low <= figure.value <= figure.high <= 1
            assert figure.low < figure.high


def test_an_empty_matrix_knows_nothing():
    matrix = ConfusionMatrix.of({})
    for name in ("accuracy", *MACRO):
        assert getattr(performance, name)(matrix).value is None
    assert performance.f1(matrix, "yes").value is None
    assert performance.per_class(matrix) == {}


def test_undefined_is_unknown_and_all_wrong_is_zero():
    matrix = ConfusionMatrix.of({("yes", "no"): 5, ("no", "no"): 5})
    assert performance.precision(matrix, "yes").value is None
    assert performance.recall(matrix, "yes").value == 0
    assert performance.f1(matrix, "yes").value == 0


def test_counts_of_a_class_add_up():
    matrix = ConfusionMatrix.of({("a", "a"): 5, ("a", "b"): 2, ("b", "a"): 3, ("c", "c"): 7})
    cells = (
        matrix.true_positives("a"),
        matrix.false_positives("a"),
        matrix.false_negatives("a"),
        matrix.true_negatives("a"),
    )
    assert cells == (5, 3, 2, 7)
    assert sum(cells) == matrix.n
    assert performance.per_class(matrix)["a"].support == 7


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="negative counts"):
        ConfusionMatrix.of({("a", "a"): -1})


@pytest.mark.parametrize("name", ["f1", *MACRO])
def test_intervals_cover_the_truth(name):
    rng = np.random.default_rng(4)
    p = np.array([0.40, 0.05, 0.03, 0.06, 0.20, 0.04, 0.02, 0.05, 0.15])
    cells = [(t, q) for t in "abc" for q in "abc"]

    def figure(rows):
        matrix = ConfusionMatrix.of(dict(zip(cells, rows, strict=True)))
        measure = getattr(performance, name)
        return measure(matrix, "b") if name == "f1" else measure(matrix)

    truth = figure([int(v) for v in np.rint(p * 1_000_000)]).value
    seen = [figure([int(v) for v in rng.multinomial(200, p)]) for _ in range(600)]
    covered = sum(f.low <= truth <= f.high for f in seen) / len(seen)
    assert 0.92 <= covered <= 0.98, covered


def test_the_public_names_are_sorted_and_exist():
    assert list(performance.__all__) == sorted(performance.__all__)
    assert all(hasattr(performance, name) for name in performance.__all__)
