"""Accuracy, precision, recall and F1 with confidence intervals.

    precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2 TP / (2 TP + FP + FN)

Values equal scikit-learn's with `zero_division=nan`: a precision without predictions or a
recall without such labels is unknown, not 0, and a macro average (the plain mean over
classes) leaves unknown classes out. Intervals:

- proportions: Wilson;
- F1: with J = TP / (TP + FP + FN), itself a proportion of the rows that concern the class,
  F1 = 2 J / (1 + J) rises with J (Hand, Christen and Kirielle, Machine Learning 110
  (2021) 451-456, call it F*), so both Wilson limits of J carry over;
- macro: delta method over the cells of the matrix (Takahashi et al., Applied
  Intelligence 52 (2022) 4961-4972), as a Wilson interval of the effective number of rows.

>>> matrix = ConfusionMatrix.of({("yes", "yes"): 8, ("yes", "no"): 2, ("no", "no"): 10})
>>> recall(matrix, "yes").value, precision(matrix, "yes").value
(0.8, 1.0)
>>> f1(matrix, "yes")
Estimate(value=0.888..., low=0.657..., high=0.970..., n=10)
>>> recall(matrix, "maybe").value is None
True
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analyzers.intervals import UNKNOWN, Estimate, effective_wilson, wilson
from analyzers.performance.confusion import ConfusionMatrix

__all__ = [
    "ClassFigures",
    "accuracy",
    "f1",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "per_class",
    "precision",
    "recall",
]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """The figures of one class."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int  # rows that truly have the label


def accuracy(matrix: ConfusionMatrix, *, confidence: float = 0.95) -> Estimate:
    """Share of the rows predicted right."""
    return wilson(matrix.correct, matrix.n, confidence=confidence)


def precision(matrix: ConfusionMatrix, label: str, *, confidence: float = 0.95) -> Estimate:
    """Share of the rows predicted as the label that have it."""
    hits = matrix.true_positives(label)
    return wilson(hits, matrix.predicted(label), confidence=confidence)


def recall(matrix: ConfusionMatrix, label: str, *, confidence: float = 0.95) -> Estimate:
    """Share of the rows having the label that are predicted so."""
    return wilson(matrix.true_positives(label), matrix.actual(label), confidence=confidence)


def f1(matrix: ConfusionMatrix, label: str, *, confidence: float = 0.95) -> Estimate:
    """Harmonic mean of precision and recall; 0, not unknown, when there are only errors."""
    hits = matrix.true_positives(label)
    concerned = matrix.actual(label) + matrix.false_positives(label)
    share = wilson(hits, concerned, confidence=confidence)
    return replace(share, value=_f(share.value), low=_f(share.low), high=_f(share.high))


def per_class(matrix: ConfusionMatrix, *, confidence: float = 0.95) -> Mapping[str, ClassFigures]:
    """The figures of every label that was seen or predicted, in order."""
    return {
        label: ClassFigures(
            precision(matrix, label, confidence=confidence),
            recall(matrix, label, confidence=confidence),
            f1(matrix, label, confidence=confidence),
            matrix.actual(label),
        )
        for label in matrix.labels
    }


def macro_precision(matrix: ConfusionMatrix, *, confidence: float = 0.95) -> Estimate:
    """Mean precision over the classes that were predicted."""
    cells = matrix.array
    rows = cells.sum(axis=0)
    share, scale, seen = _ratio(np.diagonal(cells), rows)
    slope = (np.diag(scale) - (share * scale)[np.newaxis, :]) / max(1, seen.sum())
    return _macro(cells, share[seen], rows[seen], slope, confidence)


def macro_recall(matrix: ConfusionMatrix, *, confidence: float = 0.95) -> Estimate:
    """Mean recall over the classes that truly occur."""
    cells = matrix.array
    rows = cells.sum(axis=1)
    share, scale, seen = _ratio(np.diagonal(cells), rows)
    slope = (np.diag(scale) - (share * scale)[:, np.newaxis]) / max(1, seen.sum())
    return _macro(cells, share[seen], rows[seen], slope, confidence)


def macro_f1(matrix: ConfusionMatrix, *, confidence: float = 0.95) -> Estimate:
    """Mean F1 over the classes that were seen or predicted."""
    cells = matrix.array
    both = cells.sum(axis=0) + cells.sum(axis=1)
    share, scale, seen = _ratio(2 * np.diagonal(cells), both)
    pull = share * scale
    slope = (2 * np.diag(scale) - pull[:, np.newaxis] - pull[np.newaxis, :]) / max(1, seen.sum())
    return _macro(cells, share[seen], (both - np.diagonal(cells))[seen], slope, confidence)


def _f(jaccard: float | None) -> float | None:
    return None if jaccard is None else 2 * jaccard / (1 + jaccard)


def _ratio(above: _Floats, below: _Floats) -> tuple[_Floats, _Floats, npt.NDArray[np.bool_]]:
    """Ratios, reciprocal denominators (0 where undefined) and where they are defined."""
    seen = below > 0
    scale = np.divide(1.0, below, out=np.zeros_like(below), where=seen)
    return above * scale, scale, seen


def _macro(
    cells: _Floats, shares: _Floats, rows: _Floats, slope: _Floats, confidence: float
) -> Estimate:
    """Mean of class shares; `slope` is its derivative by each count of the matrix.

    The slopes average to zero over the rows (shares do not change when all counts
    double), so the multinomial variance is the sum of count times slope squared.
    """
    if shares.size == 0:
        return UNKNOWN
    variance = float((cells * slope**2).sum())
    fallback = shares.size**2 / float((1 / rows).sum())
    value, n = float(shares.mean()), int(cells.sum())
    return effective_wilson(value, variance, n=n, fallback=fallback, confidence=confidence)
