"""Charts: Vega-Lite specifications, drawn to SVG on the server.

Nothing is coloured here: every mark carries a class, and the style sheet paints classes for light
and dark. So the SVG needs neither script nor inline style.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, pairwise
from typing import Any, Literal

import vl_convert
from markupsafe import Markup

from analyzers.board.spans import Span
from analyzers.board.words import Language
from analyzers.windows import DAY, floor

__all__ = ["Drawing", "Layer", "Limit", "draw", "sparkline"]

WIDE, NARROW = 544, 336
FULL = 1130
Mark = Literal["line", "area", "bar", "points"]


@dataclass(frozen=True)
class Layer:
    """One series: its class in the style sheet, its mark, its (time, value, low, high) rows."""

    name: str
    mark: Mark
    rows: Sequence[tuple[datetime, float | None, float | None, float | None]]
    band: bool = False


@dataclass(frozen=True)
class Limit:
    """A horizontal line with its text."""

    value: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """The same chart for wide and for narrow screens."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class _Frame:
    width: int
    height: int
    span: Span
    unit: str
    extent: tuple[float, float] | None
    limits: Sequence[Limit]
    bands: Sequence[tuple[datetime, datetime]] = field(default=())


def draw(
    layers: Sequence[Layer],
    span: Span,
    *,
    unit: str,
    lang: Language,
    label: str,
    limits: Sequence[Limit] = (),
    bands: Sequence[tuple[datetime, datetime]] = (),
    extent: tuple[float, float] | None = None,
    sizes: tuple[int, int] = (WIDE, NARROW),
    height: int = 190,
) -> Drawing:
    """Draw the layers over the span; `bands` are shaded periods, `label` is read aloud."""
    frames = (_Frame(w, height, span, unit, extent, limits, bands) for w in sizes)
    wide, narrow = (_svg(_spec(layers, frame), lang, label) for frame in frames)
    return Drawing(wide, narrow)


_COMMON: Mapping[str, Any] = {"grouping": [3], "currency": ["", ""], "percent": "\u00a0%"}
_LOCALES: Mapping[Language, Mapping[str, Any]] = {
    "en": {**_COMMON, "decimal": ".", "thousands": ","},
    "fr": {**_COMMON, "decimal": ",", "thousands": "\u202f"},
}
_TIME_LOCALES: Mapping[Language, Literal["en-GB", "fr-FR"]] = {"en": "en-GB", "fr": "fr-FR"}
_LABELS = {
    "ratio": "format(datum.value, '.2~%')",
    "ms": "datum.value >= 10000 ? format(datum.value / 1000, ',~r') + '\u00a0s'"
    " : format(datum.value, ',~r') + '\u00a0ms'",
    "per_s": "format(datum.value, ',~r') + '/s'",
    "count": "format(datum.value, ',~r')",
}
_CONFIG: Mapping[str, Any] = {
    "aria": False,
    "font": "Liberation Sans, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {"domain": False, "ticks": False, "labelFontSize": 11, "labelPadding": 6},
    "text": {"fontSize": 11},
}


def _svg(spec: Mapping[str, Any], lang: Language, label: str) -> Markup:
    svg = _drawn(json.dumps(spec, sort_keys=True), lang)
    named = Markup('<svg role="img" aria-label="{}" focusable="false"').format(label)
    title = Markup("<title>{}</title>").format(label)
    head, _, rest = svg.partition(">")
    return named + Markup(head.removeprefix("<svg")) + Markup(">") + title + Markup(rest)  # noqa: S704 - drawn from numbers and our own words; Vega escapes text


_NUMBERS = count()


@functools.lru_cache(maxsize=256)
def _drawn(spec: str, lang: Language) -> str:
    svg = vl_convert.vegalite_to_svg(
        json.loads(spec),
        format_locale=dict(_LOCALES[lang]),
        time_format_locale=_TIME_LOCALES[lang],
        allowed_base_urls=[],
    )
    return _own_ids(svg, next(_NUMBERS))


def _own_ids(svg: str, number: int) -> str:
    """Identifiers of one drawing must not meet those of another on the same page."""
    svg = re.sub(r'\bid="([\w-]+)"', rf'id="c{number}-\1"', svg)
    svg = re.sub(r"url\(#([\w-]+)\)", rf"url(#c{number}-\1)", svg)
    return re.sub(r' (?:font-family|role|aria-\w+)="[^"]*"', "", svg)


def _spec(layers: Sequence[Layer], frame: _Frame) -> dict[str, Any]:
    drawn = [part for layer in layers for part in _layer(layer, frame)]
    return {
        "width": frame.width,
        "height": frame.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 2, "right": 8, "top": 6, "bottom": 2},
        "background": None,
        "layer": [*_shades(frame), *drawn, *_limits(frame)],
        "config": _CONFIG,
    }


