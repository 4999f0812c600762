"""Tables by feature: drift and data quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from analyzers.board.charts import sparkline
from analyzers.board.figures import Point
from analyzers.board.queries import DRIFT, QUALITY
from analyzers.board.scene import Scene
from analyzers.windows import DAY

__all__ = ["Cell", "DriftRow", "QualityRow", "Share", "drift_rows", "quality_rows", "rule_rows"]

_RANK = {"critical": 0, "warning": 1, "ok": 2}


@dataclass(frozen=True)
class Cell:
    """One day of one feature; level 0 is unknown, 1 to 4 rise with the PSI."""

    level: int
    title: str


@dataclass(frozen=True)
class DriftRow:
    """One feature against its reference."""

    feature: str
    status: str
    psi: float | None
    q_value: float | None
    reason: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Share:
    """A rate: its last value and its trend."""

    value: float | None
    line: Markup


@dataclass(frozen=True)
class QualityRow:
    """One feature or rule and its rates."""

    name: str
    shares: Sequence[Share]


def drift_rows(scene: Scene) -> list[DriftRow]:
    """Features that were compared with the reference, the worst first."""
    segments = scene.daily.segments(scene.model, DRIFT)
    rows = [_drift(scene, kind, name) for kind, name in segments]
    return sorted(rows, key=lambda r: (_RANK.get(r.status, 3), -(r.psi or 0), r.feature))


def _drift(scene: Scene, kind: str, name: str) -> DriftRow:
    psi, *tests = (scene.daily.of(scene.model, m, kind, name) for m in DRIFT)
    last = psi[-1] if psi else None
    tested = [p for series in (psi, *tests) for p in series[-1:] if p.q_value is not None]
    verdicts = [p for p in (last, *tested) if p]
    return DriftRow(
        feature=name,
        status=min((p.status for p in verdicts), key=lambda s: _RANK.get(s, 3), default="no_data"),
        psi=last.value if last else None,
        q_value=min((p.q_value for p in tested if p.q_value is not None), default=None),
        reason=next((p.reason for p in verdicts if p.reason), ""),
        cells=_cells(scene, psi),
    )


def _cells(scene: Scene, points: Sequence[Point]) -> list[Cell]:
    known = {p.at: p for p in points}
    days = [at for at in scene.span.daily().grid(DAY) if at + DAY <= scene.visit.now]
    return [_cell(scene, at, known.get(at)) for at in days]


def _cell(scene: Scene, at: datetime, point: Point | None) -> Cell:
    form, limit = scene.visit.form, scene.contract.drift.psi
    day = form.day(at)
    if point is None or point.value is None:
        why = point.reason if point and point.reason else scene.visit.say("no_data")
        return Cell(0, f"{day}: {why}")
    steps = (limit / 2, limit, 2 * limit)
    level = 1 + sum(point.value > step for step in steps)
    return Cell(level, f"{day}: PSI {form.number(point.value, 3)}, n {form.number(point.n)}")


def quality_rows(scene: Scene) -> list[QualityRow]:
    """Features with their rates, the most troubled first."""
    names = QUALITY[:4]
    segments = [s for s in scene.daily.segments(scene.model, names) if s[0] == "feature"]
    rows = [QualityRow(s[1], [_share(scene, m, s) for m in names]) for s in segments]
    return sorted(rows, key=lambda r: (-sum(s.value or 0 for s in r.shares), r.name))


def rule_rows(scene: Scene) -> list[QualityRow]:
    """Business rules with their rate of violation."""
    metric = "violation_rate"
    segments = scene.daily.segments(scene.model, [metric])
    if not segments and scene.daily.of(scene.model, metric):
        segments = [("all", "all")]
    named = [(s[1] if s[0] != "all" else scene.visit.say("all_rules"), s) for s in segments]
    return [QualityRow(name, [_share(scene, metric, s)]) for name, s in named]


def _share(scene: Scene, metric: str, segment: tuple[str, str]) -> Share:
    points = {p.at: p.value for p in scene.daily.of(scene.model, metric, *segment)}
    days = [at for at in scene.span.daily().grid(DAY) if at + DAY <= scene.visit.now]
    values = [points.get(at) for at in days]
    known = [v for v in values if v is not None]
    last = known[-1] if known else None
    label = f"{scene.title(metric)}, {segment[1]}: {scene.visit.form.percent(last)}"
    line = sparkline(values, label, top=0.02) if any(known) else Markup("")
    return Share(last, line)
