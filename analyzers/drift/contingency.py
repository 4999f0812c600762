"""Label counts of two samples as one table, with rare labels merged.

Chi-square's approximation needs an expected count of 5 in each cell (Cochran,
Biometrics 10 (1954) 417-451). The smaller expected count of a label is its total over
both samples times the smaller sample's share of the rows. The rule, in order:

1. labels whose smaller expected count is below 5 form the group `OTHER`;
2. while that group itself is below 5 and two more labels are left, the rarest joins it.

It looks at totals alone, never at which sample a row came from, so it cannot favour a
verdict. One label against a small `OTHER` remains possible: see `fisher_exact`. When
every label is rare nothing but `OTHER` remains and no test can tell.

>>> table = contingency({"a": 500, "b": 480, "c": 12, "d": 8}, {"a": 50, "b": 49, "d": 1})
>>> table.labels
('a', '(other)')
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["MINIMUM_EXPECTED", "OTHER", "Table", "contingency"]

MINIMUM_EXPECTED = 5.0
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Table:
    """Aligned counts of the groups, most frequent first and `OTHER` last."""

    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    merged: tuple[str, ...]  # labels inside OTHER

    @property
    def n(self) -> int:
        """Rows of both samples."""
        return sum(self.reference) + sum(self.current)

    @property
    def all_rare(self) -> bool:
        """No label is frequent enough to stand on its own."""
        return self.labels == (OTHER,)

    @property
    def counts(self) -> npt.NDArray[np.float64]:
        """Two rows, reference and current."""
        return np.array([self.reference, self.current], dtype=np.float64)

    @property
    def smallest_expected(self) -> float:
        """Smallest expected cell when both samples come from one population."""
        cells = self.counts
        if cells.size == 0 or self.n == 0:
            return 0.0
        return float(cells.sum(axis=0).min() * cells.sum(axis=1).min() / self.n)


def contingency(reference: Mapping[str, int], current: Mapping[str, int]) -> Table:
    """Table of two label counts; labels counted zero on both sides are left out."""
    names = sorted({*reference, *current})
    totals = {name: reference.get(name, 0) + current.get(name, 0) for name in names}
    labels = sorted((name for name in names if totals[name]), key=lambda name: -totals[name])
    smaller = min(sum(reference.values()), sum(current.values()))
    scale = smaller / max(1, sum(totals.values()))
    kept = _kept([totals[label] * scale for label in labels])
    return _table(labels[:kept], tuple(labels[kept:]), reference, current)


def _kept(expected: list[float]) -> int:
    """How many of the labels, by falling expected count, keep a group of their own."""
    kept = sum(value >= MINIMUM_EXPECTED for value in expected)
    while 2 <= kept < len(expected) and sum(expected[kept:]) < MINIMUM_EXPECTED:
        kept -= 1
    return kept


def _table(
    kept: list[str],
    merged: tuple[str, ...],
    reference: Mapping[str, int],
    current: Mapping[str, int],
) -> Table:
    labels = (*kept, OTHER) if merged else tuple(kept)
    return Table(labels, _row(kept, merged, reference), _row(kept, merged, current), merged)


def _row(kept: list[str], merged: tuple[str, ...], counts: Mapping[str, int]) -> tuple[int, ...]:
    own = tuple(counts.get(label, 0) for label in kept)
    return (*own, sum(counts.get(label, 0) for label in merged)) if merged else own
