"""What jobs write: figures that say everything about themselves.

The identity of a figure is what it measures, never when it was computed: the same window gives
the same document.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from analyzers.windows import Window, iso

__all__ = ["ALL", "Figure", "Segment", "Status", "results_index"]

Status = Literal["ok", "warning", "critical", "no_data", "insufficient"]


@dataclass(frozen=True)
class Segment:
    """Part of the traffic: kind is all, feature, group, class, endpoint or output."""

    kind: str = "all"
    name: str = "all"


ALL = Segment()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of one model, window and segment; `value` is None when it is unknown."""

    metric: str
    value: float | None
    unit: str
    n: int
    status: Status
    window: Window
    model: str
    contract: str
    version: str = "all"
    segment: Segment = ALL
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    effect: float | None = None
    n_reference: int | None = None
    threshold: float | None = None
    reference: str = ""
    reason: str = ""

    @property
    def id(self) -> str:
        """Hash of what is measured."""
        window = (iso(self.window.start), iso(self.window.end))
        parts = (
            self.metric, self.model, self.version, self.segment.kind, self.segment.name,
            *window, self.reference, self.contract,
        )  # fmt: skip
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]

    @property
    def index(self) -> str:
        """Index that it belongs into."""
        return results_index(self.window.end)

    def document(self, now: datetime) -> dict[str, Any]:
        """The figure as it is stored, first published `now`."""
        metric = {
            "name": self.metric, "value": _finite(self.value), "unit": self.unit,
            "low": _finite(self.low), "high": _finite(self.high),
            "p_value": _finite(self.p_value), "q_value": _finite(self.q_value),
            "effect": _finite(self.effect), "n_reference": self.n_reference,
            "first_value": _finite(self.value), "first_at": iso(now),
            "revision": 0, "computed_at": iso(now),
        }  # fmt: skip
        return {
            "@timestamp": iso(self.window.end),
            "metric": {k: v for k, v in metric.items() if v is not None},
            "model": {"name": self.model, "version": self.version},
            "contract": {"version": self.contract},
            "segment": {"kind": self.segment.kind, "name": self.segment.name},
            "window": {
                "start": iso(self.window.start),
                "end": iso(self.window.end),
                "size": self.window.size,
            },
            "reference": {"id": self.reference},
            "n": self.n,
            **({} if self.threshold is None else {"threshold": self.threshold}),
            "status": self.status,
            "reason": self.reason,
        }


def results_index(moment: datetime) -> str:
    """Index of the figures whose window ends at the moment."""
    return f"vigie-results-{moment:%Y.%m}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
