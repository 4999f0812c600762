"""Which indices a window of a model lies in: named one by one where they are few.

A search that names its days asks a few shards instead of all that a family ever had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from analyzers.windows import DAY, Window, floor
from collectors.contract import Contract

__all__ = ["feedback", "outcomes", "predictions", "recent", "service"]

FEW = 7


def predictions(model: str, window: Window) -> str:
    """Daily indices of a model's predictions.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 21, 23, tzinfo=UTC)
    >>> predictions("risk", Window(at, at + DAY))
    'vigie-inference-risk-2026.11.21,vigie-inference-risk-2026.11.22'
    """
    return _daily(f"vigie-inference-{model}", window)


def service(window: Window) -> str:
    """Daily indices of service logs and heartbeats."""
    return _daily("vigie-service", window)


def outcomes(model: str, window: Window) -> str:
    """Monthly indices of a model's outcomes."""
    months = dict.fromkeys(f"{day:%Y.%m}" for day in _days(window))
    if len(months) > FEW:
        return f"vigie-outcomes-{model}-20*"
    return ",".join(f"vigie-outcomes-{model}-{month}" for month in months)


def feedback(model: str) -> str:
    """All indices of a model's labels: a label lies in the month in which it was given."""
    return f"vigie-feedback-{model}-20*"


def recent(contracts: Iterable[Contract], since: datetime, now: datetime) -> tuple[str, ...]:
    """Indices that events of (since, now] went into."""
    window = Window(min(since, now - DAY / 24), now)
    models = [c.model for c in contracts]
    return (
        service(window),
        *(predictions(model, window) for model in models),
        *(feedback(model) for model in models),
    )


def _daily(family: str, window: Window) -> str:
    if window.length > FEW * DAY:
        return f"{family}-20*"
    return ",".join(f"{family}-{day:%Y.%m.%d}" for day in _days(window))


def _days(window: Window) -> Iterator[datetime]:
    day = floor(window.start, DAY)
    while day < window.end:
        yield day
        day += DAY
