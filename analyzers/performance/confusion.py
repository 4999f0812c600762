"""The confusion matrix: rows by true label and predicted label.

>>> matrix = ConfusionMatrix.of({("yes", "yes"): 8, ("yes", "no"): 2, ("no", "no"): 10})
>>> matrix.labels, matrix.n, matrix.true_positives("yes"), matrix.actual("yes")
(('no', 'yes'), 20, 8, 10)
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["ConfusionMatrix"]


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """Counts by true label (row) and predicted label (column), labels sorted."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, pairs: Mapping[tuple[str, str], int]) -> "ConfusionMatrix":
        """Matrix of (label, predicted) -> rows; a pair of zero rows adds no label."""
        wrong = {pair: rows for pair, rows in pairs.items() if rows < 0}
        if wrong:
            raise ValueError(f"negative counts {wrong}; give rows by (label, predicted)")
        labels = tuple(sorted({label for pair, rows in pairs.items() if rows for label in pair}))
        return cls(labels, tuple(tuple(pairs.get((t, p), 0) for p in labels) for t in labels))

    @property
    def array(self) -> npt.NDArray[np.float64]:
        """The counts as a square array."""
        return np.array(self.counts, dtype=np.float64).reshape(len(self.labels), len(self.labels))

    @property
    def n(self) -> int:
        """Rows in all."""
        return sum(map(sum, self.counts))

    @property
    def correct(self) -> int:
        """Rows on the diagonal."""
        return sum(row[i] for i, row in enumerate(self.counts))

    def true_positives(self, label: str) -> int:
        """Rows of the label predicted as such; 0 for a label never seen."""
        i = self._index(label)
        return 0 if i is None else self.counts[i][i]

    def actual(self, label: str) -> int:
        """Rows that truly have the label, the support."""
        i = self._index(label)
        return 0 if i is None else sum(self.counts[i])

    def predicted(self, label: str) -> int:
        """Rows predicted to have the label."""
        i = self._index(label)
        return 0 if i is None else sum(row[i] for row in self.counts)

    def false_positives(self, label: str) -> int:
        """Rows predicted to have the label that do not."""
        return self.predicted(label) - self.true_positives(label)

    def false_negatives(self, label: str) -> int:
        """Rows of the label predicted as another."""
        return self.actual(label) - self.true_positives(label)

    def true_negatives(self, label: str) -> int:
        """Rows neither of the label nor predicted so."""
        return self.n - self.actual(label) - self.false_positives(label)

    def _index(self, label: str) -> int | None:
        return self.labels.index(label) if label in self.labels else None
