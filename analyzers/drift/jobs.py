"""Drift of features and outputs per day, and the mean PSI of the last hour for its rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import fmean

from analyzers.drift import counts
from analyzers.drift.distribution import NumericProfile, Profile, coarse
from analyzers.drift.psi import MINIMUM_N as PSI_MINIMUM_N
from analyzers.drift.verdict import FeatureVerdict, compare
from analyzers.indices import predictions
from analyzers.job import Answer, Job, Profiles, Subject, judge, live
from analyzers.results import Figure, Segment, Status
from analyzers.store import Search
from analyzers.windows import DAY

__all__ = ["DRIFT", "STABILITY"]


def plan(subject: Subject) -> Sequence[Search]:
    """One search counts all features and outputs."""
    return [_counting(subject, (*subject.profiles.features, *subject.profiles.outputs))]


def plan_mean(subject: Subject) -> Sequence[Search]:
    """One search counts all features over the tenths that PSI needs."""
    return [_counting(subject, _coarse(subject.profiles.features))]


def _counting(subject: Subject, profiles: Sequence[Profile]) -> Search:
    body = {
        "size": 0,
        "track_total_hits": True,
        "query": live(subject.contract, subject.window),
        "aggs": counts.aggregations(profiles),
    }
    return Search(predictions(subject.contract.model, subject.window), body)


def read(subject: Subject, answers: Sequence[Answer]) -> Iterator[Figure]:
    """Verdicts of features and of outputs, each corrected among themselves."""
    (answer,) = answers
    n = answer["hits"]["total"]["value"]
    features = verdicts(subject, answer, subject.profiles.features)
    outputs = verdicts(subject, answer, subject.profiles.outputs)
    for kind, found in (("feature", features), ("output", outputs)):
        for verdict in found:
            segment = Segment(kind, verdict.feature)
            yield _test(subject, verdict, segment)
            yield _psi(subject, verdict, segment)
    yield _mean(subject, "psi_mean", features, n)
    yield _drifted(subject, features, n)


def read_mean(subject: Subject, answers: Sequence[Answer]) -> Iterator[Figure]:
    """The mean PSI alone."""
    (answer,) = answers
    profiles = Profiles(subject.profiles.id, _coarse(subject.profiles.features))
    subject = replace(subject, profiles=profiles)
    found = verdicts(subject, answer, subject.profiles.features)
    yield _mean(subject, "psi_mean_1h", found, answer["hits"]["total"]["value"])


def _coarse(profiles: Sequence[Profile]) -> tuple[Profile, ...]:
    return tuple(coarse(p) if isinstance(p, NumericProfile) else p for p in profiles)


def verdicts(
    subject: Subject, answer: Answer, profiles: Sequence[Profile]
) -> tuple[FeatureVerdict, ...]:
    """Verdicts over the profiles that the answer counted."""
    every = (*subject.profiles.features, *subject.profiles.outputs)
    answers = answer.get("aggregations", {})
    known = [p for i, p in enumerate(every) if f"c{i}" in answers]
    found = counts.read(known, answers)
    current = {p.feature: found[p.feature] for p in profiles if p.feature in found}
    return compare(profiles, current, critical_psi=subject.contract.drift.psi)


def _test(subject: Subject, verdict: FeatureVerdict, segment: Segment) -> Figure:
    """The two-sample test; beside one dominant label it is Fisher's, which has no statistic."""
    every = (*subject.profiles.features, *subject.profiles.outputs)
    numbers = {p.feature for p in every if isinstance(p, NumericProfile)}
    return subject.figure(
        "ks" if verdict.feature in numbers else "chi_square",
        verdict.statistic, verdict.n_current, verdict.status, segment=segment,
        p_value=verdict.p_value, q_value=verdict.q_value, effect=verdict.effect,
        n_reference=verdict.n_reference, reference=subject.profiles.id, reason=verdict.reason,
    )  # fmt: skip


def _psi(subject: Subject, verdict: FeatureVerdict, segment: Segment) -> Figure:
    limit, n = subject.contract.drift.psi, verdict.n_current
    status = judge(verdict.psi, n, above=limit, minimum_n=PSI_MINIMUM_N, breach="warning")
    if n and verdict.psi is None:
        status = "insufficient"
    return subject.figure(
        "psi", verdict.psi, n, status, segment=segment, threshold=limit,
        n_reference=verdict.n_reference, reference=subject.profiles.id,
    )  # fmt: skip


def _mean(subject: Subject, name: str, found: Sequence[FeatureVerdict], n: int) -> Figure:
    values = [v.psi for v in found if v.psi is not None]
    value, limit = (fmean(values) if values else None), subject.contract.drift.psi
    status = judge(value, n, above=limit, minimum_n=PSI_MINIMUM_N)
    if n and value is None:
        status = "insufficient"
    return subject.figure(
        name, value, n, status, threshold=limit, reference=subject.profiles.id,
        reason="" if found else _why_unknown(subject),
    )  # fmt: skip


def _why_unknown(subject: Subject) -> str:
    if subject.profiles.id:
        return "inside the reference period"
    return "no reference profile; `vigie profile build` makes one"


def _drifted(subject: Subject, found: Sequence[FeatureVerdict], n: int) -> Figure:
    tested = [v for v in found if v.q_value is not None]
    names = [v.feature for v in tested if v.drifted]
    status: Status = "warning" if names else "ok"
    if not tested:
        status = "insufficient" if n else "no_data"
    value = float(len(names)) if tested else None
    return subject.figure(
        "drifted_features", value, n, status, reference=subject.profiles.id,
        reason=", ".join(names),
    )  # fmt: skip


DRIFT = Job("drift", "tile", (DAY,), plan, read)
STABILITY = Job("stability", "look", (timedelta(hours=1),), plan_mean, read_mean)
