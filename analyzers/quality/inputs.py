"""Shares of predictions whose input was missing, out of range, unseen or mistyped, per feature.

The collector lists the names on each event, so one terms aggregation counts all features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzers.indices import predictions
from analyzers.intervals import Estimate, wilson
from analyzers.job import Answer, Job, Subject, judge, live
from analyzers.results import Figure, Segment
from analyzers.store import Search
from analyzers.windows import DAY

__all__ = ["CHECKS", "QUALITY"]

CHECKS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("missing_rate", "inference.missing", "missing", ("numeric", "categorical", "text")),
    ("out_of_range_rate", "inference.out_of_range", "out_of_range", ("numeric",)),
    ("unseen_rate", "inference.unseen", "unseen", ("categorical",)),
    ("mistyped_rate", "inference.mistyped", "mistyped", ("numeric", "categorical", "text")),
)
"""Metric, field that lists the features, limit in the contract, types that it is about."""

MINIMUM_N = 20


def plan(subject: Subject) -> Sequence[Search]:
    """One search for all checks and the business rules."""
    fields = {name: field for name, field, _, _ in CHECKS}
    fields["violation_rate"] = "inference.violations"
    body = {
        "size": 0,
        "track_total_hits": True,
        "query": live(subject.contract, subject.window),
        "aggs": {k: {"terms": {"field": f, "size": 1000}} for k, f in fields.items()},
    }
    return [Search(predictions(subject.contract.model, subject.window), body)]


def read(subject: Subject, answers: Sequence[Answer]) -> Iterator[Figure]:
    """A figure for each check and feature, and one for each rule."""
    (answer,) = answers
    n, contract = answer["hits"]["total"]["value"], subject.contract
    for name, _, limit, types in CHECKS:
        found = _counts(answer, name)
        for feature, declared in contract.features.items():
            if declared.type in types and _checked(name, declared):
                above = getattr(contract.quality, limit)
                segment = Segment("feature", feature)
                share = wilson(found.get(feature, 0), n)
                yield _figure(subject, name, segment, share, above)
    found = _counts(answer, "violation_rate")
    for rule in contract.rules:
        above = contract.quality.violations
        share = wilson(found.get(rule, 0), n)
        yield _figure(subject, "violation_rate", Segment("rule", rule), share, above)


def _checked(name: str, feature: object) -> bool:
    """Without a declared range or declared values there is nothing to be outside of."""
    needs = {"out_of_range_rate": "range", "unseen_rate": "values"}.get(name)
    return needs is None or getattr(feature, needs) is not None


def _counts(answer: Answer, name: str) -> dict[str, int]:
    buckets = answer.get("aggregations", {}).get(name, {}).get("buckets", [])
    return {b["key"]: b["doc_count"] for b in buckets}


def _figure(subject: Subject, name: str, segment: Segment, share: Estimate, above: float) -> Figure:
    status = judge(share.value, share.n, above=above, minimum_n=MINIMUM_N, breach="warning")
    return subject.figure(
        name, share.value, share.n, status, segment=segment, low=share.low, high=share.high,
        threshold=above,
    )  # fmt: skip


QUALITY = Job("quality", "tile", (DAY,), plan, read)
