"""The log search: query, model, kind and range; histogram, rows and whole documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from analyzers.board.charts import FULL, NARROW, Drawing, Layer, draw
from analyzers.board.format import visible
from analyzers.board.searching import (
    KINDS,
    LONGEST,
    PAGE,
    REACH,
    TIMEOUT_S,
    LineSearch,
    QueryFault,
    find,
)
from analyzers.board.spans import RANGES, Span, read_span
from analyzers.board.visit import Visit
from analyzers.store import flatten
from analyzers.windows import parse

__all__ = ["Line", "line", "page"]


@dataclass(frozen=True)
class Line:
    """One row: key fields, and the document as text."""

    at: datetime | None
    action: str
    model: str
    outcome: str
    what: str
    duration_ms: float | None
    id: str
    document: str


def page(request: Request) -> Response:
    """Search, and show what was found or why nothing could be."""
    visit = Visit.of(request)
    asked = _asked(visit)
    answer = find(visit.site.store, asked)
    fault = answer.why if isinstance(answer, QueryFault) else ""
    found: Mapping[str, Any] = {} if isinstance(answer, QueryFault) else answer
    total = int(found["hits"]["total"]["value"]) if found else 0
    lines = [line(hit["_source"]) for hit in found["hits"]["hits"]] if found else []
    return visit.page(
        "logs.html",
        status=400 if fault else 200,
        asked=asked,
        fault=visit.say(fault, n=LONGEST) if fault else "",
        kinds=KINDS,
        ranges=list(RANGES),
        total=total,
        lines=lines,
        drawing=_drawing(visit, asked.span, found) if total else None,
        cut=TIMEOUT_S if found.get("timed_out") else 0,
        pages=max(1, -(-min(total, REACH) // PAGE)),
        reach=REACH if total > REACH else 0,
    )


def _asked(visit: Visit) -> LineSearch:
    query = visit.request.query_params
    model, kind = query.get("model", ""), query.get("kind", "all")
    number = query.get("page", "1")
    last = REACH // PAGE
    return LineSearch(
        text=query.get("q", "").strip(),
        model=model if model in visit.site.contracts else "",
        kind=kind if kind in KINDS else "all",
        span=read_span(query, visit.now, default="24h"),
        page=min(last, max(1, int(number))) if number.isdecimal() and len(number) < 6 else 1,
    )


def _drawing(visit: Visit, span: Span, found: Mapping[str, Any]) -> Drawing:
    failed, others = [], []
    for bar in found["aggregations"]["over_time"]["buckets"]:
        at = datetime.fromtimestamp(bar["key"] / 1000, UTC)
        bad, every = float(bar["failed"]["doc_count"]), float(bar["doc_count"])
        failed.append((at, bad, 0.0, bad))
        others.append((at, every, bad, every))
    label = visit.say("over_time", step=visit.form.span(span.step))
    layers = [Layer("volume", "bar", others), Layer("error", "bar", failed)]
    return draw(
        layers, span, unit="count", lang=visit.lang, label=label, sizes=(FULL, NARROW), height=120
    )


def line(source: Mapping[str, Any]) -> Line:
    """A row from a document, whatever it holds."""
    flat = flatten(source)
    duration = flat.get("event.duration")
    return Line(
        at=_time(flat.get("@timestamp")),
        action=_text(flat, "event.action", "log.level"),
        model=_text(flat, "model.name", "service.name"),
        outcome=_outcome(flat),
        what=_what(flat),
        duration_ms=duration / 1e6 if isinstance(duration, int | float) else None,
        id=_text(flat, "event.id"),
        document=_document(source),
    )


def _outcome(flat: Mapping[str, Any]) -> str:
    outcome = _text(flat, "event.outcome")
    bad = _text(flat, "log.level").lower() in ("error", "critical", "fatal")
    return outcome or ("failure" if bad else "")


def _what(flat: Mapping[str, Any]) -> str:
    """The gist of a line: message, error, answer or label."""
    message = _text(flat, "message")
    if message:
        return message[:300]
    error = ": ".join(filter(None, (_text(flat, "error.type"), _text(flat, "error.message"))))
    names = ("inference.output.label", "feedback.label", "inference.output.value", "feedback.value")
    answer = _text(flat, *names)
    score = flat.get("inference.output.score")
    if answer and isinstance(score, int | float):
        answer = f"{answer} ({score:.3g})"
    source = _text(flat, "feedback.source")
    return ", ".join(filter(None, (answer, source, error)))[:300]


def _text(flat: Mapping[str, Any], *names: str) -> str:
    return next((str(flat[n]) for n in names if flat.get(n) is not None), "")


def _time(text: Any) -> datetime | None:
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _document(source: Mapping[str, Any]) -> str:
    return visible(json.dumps(source, ensure_ascii=False, indent=2, sort_keys=True, default=str))
