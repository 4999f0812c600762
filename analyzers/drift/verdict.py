"""One verdict per feature and window: whether it left its reference, and by enough.

A feature is called drifted only when three gates agree: the two-sample test is
significant after Benjamini-Hochberg over all features of the window, the effect is
large enough to matter, and both samples have rows enough for the test to hold. A
significance alone flags every trifle at a million rows; a distance alone flags noise at
two hundred.

- numbers: Kolmogorov-Smirnov on the profile's bins, effect = D;
- labels: chi-square, or Fisher's exact test beside one dominant label, effect =
  total variation distance. Both effects are shares of the rows that moved.

A drift is a `warning`; it is `critical` when a fifth of the rows moved or PSI reaches
the contract's limit. What could not be tested says so: `no_data` when a side has no
value, `insufficient` when rows are too few or every label is rare; its figures are None.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analyzers.drift.benjamini_hochberg import benjamini_hochberg
from analyzers.drift.distribution import Counts, Profile
from analyzers.drift.two_sample import Method, two_sample

__all__ = ["MINIMUM_N", "FeatureVerdict", "Status", "compare"]

Status = Literal["ok", "warning", "critical", "no_data", "insufficient"]

MINIMUM_N = 100  # rows with a value, each side


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureVerdict:
    """What is known of one feature in one window; None is unknown, never zero."""

    feature: str
    method: Method | None = None  # None when not tested
    statistic: float | None = None  # D, or X^2; None for the exact test
    p_value: float | None = None
    q_value: float | None = None
    effect: float | None = None  # share of the rows that moved
    psi: float | None = None  # nats, where both sides have 500 rows
    n_reference: int
    n_current: int
    missing_reference: float | None = None  # share of the rows without a value
    missing_current: float | None = None
    unseen_current: float | None = None  # share of the values whose label is new
    drifted: bool = False
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class _Gates:
    alpha: float
    effect: float
    n: int
    critical_effect: float
    critical_psi: float


def compare(
    profiles: Sequence[Profile],
    currents: Mapping[str, Counts],
    *,
    alpha: float = 0.05,
    minimum_effect: float = 0.03,
    minimum_n: int = MINIMUM_N,
    critical_effect: float = 0.2,
    critical_psi: float = 0.2,
) -> tuple[FeatureVerdict, ...]:
    """Verdicts of one window, in the order of the profiles, then features without one.

    Args:
        profiles: references, one per feature.
        currents: counts of the window by feature; a feature left out has no data.
        alpha: false discovery rate over the features of the window.
        minimum_effect: share of the rows that must have moved.
        minimum_n: rows with a value that each side needs.
        critical_effect: share of the moved rows that makes a drift critical.
        critical_psi: PSI that makes a drift critical.

    """
    gates = _Gates(alpha, minimum_effect, minimum_n, critical_effect, critical_psi)
    measured = [_measure(profile, currents.get(profile.feature), gates) for profile in profiles]
    p_values = [math.nan if v.p_value is None else v.p_value for v in measured]
    q_values = benjamini_hochberg(p_values).tolist()
    judged = [_judge(v, q, gates) for v, q in zip(measured, q_values, strict=True)]
    known = {profile.feature for profile in profiles}
    strays = [_stray(name, currents[name]) for name in currents if name not in known]
    return (*judged, *strays)


def _measure(profile: Profile, current: Counts | None, gates: _Gates) -> FeatureVerdict:
    """The test of one feature; its q-value and status follow once all are known."""
    blank = _blank(profile, current)
    if current is None or blank.n_current == 0 or blank.n_reference == 0:
        return replace(blank, status="no_data", reason=_why_no_data(profile, current))
    fewest = min(blank.n_reference, blank.n_current)
    if fewest < gates.n:
        side = "reference" if blank.n_reference == fewest else "current"
        return replace(blank, reason=f"{fewest} {side} values; {gates.n} needed")
    figures = two_sample(profile, current)
    if figures is None:
        return replace(blank, reason="every label is too rare to be tested")
    return replace(
        blank,
        method=figures.method,
        statistic=figures.statistic,
        p_value=figures.p_value,
        effect=figures.effect,
        psi=figures.psi,
        unseen_current=figures.unseen_current,
    )


def _blank(profile: Profile, current: Counts | None) -> FeatureVerdict:
    n_current, missing = (0, 0) if current is None else (_rows(current), current.missing)
    return FeatureVerdict(
        feature=profile.feature,
        n_reference=profile.n,
        n_current=n_current,
        missing_reference=_share(profile.missing, profile.n),
        missing_current=_share(missing, n_current),
        status="insufficient",
        reason="",
    )


def _stray(feature: str, current: Counts) -> FeatureVerdict:
    n = _rows(current)
    return FeatureVerdict(
        feature=feature,
        n_reference=0,
        n_current=n,
        missing_current=_share(current.missing, n),
        status="no_data",
        reason="no reference profile of this feature",
    )


def _judge(verdict: FeatureVerdict, q_value: float, gates: _Gates) -> FeatureVerdict:
    effect = verdict.effect
    if effect is None or math.isnan(q_value):
        return verdict
    verdict = replace(verdict, q_value=q_value, status="ok")
    moved = f"{effect:.1%} of the rows moved"
    if q_value > gates.alpha:
        return replace(verdict, reason=f"not significant: q {q_value:.2g} > {gates.alpha:g}")
    if effect < gates.effect:
        return replace(verdict, reason=f"too small: {moved}, {gates.effect:.1%} needed")
    reason = moved if verdict.psi is None else f"{moved}, PSI {verdict.psi:.3g}"
    status: Status = "critical" if _is_critical(verdict, gates) else "warning"
    return replace(verdict, drifted=True, status=status, reason=f"{reason} (q {q_value:.2g})")


def _is_critical(verdict: FeatureVerdict, gates: _Gates) -> bool:
    effect, stability = verdict.effect or 0.0, verdict.psi or 0.0
    return effect >= gates.critical_effect or stability >= gates.critical_psi


def _why_no_data(profile: Profile, current: Counts | None) -> str:
    if profile.n == 0:
        return "the reference has no value"
    if current is None or current.missing == 0:
        return "no rows in the current window"
    return f"all {current.missing} current rows lack a value"


def _rows(current: Counts) -> int:
    counts = current.counts
    return sum(counts.values()) if isinstance(counts, Mapping) else sum(counts)


def _share(missing: int, n: int) -> float | None:
    return missing / (missing + n) if missing + n else None
