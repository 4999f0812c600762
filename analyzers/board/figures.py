"""Result documents as points and series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analyzers.windows import parse

__all__ = ["Figures", "Point", "number"]


@dataclass(frozen=True)
class Point:
    """One figure at the start of its window; `value` is None when it is unknown."""

    at: datetime
    value: float | None = None
    unit: str = "none"
    low: float | None = None
    high: float | None = None
    q_value: float | None = None
    n: int = 0
    threshold: float | None = None
    status: str = "no_data"
    reason: str = ""


Key = tuple[str, str, str, str]


class Figures:
    """Series of points by model, metric and segment, oldest first; one point per window."""

    def __init__(self, sources: Iterable[Mapping[str, Any]]) -> None:
        found: dict[Key, dict[datetime, tuple[str, Point]]] = {}
        for source in sources:
            metric, segment = source["metric"], source["segment"]
            key = (source["model"]["name"], metric["name"], segment["kind"], segment["name"])
            point, computed = _point(source), metric.get("computed_at", "")
            series = found.setdefault(key, {})
            if point.at not in series or series[point.at][0] <= computed:
                series[point.at] = (computed, point)
        self._series = {k: tuple(v[at][1] for at in sorted(v)) for k, v in found.items()}

    def of(self, model: str, metric: str, kind: str = "all", name: str = "all") -> Sequence[Point]:
        """Points of one series."""
        return self._series.get((model, metric, kind, name), ())

    def segments(self, model: str, metrics: Sequence[str]) -> list[tuple[str, str]]:
        """Segments (kind, name) other than all that have one of the metrics."""
        found = {k[2:] for k in self._series if k[0] == model and k[1] in metrics}
        return sorted((kind, name) for kind, name in found if kind != "all")


def _point(source: Mapping[str, Any]) -> Point:
    metric = source["metric"]
    return Point(
        at=parse(source["window"]["start"]),
        value=number(metric.get("value")),
        unit=str(metric.get("unit", "none")),
        low=number(metric.get("low")),
        high=number(metric.get("high")),
        q_value=number(metric.get("q_value")),
        n=int(source.get("n") or 0),
        threshold=number(source.get("threshold")),
        status=str(source.get("status", "no_data")),
        reason=str(source.get("reason") or ""),
    )


def number(value: Any) -> float | None:
    """A stored number, None for everything else."""
    return float(value) if isinstance(value, int | float) else None
