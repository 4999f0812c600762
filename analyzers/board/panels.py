"""Charts with their titles, legends and, where there is nothing to draw, the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.board.charts import Drawing, Layer, Limit, Mark, draw
from analyzers.board.figures import Point
from analyzers.board.spans import Span
from analyzers.board.visit import Visit

__all__ = ["Panel", "Series", "empty", "panel"]

Band = tuple[datetime, datetime]


@dataclass(frozen=True)
class Series:
    """Points under a class of the style sheet and a name for the legend."""

    css: str
    name: str
    points: Sequence[Point]
    mark: Mark = "line"
    band: bool = False


@dataclass(frozen=True)
class Panel:
    """One figure of a page; without a drawing, `note` says why."""

    title: str
    note: str = ""
    drawing: Drawing | None = None
    legend: Sequence[tuple[str, str]] = ()
    detail: str = ""


def empty(title: str, note: str) -> Panel:
    """A panel that has nothing to draw, and says why."""
    return Panel(title, note)


def panel(
    visit: Visit,
    title: str,
    series: Sequence[Series],
    span: Span,
    tile: timedelta,
    *,
    unit: str,
    limits: Sequence[Limit] = (),
    bands: Sequence[Band] = (),
    extent: tuple[float, float] | None = None,
    detail: str = "",
    note: str = "",
) -> Panel:
    """Draw series of tiles of one size over a span."""
    drawn = draw(
        [Layer(s.css, s.mark, list(_rows(s, span, tile)), s.band) for s in series],
        span,
        unit=unit,
        lang=visit.lang,
        label=_summary(visit, title, series[0], unit),
        limits=limits,
        bands=bands,
        extent=extent,
    )
    legend = [(s.css, s.name) for s in series if len(series) > 1 or s.band]
    if any(s.band for s in series):
        legend.append(("band", visit.say("band")))
    if bands:
        legend.append(("shade", visit.say("incident")))
    return Panel(title, note, drawn, legend, detail)


Row = tuple[datetime, float | None, float | None, float | None]


def _rows(series: Series, span: Span, tile: timedelta) -> Iterable[Row]:
    """A row for every tile of the span, so that a silence is a gap and not a bridge."""
    known = {p.at: p for p in series.points}
    bar = series.mark == "bar"
    for at in span.grid(tile):
        point = known.get(at, Point(at))
        middle = at if bar else at + tile / 2
        low, high = (0.0, point.value) if bar else (point.low, point.high)
        yield middle, point.value, low, high


def _summary(visit: Visit, title: str, series: Series, unit: str) -> str:
    values = [p.value for p in series.points if p.value is not None]
    if not values:
        return title
    low, high, last = (visit.form.value(v, unit) for v in (min(values), max(values), values[-1]))
    return visit.say("chart_summary", title=title, name=series.name, low=low, high=high, last=last)
