"""The overview: health of every model, open incidents, traffic and errors of the last day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from analyzers.board import queries
from analyzers.board.charts import sparkline
from analyzers.board.figures import Figures, Point
from analyzers.board.incidents import hits, read_incidents
from analyzers.board.visit import Visit
from analyzers.windows import DAY, HOUR, Window, floor, parse

__all__ = ["DAYS", "STALE", "Health", "healths", "page", "rate"]

DAYS = 14
STALE = timedelta(hours=36)  # a day is judged after its end; one missed day is a silence
_RANK = {"critical": 0, "warning": 1, "no_data": 2, "ok": 3}
_SHOWN = ("requests", "error_rate", "latency_p95")


@dataclass(frozen=True)
class Day:
    """One cell of the strip."""

    at: datetime
    status: str
    why: str


@dataclass(frozen=True)
class Health:
    """State of one model: now, why, and day by day (oldest first)."""

    status: str
    reasons: Sequence[str]
    days: Sequence[Day]


@dataclass(frozen=True)
class Row:
    """One line of the health table."""

    model: str
    health: Health
    requests: float | None
    errors: float | None
    latency: float | None
    traffic_line: Markup
    error_line: Markup
    latency_line: Markup


def page(request: Request) -> Response:
    """Show all models."""
    visit = Visit.of(request)
    models, now = visit.site.models, visit.now
    last_day = Window(floor(now, HOUR) - DAY, floor(now, HOUR) + HOUR)
    searches = [
        queries.health(models, floor(now, DAY) - DAYS * DAY),
        queries.open_incidents(models),
        queries.figures(models, _SHOWN, last_day, ["1h"]),
    ]
    states, opened, tiles = visit.site.store.searches(searches)
    figures, known = Figures(hits(tiles)), healths(visit, hits(states))
    rows = [_row(visit, model, known[model], figures, last_day) for model in models]
    rows.sort(key=lambda row: _RANK.get(row.health.status, 2))
    incidents = read_incidents(opened, now)
    return visit.page("overview.html", rows=rows, incidents=incidents, days=DAYS)


def healths(visit: Visit, sources: Sequence[Mapping[str, Any]]) -> dict[str, Health]:
    """Health of every model from its documents, newest first."""
    found: dict[str, dict[datetime, Mapping[str, Any]]] = {m: {} for m in visit.site.models}
    for source in sources:
        days = found.setdefault(source["model"]["name"], {})
        days.setdefault(floor(parse(source["window"]["start"]), DAY), source["health"])
    return {model: _health(visit, days) for model, days in found.items()}


def _health(visit: Visit, days: Mapping[datetime, Mapping[str, Any]]) -> Health:
    today = floor(visit.now, DAY)
    cells = [_day(visit, today - i * DAY, days) for i in range(DAYS, -1, -1)]
    cells = cells[1:] if today in days else cells[:-1]
    if not days:
        return Health("no_data", [visit.say("no_health")], cells)
    newest = max(days)
    if visit.now - (newest + DAY) > STALE:
        return Health("no_data", [visit.say("stale_health", day=visit.form.day(newest))], cells)
    return Health(str(days[newest].get("status", "no_data")), _reasons(days[newest]), cells)


def _day(visit: Visit, at: datetime, days: Mapping[datetime, Mapping[str, Any]]) -> Day:
    health = days.get(at, {})
    status = str(health.get("status", "no_data"))
    why = "; ".join(_reasons(health)) or visit.say("all_well" if status == "ok" else "no_data")
    return Day(at, status, why)


def _reasons(health: Mapping[str, Any]) -> list[str]:
    reasons = health.get("reasons") or []
    return [reasons] if isinstance(reasons, str) else [str(r) for r in reasons]


def _row(visit: Visit, model: str, health: Health, figures: Figures, day: Window) -> Row:
    requests, errors, latency = (figures.of(model, name) for name in _SHOWN)
    form, words = visit.form, visit.say
    total = sum(p.value for p in requests if p.value is not None) if requests else None
    known = [p.value for p in latency if p.value is not None]
    return Row(
        model=model,
        health=health,
        requests=total,
        errors=rate(errors),
        latency=known[-1] if known else None,
        traffic_line=_line(requests, day, f"{words('traffic_day')}: {form.number(total)}"),
        error_line=_line(errors, day, f"{words('errors_day')}: {form.percent(rate(errors))}", 0.05),
        latency_line=_line(latency, day, words("latency_now")),
    )


def _line(points: Sequence[Point], day: Window, label: str, top: float | None = None) -> Markup:
    values = {p.at: p.value for p in points}
    hours = [day.start + i * HOUR for i in range(24)]
    return sparkline([values.get(at) for at in hours], label, top=top)


def rate(points: Sequence[Point]) -> float | None:
    """A rate over several tiles: each counts as many times as it has events."""
    known = [(p.value, p.n) for p in points if p.value is not None]
    n = sum(n for _, n in known)
    return sum(value * n for value, n in known) / n if n else None
