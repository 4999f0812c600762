"""Incidents as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from analyzers.board.figures import number
from analyzers.watches import rules
from analyzers.windows import parse

__all__ = ["Incident", "hits", "read_incidents"]


@dataclass(frozen=True)
class Incident:
    """One incident; `resolved` is None while it lasts."""

    id: str
    rule: str
    title: tuple[str, str]
    unit: str
    model: str
    severity: str
    onset: datetime | None
    opened: datetime | None
    resolved: datetime | None
    duration: timedelta | None
    peak: float | None
    threshold: float | None

    def period(self, now: datetime) -> tuple[datetime, datetime] | None:
        """From its onset to its end, or to now."""
        start = self.onset or self.opened
        return None if start is None else (start, self.resolved or now)


def hits(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Documents of an answer."""
    return [hit["_source"] for hit in answer["hits"]["hits"]]


def read_incidents(answer: Mapping[str, Any], now: datetime) -> Sequence[Incident]:
    """Incidents of an answer, in its order."""
    return list(_incidents(hits(answer), now))


def _incidents(sources: Iterable[Mapping[str, Any]], now: datetime) -> Iterable[Incident]:
    for source in sources:
        incident, alert = source.get("incident", {}), source.get("alert", {})
        onset, opened, resolved = (_time(incident.get(k)) for k in ("onset", "opened", "resolved"))
        start = onset or opened
        name = str(source.get("rule", {}).get("name", ""))
        english, french, unit = _rules().get(name, ("", "", "none"))
        yield Incident(
            id=str(incident.get("id", "")),
            rule=name,
            title=(english, french),
            unit=unit,
            model=str(source.get("model", {}).get("name", "")),
            severity=str(alert.get("severity", "warning")),
            onset=onset,
            opened=opened,
            resolved=resolved,
            duration=(resolved or now) - start if start else None,
            peak=number(incident.get("peak")),
            threshold=number(alert.get("threshold")),
        )


@cache
def _rules() -> dict[str, tuple[str, str, str]]:
    """Title in both languages and unit of what each shipped rule measures."""
    return {r.name: (r.title("en"), r.title("fr"), r.metric.unit) for r in rules.load()}


def _time(text: Any) -> datetime | None:
    return parse(text) if isinstance(text, str) else None
