"""Sliding looks for rules: error rate and p99 latency of the last five minutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from analyzers.indices import predictions
from analyzers.job import Answer, Job, Subject, judge, live
from analyzers.operations.aggregations import ERRORS, LATENCY, error_rate, latency_ms
from analyzers.results import Figure
from analyzers.store import Search

__all__ = ["LOOKS", "MINIMUM_ERRORS_N", "MINIMUM_LATENCY_N"]

MINIMUM_ERRORS_N = 20
MINIMUM_LATENCY_N = 100


def plan(subject: Subject) -> Sequence[Search]:
    """One search: errors and latency of the window."""
    body = {
        "size": 0,
        "track_total_hits": True,
        "query": live(subject.contract, subject.window),
        "aggs": {"errors": ERRORS, "latency": LATENCY},
    }
    return [Search(predictions(subject.contract.model, subject.window), body)]


def read(subject: Subject, answers: Sequence[Answer]) -> Iterator[Figure]:
    """Two figures, each with the limit from the contract."""
    (answer,) = answers
    n, slo = answer["hits"]["total"]["value"], subject.contract.slo
    rate, p99 = (error_rate(answer), latency_ms(answer)[99]) if n else (None, None)
    yield subject.figure(
        "error_rate_5m", rate, n, threshold=slo.error_rate,
        status=judge(rate, n, above=slo.error_rate, minimum_n=MINIMUM_ERRORS_N),
    )  # fmt: skip
    yield subject.figure(
        "latency_p99_5m", p99, n, threshold=slo.latency_p99_ms,
        status=judge(
            p99, n, above=slo.latency_p99_ms, minimum_n=MINIMUM_LATENCY_N, breach="warning"
        ),
    )  # fmt: skip


LOOKS = Job("looks", "look", (timedelta(minutes=5),), plan, read)
