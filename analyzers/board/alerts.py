"""The alerts page: open and past incidents, last changes of state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from analyzers.board import queries
from analyzers.board.figures import number
from analyzers.board.incidents import hits, read_incidents
from analyzers.board.visit import Visit
from analyzers.windows import parse

__all__ = ["page"]


@dataclass(frozen=True)
class Transition:
    """A change of state of one rule."""

    at: datetime
    rule: str
    model: str
    previous: str
    state: str
    value: float | None
    message: str


def page(request: Request) -> Response:
    """Show incidents and transitions of all models."""
    visit = Visit.of(request)
    models = visit.site.models
    searches = [
        queries.open_incidents(models),
        queries.incidents(models),
        queries.transitions(models),
    ]
    opened, every, moved = visit.site.store.searches(searches)
    past = [i for i in read_incidents(every, visit.now) if i.resolved]
    return visit.page(
        "alerts.html",
        opened=read_incidents(opened, visit.now),
        past=past,
        transitions=[_transition(source) for source in hits(moved)],
    )


def _transition(source: Mapping[str, Any]) -> Transition:
    alert = source.get("alert", {})
    return Transition(
        at=parse(source["@timestamp"]),
        rule=str(source.get("rule", {}).get("name", "")),
        model=str(source.get("model", {}).get("name", "")),
        previous=str(alert.get("previous", "")),
        state=str(alert.get("state", "")),
        value=number(alert.get("value")),
        message=str(alert.get("message", "")),
    )
