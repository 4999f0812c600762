"""How right the model was per day of prediction, over the labels that have come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyzers.indices import outcomes
from analyzers.intervals import UNKNOWN, Estimate, wilson
from analyzers.job import Answer, Job, Subject
from analyzers.performance import (
    ConfusionMatrix,
    accuracy,
    f1,
    macro_f1,
    macro_precision,
    macro_recall,
    per_class,
    precision,
    recall,
)
from analyzers.results import Figure, Segment, Status
from analyzers.store import Search
from analyzers.windows import DAY

__all__ = ["PERFORMANCE"]

MINIMUM_N = 30
COVERAGE_GAP = 0.5
"""Coverage of one predicted class below this share of the best covered one biases all figures."""


def plan(subject: Subject) -> Sequence[Search]:
    """One search: the confusion matrix, and coverage per predicted label."""
    labels = {"terms": {"field": "outcome.label", "size": 200}}
    coverage = {"avg": {"field": "outcome.labelled"}}
    outputs = {
        "terms": {"field": "inference.output.label", "size": 200},
        "aggs": {"truth": labels, "coverage": coverage},
    }
    filters = [
        {"term": {"model.name": subject.contract.model}},
        {"term": {"inference.origin": "live"}},
        subject.window.query(),
    ]
    body = {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": filters}},
        "aggs": {"outputs": outputs, "coverage": coverage},
    }
    return [Search(outcomes(subject.contract.model, subject.window), body)]


def read(subject: Subject, answers: Sequence[Answer]) -> Iterator[Figure]:
    """Coverage, then the figures of a classification."""
    (answer,) = answers
    n, found = answer["hits"]["total"]["value"], answer.get("aggregations", {})
    buckets = found.get("outputs", {}).get("buckets", [])
    matrix = _matrix(buckets)
    yield _coverage(subject, found, n)
    for bucket in buckets:
        share = wilson(bucket["coverage"]["value"] * bucket["doc_count"], bucket["doc_count"])
        segment = Segment("class", bucket["key"])
        yield _figure(subject, "label_coverage", share, "ok" if share.n else "no_data", segment)
    reason = _why_not(matrix, buckets)
    for name, estimate in _overall(subject, matrix):
        yield _judged(subject, name, estimate, reason)
    if len(matrix.labels) > 2:
        yield from _classes(subject, matrix, reason)


def _matrix(buckets: Sequence[Mapping[str, Any]]) -> ConfusionMatrix:
    return ConfusionMatrix.of(
        {
            (truth["key"], output["key"]): truth["doc_count"]
            for output in buckets
            for truth in output["truth"]["buckets"]
        }
    )


def _coverage(subject: Subject, found: Mapping[str, Any], n: int) -> Figure:
    share = (found.get("coverage") or {}).get("value") or 0.0
    known = wilson(share * n, n)
    return _figure(subject, "label_coverage", known, "ok" if n else "no_data", Segment())


def _overall(subject: Subject, matrix: ConfusionMatrix) -> Iterator[tuple[str, Estimate]]:
    positive = subject.contract.positive
    yield "accuracy", accuracy(matrix)
    if positive is not None:
        yield "precision", precision(matrix, positive)
        yield "recall", recall(matrix, positive)
        yield "f1", f1(matrix, positive)
        return
    yield "precision", macro_precision(matrix)
    yield "recall", macro_recall(matrix)
    yield "f1", macro_f1(matrix)


def _classes(subject: Subject, matrix: ConfusionMatrix, reason: str) -> Iterator[Figure]:
    for label, figures in per_class(matrix).items():
        segment = Segment("class", label)
        for name in ("precision", "recall", "f1"):
            estimate: Estimate = getattr(figures, name)
            yield _judged(subject, name, estimate, reason, segment)


def _why_not(matrix: ConfusionMatrix, buckets: Sequence[Mapping[str, Any]]) -> str:
    """Why no figure may be published; empty when it may."""
    if matrix.n < MINIMUM_N:
        return f"{matrix.n} labels; {MINIMUM_N} needed"
    shares = {b["key"]: b["coverage"]["value"] for b in buckets if b["doc_count"] >= MINIMUM_N}
    if shares and min(shares.values()) < COVERAGE_GAP * max(shares.values()):
        poor = min(shares, key=lambda k: shares[k])
        return f"labels come for {shares[poor]:.0%} of the predictions {poor!r} only: biased"
    return ""


def _judged(
    subject: Subject, name: str, estimate: Estimate, reason: str, segment: Segment | None = None
) -> Figure:
    segment = segment or Segment()
    if not estimate.n:
        return _figure(subject, name, UNKNOWN, "no_data", segment)
    if reason:
        hidden = Estimate(None, None, None, estimate.n)
        return _figure(subject, name, hidden, "insufficient", segment, reason)
    status, threshold = _limit(subject, name, estimate, segment)
    return _figure(subject, name, estimate, status, segment, "", threshold)


def _limit(
    subject: Subject, name: str, estimate: Estimate, segment: Segment
) -> tuple[Status, float | None]:
    """Below the contract's minimum is a warning; wholly below, interval and all, is critical."""
    bound = subject.contract.performance.get(name)
    if bound is None or bound.min is None or segment.kind != "all":
        return "ok", None
    if estimate.value is None or estimate.value >= bound.min:
        return "ok", bound.min
    surely = estimate.high is not None and estimate.high < bound.min
    return ("critical" if surely else "warning"), bound.min


def _figure(  # noqa: PLR0917 - one row of a table
    subject: Subject,
    name: str,
    estimate: Estimate,
    status: Status,
    segment: Segment,
    reason: str = "",
    threshold: float | None = None,
) -> Figure:
    return subject.figure(
        name, estimate.value, estimate.n, status, segment=segment, low=estimate.low,
        high=estimate.high, reason=reason, threshold=threshold,
    )  # fmt: skip


PERFORMANCE = Job("performance", "tile", (DAY,), plan, read)
