"""False discovery rate over many p-values.

    q_(i) = min over j >= i of p_(j) m / j,  p_(1) <= ... <= p_(m)

Calling every q <= 0.05 a drift keeps the expected share of false ones among those
called at 5 % at most; when nothing drifted at all, the chance of any call is 5 %. Twenty
uncorrected tests would have a chance of 64 %. Source: Benjamini and Hochberg, J. Royal
Statistical Society B 57 (1995) 289-300, for independent or positively dependent tests.

>>> benjamini_hochberg([0.01, 0.04, float("nan"), 0.03]).round(4)
array([0.03, 0.04,  nan, 0.04])
"""

import numpy as np
import numpy.typing as npt

__all__ = ["benjamini_hochberg"]


def benjamini_hochberg(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """q-values in the order given; a NaN, a test not made, stays NaN and is not counted."""
    p = np.asarray(p_values, dtype=np.float64).ravel()
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made])]
    scaled = p[order] * made.size / np.arange(1, made.size + 1)
    q = np.full(p.shape, np.nan)
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return q
