"""One row per model and day: OK, Warning, Critical or no data, with the reasons.

The row is the worst of the day's figures; it is written again whenever one of them is re-stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analyzers.metrics import metric
from analyzers.store import Search, Store
from analyzers.windows import Window, iso, parse
from collectors.contract import Contract

__all__ = ["INDEX", "assess", "plan", "write"]

INDEX = "vigie-health"
MAX_REASONS = 12
_RANK = {"critical": 0, "warning": 1}


def plan(contract: Contract, day: Window) -> list[Search]:
    """What is asked: the day's breached figures, worst first, and how many there are in all."""
    filters: list[dict[str, Any]] = [
        {"term": {"model.name": contract.model}},
        {"terms": {"window.size": ["1h", "1d"]}},
        {"range": {"window.start": {"gte": iso(day.start)}}},
        {"range": {"window.end": {"lte": iso(day.end)}}},
        {"bool": {"must_not": [{"term": {"metric.name": "psi_mean_1h"}}]}},
    ]
    body = {
        "size": 500,
        "track_total_hits": True,
        "query": {"bool": {"filter": [*filters, {"terms": {"status": list(_RANK)}}]}},
        "sort": [{"status": "asc"}, {"window.end": "asc"}, {"metric.name": "asc"}],
    }
    everything = {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": filters}},
        "aggs": {
            "requests": {
                "filter": {
                    "bool": {
                        "filter": [
                            {"term": {"metric.name": "requests"}},
                            {"term": {"window.size": "1h"}},
                        ]
                    }
                },
                "aggs": {"sum": {"sum": {"field": "metric.value"}}},
            }
        },
    }
    return [Search("vigie-results-*", body), Search("vigie-results-*", everything)]


def assess(contract: Contract, day: Window, answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The health document of a day."""
    breached = [h["_source"] for h in answers[0]["hits"]["hits"]]
    figures = answers[1]["hits"]["total"]["value"]
    requests = answers[1].get("aggregations", {}).get("requests", {}).get("sum", {}).get("value", 0)
    status = min((b["status"] for b in breached), key=lambda s: _RANK[s], default="ok")
    known = bool(figures and requests)
    reasons = _reasons(breached) if known else ["no predictions on this day"]
    return {
        "@timestamp": iso(day.end),
        "model": {"name": contract.model},
        "contract": {"version": contract.version},
        "health": {
            "status": status if known else "no_data",
            "reasons": reasons,
            "n": int(requests or 0),
            "figures": figures,
        },
        "window": {"start": iso(day.start), "end": iso(day.end)},
    }


def write(store: Store, contract: Contract, days: Sequence[Window]) -> int:
    """Assess and write those days."""
    plans = [s for day in days for s in plan(contract, day)]
    answers = store.searches(plans)
    pairs = list(zip(answers[::2], answers[1::2], strict=True))
    return store.bulk(
        (
            {"index": {"_index": INDEX, "_id": f"{contract.model}:{day.start:%Y-%m-%d}"}},
            assess(contract, day, pair),
        )
        for day, pair in zip(days, pairs, strict=True)
    )


def _reasons(breached: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each metric and segment, its worst value, critical ones first."""
    worst: dict[tuple[str, str], Mapping[str, Any]] = {}
    for figure in breached:
        key = (figure["metric"]["name"], figure["segment"]["name"])
        if key not in worst or _severity(figure) < _severity(worst[key]):
            worst[key] = figure
    ordered = sorted(worst.values(), key=_severity)
    lines = list(dict.fromkeys(_line(f) for f in ordered))
    more = len(lines) - MAX_REASONS
    return lines if more <= 0 else [*lines[:MAX_REASONS], f"and {more} more"]


def _severity(figure: Mapping[str, Any]) -> tuple[int, float]:
    value, limit = figure["metric"].get("value"), figure.get("threshold")
    distance = abs(value / limit - 1) if value is not None and limit else 0.0
    return _RANK[figure["status"]], -distance


def _line(figure: Mapping[str, Any]) -> str:
    name, segment = figure["metric"]["name"], figure["segment"]
    where = "" if segment["kind"] == "all" else f" of {segment['name']}"
    text = f"{metric(name).english}{where}: {_amount(figure['metric'])}"
    if figure.get("threshold") is not None:
        text += f", limit {_amount({**figure['metric'], 'value': figure['threshold']})}"
    if figure.get("reason"):
        text += f" ({figure['reason']})"
    if figure["window"]["size"] == "1h":
        text += f" at {parse(figure['window']['start']):%H:%M}"
    return text


def _amount(found: Mapping[str, Any]) -> str:
    value, unit = found.get("value"), found["unit"]
    if value is None:
        return "unknown"
    if unit == "ratio":
        return f"{value:.1%}"
    return f"{value:,.0f} ms" if unit == "ms" else f"{value:.3g}"
