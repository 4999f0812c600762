"""Traffic, errors, latency and availability per hour and day.

Silence is not success: availability is the share of good answers times the share of the window in
which some instance of the service said, by heartbeat, that it was alive. Without any heartbeat
in the window it is the share of good answers alone where there was traffic, and unknown where
there was none.

One failure among fifty is no outage: an error rate is critical, and availability breached, only
where the whole 95 % interval lies beyond the limit; a day's error rate above it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from analyzers import indices
from analyzers.intervals import wilson
from analyzers.job import Answer, Job, Subject, judge, live
from analyzers.operations.aggregations import ERRORS, LATENCY, error_rate, latency_ms
from analyzers.results import Figure, Status
from analyzers.store import Search
from analyzers.windows import DAY, HOUR

__all__ = ["OPERATIONS"]

MINIMUM_N = {50: 1, 95: 20, 99: 100}
"""Predictions that a percentile needs to be judged."""


def plan(subject: Subject) -> Sequence[Search]:
    """One search of the predictions, one of the heartbeats."""
    model, window = subject.contract.model, subject.window
    predictions = {
        "size": 0,
        "track_total_hits": True,
        "query": live(subject.contract, window),
        "aggs": {"errors": ERRORS, "latency": LATENCY},
    }
    beats = [
        {"term": {"event.action": "heartbeat"}},
        {"term": {"model.name": model}},
        window.query(),
    ]
    alive = {"alive": {"sum": {"field": "heartbeat.interval_s"}}}
    instances = {"terms": {"field": "service.node.name", "size": 500}, "aggs": alive}
    heartbeats = {"size": 0, "query": {"bool": {"filter": beats}}, "aggs": {"nodes": instances}}
    return [
        Search(indices.predictions(model, window), predictions),
        Search(indices.service(window), heartbeats),
    ]


def read(subject: Subject, answers: Sequence[Answer]) -> Iterator[Figure]:
    """Figures of one window."""
    predictions, heartbeats = answers
    n = predictions["hits"]["total"]["value"]
    yield subject.figure("requests", n, n, "ok")
    yield subject.figure("throughput", n / subject.window.length.total_seconds(), n, "ok")
    rate = error_rate(predictions) if n else None
    yield from _errors(subject, rate, n)
    yield from _latency(subject, predictions, n)
    yield from _availability(subject, heartbeats, rate, n)


def _errors(subject: Subject, rate: float | None, n: int) -> Iterator[Figure]:
    limit = subject.contract.slo.error_rate
    interval = wilson(round((rate or 0.0) * n), n)
    surely = interval.low is not None and interval.low > limit
    breach: Status = "critical" if surely else "warning"
    judged = rate if surely or subject.window.length >= DAY else interval.low
    yield subject.figure(
        "error_rate", rate, n, judge(judged, n, above=limit, minimum_n=20, breach=breach),
        low=interval.low, high=interval.high, threshold=limit,
    )  # fmt: skip


def _latency(subject: Subject, answer: Answer, n: int) -> Iterator[Figure]:
    slo = subject.contract.slo
    limits = {50: None, 95: slo.latency_p95_ms, 99: slo.latency_p99_ms}
    values: dict[int, float | None] = latency_ms(answer) if n else {}
    for percent, limit in limits.items():
        value, least = values.get(percent), MINIMUM_N[percent]
        status = judge(value, n, above=limit, minimum_n=least, breach="warning")
        yield subject.figure(f"latency_p{percent}", value, n, status, threshold=limit)


def _availability(subject: Subject, answer: Answer, rate: float | None, n: int) -> Iterator[Figure]:
    beats = answer.get("aggregations", {}).get("nodes", {}).get("buckets", [])
    uptime = _uptime(beats, subject.window.length.total_seconds())
    yield subject.figure("uptime", uptime, len(beats), "no_data" if uptime is None else "ok")
    good = wilson(n - round((rate or 0.0) * n), n)
    value, low, high = (_product(x, uptime) for x in (good.value, good.low, good.high))
    limit, known = subject.contract.slo.availability / 100, n or len(beats)
    yield subject.figure(
        "availability", value, known, judge(high, known, below=limit), low=low, high=high,
        threshold=limit,
    )  # fmt: skip


def _uptime(instances: Sequence[dict[str, Any]], length_s: float) -> float | None:
    """Share of the window that the most talkative instance vouches for."""
    if not instances:
        return None
    return min(1.0, max(float(b["alive"]["value"]) for b in instances) / length_s)


def _product(good: float | None, uptime: float | None) -> float | None:
    if uptime is None:
        return good
    return uptime if good is None else good * uptime


OPERATIONS = Job("operations", "tile", (HOUR, DAY), plan, read)
