"""Panels of the service itself: latency, traffic, errors."""

from __future__ import annotations

from analyzers.board.charts import Limit
from analyzers.board.panels import Panel, Series, empty, panel
from analyzers.board.scene import Scene

__all__ = ["errors", "latency", "traffic"]


def latency(scene: Scene) -> Panel:
    """p50, p95 and p99 with the limits of the contract."""
    say, form, slo = scene.visit.say, scene.visit.form, scene.contract.slo
    names = ("latency_p50", "latency_p95", "latency_p99")
    points = [scene.figures.of(scene.model, name) for name in names]
    if not any(p.value is not None for series in points for p in series):
        return empty(say("latency"), say("no_latency"))
    worst = max((p.value for p in points[2] if p.value is not None), default=0.0)
    limits = [_limit(scene, "p95", slo.latency_p95_ms)]
    if worst > slo.latency_p99_ms / 2:  # else its line would flatten the rest of the chart
        limits.append(_limit(scene, "p99", slo.latency_p99_ms))
    series = [Series(css, css, p) for css, p in zip(("p50", "p95", "p99"), points, strict=True)]
    detail = ", ".join(
        f"{name} {say('limit', value=form.milliseconds(value))}"
        for name, value in (("p95", slo.latency_p95_ms), ("p99", slo.latency_p99_ms))
    )
    return panel(
        scene.visit, say("latency"), series[::-1], scene.span, scene.span.tile,
        unit="ms", limits=limits, bands=scene.bands, detail=detail,
    )  # fmt: skip


def traffic(scene: Scene) -> Panel:
    """Predictions per tile."""
    say = scene.visit.say
    points = scene.figures.of(scene.model, "requests")
    if not points:
        return empty(say("traffic"), say("no_traffic"))
    series = Series("volume", say("predictions"), points, "bar")
    return panel(
        scene.visit, say("traffic"), [series], scene.span, scene.span.tile,
        unit="count", bands=scene.bands, detail=say("predictions"),
    )  # fmt: skip


def errors(scene: Scene) -> Panel:
    """Error rate with the limit of the contract."""
    say, limit = scene.visit.say, scene.contract.slo.error_rate
    points = scene.figures.of(scene.model, "error_rate")
    known = [p.value for p in points if p.value is not None]
    if not known:
        return empty(say("errors"), say("no_traffic"))
    series = Series("error", say("error_rate"), points, "bar")
    text = say("limit", value=scene.visit.form.percent(limit))
    return panel(
        scene.visit, say("errors"), [series], scene.span, scene.span.tile,
        unit="ratio", limits=[Limit(limit, text)], bands=scene.bands, detail=say("error_rate"),
        extent=(0.0, min(1.0, 1.15 * max(*known, limit * 1.6))),
    )  # fmt: skip


def _limit(scene: Scene, name: str, value: float) -> Limit:
    text = scene.visit.say("limit", value=scene.visit.form.milliseconds(value))
    return Limit(value, f"{name} {text}")