def _layer(layer: Layer, frame: _Frame) -> Iterator[dict[str, Any]]:
    rows = [{"t": _epoch(at), "y": y, "lo": lo, "hi": hi} for at, y, lo, hi in layer.rows]
    data = {"values": rows}
    x = _x(frame)
    if layer.band:
        known = {"values": [r for r in rows if r["lo"] is not None and r["hi"] is not None]}
        encoding = {"x": x, "y": _y(frame, "lo"), "y2": {"field": "hi"}}
        yield {"name": f"{layer.name}_band", "data": known, "mark": "area", "encoding": encoding}
    if layer.mark == "bar":
        yield _bars(layer.name, data, frame)
        return
    mark: dict[str, Any] = {"type": "area" if layer.mark == "area" else "line"}
    mark |= {"invalid": "break-paths-show-path-domains", "strokeJoin": "round"}
    if layer.mark == "area":
        mark["line"] = True
    encoding = {"x": x, "y": _y(frame)}
    yield {"name": layer.name, "data": data, "mark": mark, "encoding": encoding}
    lonely = {"values": _lonely(rows)}
    if lonely["values"]:
        dot = {"type": "circle", "size": 26, "opacity": 1}
        yield {"name": f"{layer.name}_dots", "data": lonely, "mark": dot, "encoding": encoding}


def _bars(name: str, data: Mapping[str, Any], frame: _Frame) -> dict[str, Any]:
    """Bars from zero up to `hi`, from `lo`, each as wide as its time."""
    times = [r["t"] for r in data["values"]]
    step = min((b - a for a, b in pairwise(times)), default=3_600_000)
    last = _epoch(frame.span.end)
    drawn = [r for r in data["values"] if r["hi"] is not None]
    rows = [{**r, "end": min(r["t"] + step * 0.86, last)} for r in drawn]
    encoding = {"x": _x(frame), "x2": {"field": "end"}, "y": _y(frame, "lo"), "y2": {"field": "hi"}}
    mark = {"type": "rect"}
    return {"name": name, "data": {"values": rows}, "mark": mark, "encoding": encoding}


def _lonely(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Points without a neighbour, which a line would not show."""
    values = [None, *(r["y"] for r in rows), None]
    near = zip(values, values[1:], values[2:], strict=False)
    alone = [y is not None and a is None and b is None for a, y, b in near]
    return [row for row, lonely in zip(rows, alone, strict=True) if lonely]


def _shades(frame: _Frame) -> Iterator[dict[str, Any]]:
    if not frame.bands:
        return
    low, high = _epoch(frame.span.start), _epoch(frame.span.end)
    rows = [{"t": max(_epoch(a), low), "end": min(_epoch(b), high)} for a, b in frame.bands]
    encoding = {"x": _x(frame), "x2": {"field": "end"}}
    yield {"name": "shade", "data": {"values": rows}, "mark": "rect", "encoding": encoding}


def _limits(frame: _Frame) -> Iterator[dict[str, Any]]:
    if not frame.limits:
        return
    data = {"values": [{"y": limit.value, "text": limit.text} for limit in frame.limits]}
    y = _y(frame)
    yield {"name": "limit", "data": data, "mark": {"type": "rule"}, "encoding": {"y": y}}
    text = {"type": "text", "align": "left", "baseline": "bottom", "dy": -3, "dx": 4}
    encoding = {"y": y, "x": {"value": 0}, "text": {"field": "text"}}
    yield {"name": "limit_text", "data": data, "mark": text, "encoding": encoding}


def _x(frame: _Frame) -> dict[str, Any]:
    ticks = _midnights(frame)
    pattern = "%-d %b" if ticks else "%H:%M"
    shown = {"values": ticks} if ticks else {"tickCount": frame.width // 90}
    return {
        "field": "t",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc", "domain": [_epoch(frame.span.start), _epoch(frame.span.end)]},
        "axis": {
            **shown,
            "format": pattern,
            "grid": False,
            "labelOverlap": True,
            "labelFlush": True,
        },
    }


def _midnights(frame: _Frame) -> list[int]:
    """Every so many midnights, counted back from the last; none where hours fit better."""
    span = frame.span
    if span.length <= 2 * DAY:
        return []
    step = -(-span.length // (DAY * (frame.width // 80))) * DAY
    last = floor(span.end, DAY)
    return [_epoch(last - i * step) for i in range((last - span.start) // step + 1)]


def _y(frame: _Frame, name: str = "y") -> dict[str, Any]:
    scale: dict[str, Any] = {"zero": True, "nice": 4}
    if frame.extent is not None:
        scale = {"domain": list(frame.extent), "nice": False}
    axis: dict[str, Any] = {
        "tickCount": 4,
        "labelExpr": _LABELS.get(frame.unit, "format(datum.value, ',~g')"),
    }
    if frame.unit == "count":
        axis["tickMinStep"] = 1
    return {"field": name, "type": "quantitative", "title": None, "scale": scale, "axis": axis}


def _epoch(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def sparkline(values: Sequence[float | None], label: str, *, top: float | None = None) -> Markup:
    """A line as small as a word; unknown values leave a gap."""
    known = [v for v in values if v is not None]
    if not known:
        return Markup("")
    high = max(*known, top or 0.0, 1e-12)
    step = 96 / max(1, len(values) - 1)
    points = [
        None if v is None else (2 + i * step, 22 - 18 * v / high) for i, v in enumerate(values)
    ]
    lines = Markup("").join(_stroke(run) for run in _runs(points))
    return Markup(
        '<svg class="spark" viewBox="0 0 100 24" width="100" height="24" role="img" '
        'aria-label="{0}" preserveAspectRatio="none"><title>{0}</title>{1}</svg>'
    ).format(label, lines)


def _stroke(run: Sequence[tuple[float, float]]) -> Markup:
    if len(run) == 1:
        return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="1.6"/>').format(*run[0])
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
    return Markup('<polyline points="{}"/>').format(points)


def _runs(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []
