"""How right a model is, once labels have come.

    counts of (label, predicted) ── ConfusionMatrix ──> accuracy, precision, recall, F1

A figure is an `Estimate` with its confidence interval, and unknown (None) where its
denominator is empty.
"""

from analyzers.performance.classification import (
    ClassFigures,
    accuracy,
    f1,
    macro_f1,
    macro_precision,
    macro_recall,
    per_class,
    precision,
    recall,
)
from analyzers.performance.confusion import ConfusionMatrix

__all__ = [
    "ClassFigures",
    "ConfusionMatrix",
    "accuracy",
    "f1",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "per_class",
    "precision",
    "recall",
]
