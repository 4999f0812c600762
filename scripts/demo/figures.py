"""What the product found out, read from its own documents: drift, performance, incidents, mails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from email.message import EmailMessage
from typing import Any

from analyzers.store import Store, flatten
from analyzers.windows import DAY, parse
from scripts.demo.timeline import Timeline

__all__ = ["alerts", "drift", "dropped", "mail_rows", "performance"]

Json = dict[str, Any]
FLAGGED = ("warning", "critical")
TESTED = ("ok", *FLAGGED)


def rows(store: Store, index: str, terms: Mapping[str, Any], sort: str) -> list[Json]:
    """All documents that carry the terms, flat, in the order of a field."""
    filters = [{"terms" if isinstance(v, list) else "term": {k: v}} for k, v in terms.items()]
    body: Json = {"size": 5000, "query": {"bool": {"filter": filters}}, "sort": [{sort: "asc"}]}
    hits = store.search(index, body)["hits"]["hits"]
    return [flatten(hit["_source"]) for hit in hits]


def drift(store: Store, timeline: Timeline, model: str) -> Json:
    """Features that were shifted, and those that the daily tests flagged, by day."""
    terms = {
        "model.name": model, "metric.name": ["ks", "chi_square"], "segment.kind": "feature",
        "window.size": "1d", "status": list(TESTED),
    }  # fmt: skip
    tested = [
        row
        for row in rows(store, "vigie-results-*", terms, "window.end")
        if parse(row["window.start"]) >= timeline.reference.end
    ]
    injected = _injected(timeline, model)
    flagged: dict[str, list[str]] = {row["window.start"][:10]: [] for row in tested}
    for row in tested:
        if row["status"] in FLAGGED:
            flagged[row["window.start"][:10]].append(row["segment.name"])
    undrifted = {day: names for day, names in flagged.items() if day not in injected}
    return {
        "injected": injected,
        "flagged": {day: sorted(names) for day, names in flagged.items() if names},
        "windows_undrifted": len(undrifted),
        "windows_undrifted_flagged": sum(bool(names) for names in undrifted.values()),
    }


def _injected(timeline: Timeline, model: str) -> dict[str, list[str]]:
    """The only plan that the summary repeats: what was shifted, and on which days."""
    return {
        f"{fault.window.start + day * DAY:%Y-%m-%d}": sorted(fault.features)
        for fault in timeline.faults
        if fault.kind == "drift" and fault.model == model
        for day in range(-(-fault.window.length // DAY))
    }


def performance(store: Store, model: str) -> Json:
    """F1 and label coverage over all labelled days, each day weighing what it holds."""
    terms = {"model.name": model, "segment.kind": "all", "window.size": "1d"}
    days = {
        name: rows(store, "vigie-results-*", {**terms, "metric.name": name}, "window.end")
        for name in ("f1", "label_coverage")
    }
    known = [row for row in days["f1"] if "metric.value" in row]
    covered = [row for row in days["label_coverage"] if row.get("metric.value")]
    by_day = {row["window.start"][:10]: round(row["metric.value"], 4) for row in known}
    return {"f1": _mean(known), "coverage": _mean(covered), "f1_by_day": by_day}


def _mean(found: Sequence[Json]) -> float | None:
    weight = float(sum(row["n"] for row in found))
    total = float(sum(row["metric.value"] * row["n"] for row in found))
    return round(total / weight, 4) if weight else None


def alerts(store: Store) -> list[Json]:
    """Incidents, oldest first."""
    found = rows(store, "vigie-incidents", {}, "incident.opened")
    return [
        {
            "rule": row["rule.name"],
            "model": row["model.name"],
            "fired_at": row["incident.opened"],
            "resolved_at": row.get("incident.resolved"),
        }
        for row in found
    ]


def mail_rows(store: Store, mails: Iterable[EmailMessage]) -> list[Json]:
    """Each caught mail with the rule, model and event that the outbox knows it by."""
    sent = {row["outbox.message_id"]: row for row in rows(store, "vigie-outbox", {}, "@timestamp")}
    return [_mail_row(mail, sent.get(str(mail["Message-ID"]).strip(), {})) for mail in mails]


def _mail_row(mail: EmailMessage, entry: Json) -> Json:
    return {
        "rule": entry.get("rule.name", "unknown"),
        "model": entry.get("model.name", "unknown"),
        "event": entry.get("outbox.event", "unknown"),
        "subject": str(mail["Subject"]),
    }


def dropped(store: Store) -> int:
    """Events that the services lost by their own count, as their heartbeats tell."""
    nodes = {
        "terms": {"field": "service.node.name", "size": 1000},
        "aggs": {"dropped": {"max": {"field": "heartbeat.dropped"}}},
    }
    body = {"size": 0, "query": {"term": {"event.action": "heartbeat"}}, "aggs": {"nodes": nodes}}
    found = store.search("vigie-service-*", body)["aggregations"]["nodes"]["buckets"]
    return int(sum(bucket["dropped"]["value"] for bucket in found))
