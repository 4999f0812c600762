"""Late data: closed hours whose events are not as many as when their figures were published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from analyzers.indices import predictions
from analyzers.job import live
from analyzers.store import Search, Store
from analyzers.windows import HOUR, Window, floor, parse
from collectors.contract import Contract

__all__ = ["REOPEN", "hours"]

REOPEN = timedelta(days=7)
"""How far back tiles are re-opened."""


def hours(store: Store, contract: Contract, now: datetime) -> list[Window]:
    """Hours of the last days whose count differs from the published one, oldest first."""
    end = floor(now, HOUR)
    period = Window(end - REOPEN, end)
    events, figures = store.searches([_events(contract, period), _published(contract, period)])
    there = _counts(events)
    hits = (h["_source"] for h in figures["hits"]["hits"])
    then = {parse(h["window"]["start"]): h["n"] for h in hits}
    return [Window(h, h + HOUR) for h, n in sorted(then.items()) if there.get(h, 0) != n]


def _events(contract: Contract, period: Window) -> Search:
    histogram = {"field": "@timestamp", "fixed_interval": "1h", "min_doc_count": 1}
    aggs = {"hours": {"date_histogram": histogram}}
    body = {"size": 0, "query": live(contract, period), "aggs": aggs}
    return Search(predictions(contract.model, period), body)


def _published(contract: Contract, period: Window) -> Search:
    terms = {
        "model.name": contract.model,
        "metric.name": "requests",
        "window.size": "1h",
        "contract.version": contract.version,
    }
    filters = [*({"term": {k: v}} for k, v in terms.items()), period.query("window.start")]
    query = {"bool": {"filter": filters}}
    return Search(
        "vigie-results-*", {"size": 1000, "query": query, "_source": ["n", "window.start"]}
    )


def _counts(answer: Mapping[str, Any]) -> dict[datetime, int]:
    buckets = answer.get("aggregations", {}).get("hours", {}).get("buckets", [])
    return {parse(b["key_as_string"]): b["doc_count"] for b in buckets}
