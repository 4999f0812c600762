"""Aggregations of latency and errors, and how their answers are read."""

from __future__ import annotations

from typing import Any

from analyzers.job import Answer

__all__ = ["ERRORS", "LATENCY", "error_rate", "latency_ms"]

NANOSECONDS_PER_MS = 1e6
ERRORS: dict[str, Any] = {"avg": {"field": "inference.failed"}}
LATENCY: dict[str, Any] = {
    "percentiles": {
        "field": "event.duration",
        "percents": [50, 95, 99],
        "hdr": {"number_of_significant_value_digits": 3},
    }
}


def error_rate(answer: Answer) -> float | None:
    """Share of failed predictions; None without any."""
    value = answer["aggregations"]["errors"]["value"]
    return None if value is None else float(value)


def latency_ms(answer: Answer) -> dict[int, float | None]:
    """Percentiles of the duration in milliseconds, by per cent."""
    values = answer["aggregations"]["latency"]["values"]
    return {p: _ms(values[f"{p}.0"]) for p in (50, 95, 99)}


def _ms(nanoseconds: float | None) -> float | None:
    known = nanoseconds is not None and nanoseconds == nanoseconds  # noqa: PLR0124 - NaN
    return nanoseconds / NANOSECONDS_PER_MS if known and nanoseconds is not None else None
