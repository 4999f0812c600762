"""Panels of the truth: performance against labels, and how many labels there are."""

from __future__ import annotations

from math import floor

from analyzers.board.charts import Limit
from analyzers.board.panels import Panel, Series, empty, panel
from analyzers.board.scene import Scene
from analyzers.windows import DAY

__all__ = ["coverage", "performance"]


def performance(scene: Scene) -> Panel:
    """F1 and accuracy (or what the contract bounds) with interval and minimum."""
    say = scene.visit.say
    names = [n for n in _measures(scene) if _known(scene, n)]
    if not names:
        return empty(say("performance"), _why(scene))
    main, others = names[0], names[1:2]
    series = [
        Series("main", scene.title(main), scene.daily.of(scene.model, main), band=True),
        *(Series("other", scene.title(n), scene.daily.of(scene.model, n)) for n in others),
    ]
    detail = say("daily_week") if scene.span.length < 7 * DAY else say("by_day")
    return panel(
        scene.visit, say("performance"), series, scene.span.daily(), DAY,
        unit="score", limits=_minimum(scene, main), bands=scene.bands, detail=detail,
        extent=_extent(scene, names[:2]), note=_unpublished(scene, main),
    )  # fmt: skip


def coverage(scene: Scene) -> Panel:
    """Share of each day's predictions that have a label by now."""
    say = scene.visit.say
    if not _known(scene, "label_coverage"):
        return empty(say("coverage"), _why(scene))
    points = scene.daily.of(scene.model, "label_coverage")
    series = Series("volume", say("coverage"), points, "bar")
    note = (
        say("no_labels", horizon=scene.visit.form.span(scene.contract.horizon))
        if _unlabelled(scene)
        else ""
    )
    return panel(
        scene.visit, say("coverage"), [series], scene.span.daily(), DAY,
        unit="ratio", extent=(0.0, 1.0), detail=scene.title("label_coverage"), note=note,
    )  # fmt: skip


def _measures(scene: Scene) -> list[str]:
    bounded = [n for n in scene.contract.performance if n != "label_coverage"]
    return list(dict.fromkeys([*bounded, "f1", "accuracy"]))


def _known(scene: Scene, name: str) -> bool:
    return any(p.value is not None for p in scene.daily.of(scene.model, name))


def _unlabelled(scene: Scene) -> bool:
    return not any(p.value for p in scene.daily.of(scene.model, "label_coverage"))


def _extent(scene: Scene, names: list[str]) -> tuple[float, float]:
    """From a tenth well below the lowest point or minimum up to one."""
    points = [p for name in names for p in scene.daily.of(scene.model, name)]
    lows = [v for p in points for v in (p.value, p.low) if v is not None]
    bounds = [limit.value for limit in _minimum(scene, names[0])]
    low = floor((min([*lows, *bounds]) - 0.02) * 10) / 10
    return (max(0.0, low), 1.0) if low < 1 and max(lows) <= 1 else (0.0, max(lows))


def _minimum(scene: Scene, name: str) -> list[Limit]:
    bound = scene.contract.performance.get(name)
    if bound is None or bound.min is None:
        return []
    text = scene.visit.say("minimum", value=scene.visit.form.number(bound.min, 3))
    return [Limit(bound.min, text)]


def _why(scene: Scene) -> str:
    reasons = [_unpublished(scene, name) for name in _measures(scene)]
    horizon = scene.visit.form.span(scene.contract.horizon)
    return next(filter(None, reasons), scene.visit.say("no_labels", horizon=horizon))


def _unpublished(scene: Scene, name: str) -> str:
    """Why the newest day has no figure, where the job said so."""
    points = scene.daily.of(scene.model, name)
    if not points or points[-1].value is not None or not points[-1].reason:
        return ""
    return scene.visit.say("not_published", reason=points[-1].reason.rstrip("."))
