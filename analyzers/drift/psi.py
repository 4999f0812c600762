"""Population stability index: how far two binned distributions are apart.

    PSI = sum over bins of (c_i - r_i) ln(c_i / r_i)

with r and c the shares of reference and current rows; a symmetric sum of two
Kullback-Leibler divergences, in nats, 0 when equal, without upper unit. Source:
Siddiqi, Credit Risk Scorecards, Wiley 2006, whose rule of thumb reads below 0.1 no
change, 0.1 to 0.25 some, above 0.25 a major one, on about ten bins.

The value depends on its conventions, so they are fixed here: bins are groups of
about a tenth of the reference (`binning.merge`) or labels; each share of *both* sides
is raised to 0.0001 at least, without rescaling, so that PSI(r, c) = PSI(c, r).

Without any drift PSI is still about (bins - 1)(1/n_r + 1/n_c): with 50 bins and 200
rows more than 0.2. Hence ten bins, and `MINIMUM_N` rows on both sides.

>>> round(psi([50, 50], [60, 40]), 6)
0.040547
>>> psi([50, 50], [500, 500])
0.0
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["MINIMUM_N", "SMALLEST_SHARE", "psi"]

MINIMUM_N = 500  # rows, each side
SMALLEST_SHARE = 1e-4


def psi(reference_counts: npt.ArrayLike, current_counts: npt.ArrayLike) -> float:
    """PSI of two aligned vectors of counts; NaN when either side has no rows."""
    reference = np.asarray(reference_counts, dtype=np.float64)
    current = np.asarray(current_counts, dtype=np.float64)
    if reference.shape != current.shape:
        raise ValueError(f"bins differ: {reference.size} reference, {current.size} current")
    if reference.sum() == 0 or current.sum() == 0:
        return math.nan
    r, c = _shares(reference), _shares(current)
    return float(((c - r) * np.log(c / r)).sum())


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shares: npt.NDArray[np.float64] = np.maximum(counts / counts.sum(), SMALLEST_SHARE)
    return shares
