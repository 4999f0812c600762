"""Every search that the pages send: core queries and aggregations only, no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from analyzers.board.spans import Span
from analyzers.store import Search
from analyzers.windows import Window, iso

__all__ = [
    "DRIFT",
    "OPERATIONS",
    "PERFORMANCE",
    "QUALITY",
    "figures",
    "health",
    "incidents",
    "open_incidents",
    "transitions",
]

OPERATIONS = (
    "requests", "error_rate", "latency_p50", "latency_p95", "latency_p99",
)  # fmt: skip
PERFORMANCE = ("f1", "accuracy", "precision", "recall", "label_coverage")
DRIFT = ("psi", "ks", "chi_square")
QUALITY = ("missing_rate", "out_of_range_rate", "unseen_rate", "mistyped_rate", "violation_rate")
_STATES = ("pending", "firing", "resolved", "no_data", "error", "ok")
_LIMIT = 10_000  # what one search may return on both engines

Clause = dict[str, Any]


def figures(
    models: Sequence[str],
    metrics: Sequence[str],
    window: Window,
    sizes: Sequence[str],
    kinds: Sequence[str] = ("all",),
) -> Search:
    """Tiles of the metrics that start in the window, newest first."""
    clauses: list[Clause] = [
        {"terms": {"model.name": list(models)}},
        {"terms": {"metric.name": list(metrics)}},
        {"terms": {"segment.kind": list(kinds)}},
        {"terms": {"window.size": list(sizes)}},
        {"term": {"model.version": "all"}},
        window.query("window.start"),
    ]
    return _newest("vigie-results-*", clauses, "window.start", _LIMIT)


def health(models: Sequence[str], start: datetime) -> Search:
    """Health of the models, newest day first."""
    clauses: list[Clause] = [{"terms": {"model.name": list(models)}}, _since("window.start", start)]
    return _newest("vigie-health", clauses, "window.start", 2000)


def open_incidents(models: Sequence[str]) -> Search:
    """Incidents without an end, newest first."""
    clauses: list[Clause] = [{"terms": {"model.name": list(models)}}]
    return _newest("vigie-incidents", clauses, "incident.opened", 200, absent="incident.resolved")


def incidents(models: Sequence[str], span: Span | None = None) -> Search:
    """Incidents, newest first; with a span those that touch it."""
    clauses: list[Clause] = [{"terms": {"model.name": list(models)}}]
    if span:
        clauses.append({"range": {"incident.onset": {"lt": iso(span.end)}}})
        ended = _since("incident.resolved", span.start)
        unended = {"bool": {"must_not": [{"exists": {"field": "incident.resolved"}}]}}
        clauses.append({"bool": {"should": [ended, unended], "minimum_should_match": 1}})
    return _newest("vigie-incidents", clauses, "incident.opened", 200)


def transitions(models: Sequence[str], size: int = 50) -> Search:
    """Runs of watches that changed the state of a rule, newest first."""
    moved = [
        {
            "bool": {
                "filter": [
                    {"term": {"alert.state": state}},
                    {"exists": {"field": "alert.previous"}},
                ],
                "must_not": [{"term": {"alert.previous": state}}],
            }
        }
        for state in _STATES
    ]
    clauses: list[Clause] = [
        {"terms": {"model.name": list(models)}},
        {"bool": {"should": moved, "minimum_should_match": 1}},
    ]
    return _newest("vigie-alerts-*", clauses, "@timestamp", size)


def histogram(field: str, step: timedelta, span: Span) -> dict[str, Any]:
    """Bars of fixed width over the whole span, empty ones included."""
    return {
        "field": field,
        "fixed_interval": f"{int(step.total_seconds())}s",
        "min_doc_count": 0,
        "extended_bounds": {
            "min": int(span.start.timestamp() * 1000),
            "max": int(span.end.timestamp() * 1000) - 1,
        },
    }


def _since(field: str, start: datetime) -> Clause:
    return {"range": {field: {"gte": iso(start)}}}


def _newest(
    index: str, clauses: Sequence[Clause], by: str, size: int, *, absent: str = ""
) -> Search:
    query: Clause = {"filter": list(clauses)}
    if absent:
        query["must_not"] = [{"exists": {"field": absent}}]
    order = {by: {"order": "desc", "unmapped_type": "date"}}
    body = {"size": size, "query": {"bool": query}, "sort": [order], "track_total_hits": False}
    return Search(index, body)
