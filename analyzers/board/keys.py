"""The key figures of one model over the period."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.board.features import drift_rows
from analyzers.board.overview import rate
from analyzers.board.scene import Scene

__all__ = ["Key", "key_figures"]


@dataclass(frozen=True)
class Key:
    """One key figure; `state` is the figure's verdict against its limit."""

    title: str
    value: str
    detail: str = ""
    state: str = ""


def key_figures(scene: Scene) -> list[Key]:
    """The figures on top of the page, each with its verdict."""
    return [_requests(scene), _errors(scene), _latency(scene), _measure(scene), _drifted(scene)]


def _requests(scene: Scene) -> Key:
    form, say = scene.visit.form, scene.visit.say
    points = scene.figures.of(scene.model, "requests")
    total = sum(p.value for p in points if p.value is not None) if points else None
    return Key(say("predictions"), form.number(total))


def _errors(scene: Scene) -> Key:
    form, say = scene.visit.form, scene.visit.say
    limit = scene.contract.slo.error_rate
    value = rate(scene.figures.of(scene.model, "error_rate"))
    state = "" if value is None else "critical" if value > limit else "ok"
    return Key(
        say("error_rate"), form.percent(value), say("limit", value=form.percent(limit)), state
    )


def _latency(scene: Scene) -> Key:
    form, say = scene.visit.form, scene.visit.say
    limit = scene.contract.slo.latency_p95_ms
    points = [p.value for p in scene.figures.of(scene.model, "latency_p95") if p.value is not None]
    value = points[-1] if points else None
    state = "" if value is None else "critical" if value > limit else "ok"
    title = scene.title("latency_p95")
    return Key(title, form.milliseconds(value), say("limit", value=form.milliseconds(limit)), state)


def _measure(scene: Scene) -> Key:
    form, say = scene.visit.form, scene.visit.say
    name = next(iter(scene.contract.performance), "f1")
    bound = scene.contract.performance.get(name)
    points = [p for p in scene.daily.of(scene.model, name) if p.value is not None]
    value = points[-1].value if points else None
    least = bound.min if bound else None
    state = "" if value is None or least is None else "critical" if value < least else "ok"
    detail = say("minimum", value=form.number(least, 3)) if least is not None else ""
    return Key(scene.title(name), form.number(value, 3), detail, state)


def _drifted(scene: Scene) -> Key:
    form, say = scene.visit.form, scene.visit.say
    rows = drift_rows(scene)
    if not rows:
        return Key(say("drifted"), form.number(None))
    moved = sum(row.status in ("warning", "critical") for row in rows)
    state = "warning" if moved else "ok"
    return Key(say("drifted"), form.number(moved), say("of", n=form.number(len(rows))), state)
