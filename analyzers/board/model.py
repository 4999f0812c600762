"""The page of one model: what it did over a period, against its contract."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from analyzers.board import queries
from analyzers.board.features import drift_rows, quality_rows, rule_rows
from analyzers.board.figures import Figures
from analyzers.board.incidents import hits, read_incidents
from analyzers.board.keys import key_figures
from analyzers.board.operations import errors, latency, traffic
from analyzers.board.outcomes import coverage, performance
from analyzers.board.overview import DAYS, healths
from analyzers.board.scene import Scene
from analyzers.board.spans import RANGES, Span, read_span
from analyzers.board.visit import Visit
from analyzers.store import Search
from analyzers.windows import DAY, Window, floor
from collectors.contract import Contract

__all__ = ["page"]


def page(request: Request) -> Response:
    """Show one model."""
    visit = Visit.of(request)
    contract = _contract(visit, request.path_params["model"])
    span = read_span(request.query_params, visit.now)
    health, main, days, incidents = visit.site.store.searches(_searches(visit, contract, span))
    scene = Scene(
        visit, contract, span,
        Figures(hits(main)), Figures(hits(days)), read_incidents(incidents, visit.now),
    )  # fmt: skip
    return visit.page(
        "model.html",
        contract=contract,
        span=span,
        ranges=list(RANGES),
        health=healths(visit, hits(health))[contract.model],
        keys=key_figures(scene),
        panels=[latency(scene), traffic(scene), errors(scene), performance(scene)],
        coverage=coverage(scene),
        drift=drift_rows(scene),
        quality=quality_rows(scene),
        rules=rule_rows(scene),
        incidents=scene.incidents,
        psi_limit=contract.drift.psi,
    )


def _contract(visit: Visit, model: str) -> Contract:
    contract = visit.site.contracts.get(model)
    if contract is None:
        known = ", ".join(visit.site.models) or visit.form.number(0)
        raise HTTPException(404, visit.say("unknown_model", model=model, known=known))
    return contract


def _searches(visit: Visit, contract: Contract, span: Span) -> list[Search]:
    models = [contract.model]
    size = Window(floor(span.start, span.tile), floor(span.start, span.tile) + span.tile).size
    daily = span.daily().window()
    metrics = (
        *queries.PERFORMANCE,
        *queries.DRIFT,
        *queries.QUALITY,
        "drifted_features",
        "psi_mean",
    )
    kinds = ("all", "feature", "output", "rule")
    return [
        queries.health(models, floor(visit.now, DAY) - DAYS * DAY),
        queries.figures(models, queries.OPERATIONS, span.window(), [size]),
        queries.figures(models, metrics, daily, ["1d"], kinds),
        queries.incidents(models, span),
    ]
