"""Sections of a monitoring contract, as closed and immutable types."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

import msgspec

__all__ = [
    "Alerts",
    "Bound",
    "Cost",
    "Drift",
    "Experiment",
    "Fairness",
    "Fallback",
    "Feature",
    "Labels",
    "Limit",
    "Mask",
    "Output",
    "Owner",
    "Protected",
    "Quality",
    "Reference",
    "Retention",
    "Retraining",
    "Rollback",
    "Rollout",
    "Scalar",
    "Section",
    "Slo",
    "Task",
    "Validation",
    "duration",
    "label_text",
]

Task = Literal[
    "binary_classification",
    "multiclass",
    "regression",
    "ranking",
    "text_classification",
    "generation",
    "rag",
    "transcription",
    "detection",
]
Scalar = str | int | float | bool

DURATION = re.compile(r"([1-9]\d*)(s|m|h|d|w)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: closed and immutable."""


class Mask(Section, frozen=True):
    """A masking action with a parameter: floor to a multiple, or keep the first characters."""

    bucket: float | None = None
    truncate: int | None = None


class Feature(Section, frozen=True):
    """One allowed input of the model."""

    type: Literal["numeric", "categorical", "text"]
    range: tuple[float, float] | None = None
    values: tuple[Scalar, ...] | None = None
    sensitive: bool = False
    mask: Literal["keep", "drop", "hash", "text"] | Mask | None = None
    keep: Literal["masked"] | None = None
    description: str = ""


class Protected(Section, frozen=True):
    """A protected group, read from a feature; `cuts` turn a number into bands."""

    feature: str
    cuts: tuple[float, ...] = ()


class Owner(Section, frozen=True):
    """Who answers for the model (RACI)."""

    team: str
    email: str
    product: str = ""
    security: str = ""
    legal: str = ""


class Output(Section, frozen=True):
    """What the model answers."""

    labels: tuple[Scalar, ...] = ()
    positive: Scalar | None = None
    critical: Scalar | None = None
    score: str | None = None


class Labels(Section, frozen=True):
    """Where the truth comes from, and how long it may take."""

    horizon: str = "30d"
    sources: tuple[str, ...] = ()
    proxy: str | None = None


class Reference(Section, frozen=True, rename={"start": "from", "end": "to"}):
    """Period that the reference profile is built from; half-open, UTC."""

    start: str
    end: str


class Slo(Section, frozen=True):
    """Service level objectives: availability in per cent, latencies in milliseconds."""

    availability: float = 99.5
    latency_p95_ms: float = 300.0
    latency_p99_ms: float = 800.0
    error_rate: float = 0.02
    period: str = "30d"


class Bound(Section, frozen=True):
    """What a performance figure must keep."""

    min: float | None = None
    max: float | None = None
    max_drop: float | None = None


class Quality(Section, frozen=True):
    """Shares of a window's predictions above which an input is in a bad state."""

    missing: float = 0.05
    out_of_range: float = 0.01
    unseen: float = 0.01
    mistyped: float = 0.0
    violations: float = 0.0


class Drift(Section, frozen=True):
    """Population stability index above which a feature has drifted."""

    psi: float = 0.2


class Fairness(Section, frozen=True):
    """Largest precision gap, and the demographic parity ratio's allowed interval."""

    precision_gap: float = 0.05
    parity_ratio: tuple[float, float] = (0.8, 1.25)


class Cost(Section, frozen=True):
    """Price of a call, and the increase that is too much (0.20 = 20 %)."""

    currency: str = "EUR"
    per_call: float | None = None
    max_increase: float = 0.20


class Experiment(Section, frozen=True):
    """Parameter that names the arm, the control arm, and the value compared."""

    arm: str
    control: str
    value: str


class Validation(Section, frozen=True):
    """Gates that a retrained model must pass."""

    min_f1: float | None = None
    max_drop_under_noise: float | None = None


class Rollback(Section, frozen=True):
    """Figures above which a roll-out is undone."""

    error_rate: float | None = None
    latency_p99_ms: float | None = None


class Rollout(Section, frozen=True):
    """How a new version gets traffic."""

    strategy: Literal["canary", "blue_green", "shadow", "ab"] = "canary"
    traffic: float = 0.10
    rollback_on: Rollback = Rollback()


class Retraining(Section, frozen=True):
    """When to retrain, what to check, how to roll out."""

    schedule: Literal["weekly", "monthly", "quarterly", "never"] = "monthly"
    when: tuple[str, ...] = ()
    validation: Validation = Validation()
    rollout: Rollout = Rollout()


class Limit(Section, frozen=True):
    """A limit that must be passed for some time."""

    above: float | None = None
    below: float | None = None
    over: str = "5m"


class Fallback(Section, frozen=True):
    """What answers when the model must not."""

    strategy: Literal["rules", "previous_model", "degraded", "cache", "other_model"]
    when: dict[str, Limit] = msgspec.field(default_factory=dict)


class Retention(Section, frozen=True):
    """How long documents live."""

    events: str = "30d"
    results: str = "400d"


class Alerts(Section, frozen=True):
    """Who is told, in which language, and where the runbook is."""

    to: tuple[str, ...] = ()
    runbook: str = ""
    language: Literal["fr", "en"] = "en"


def label_text(value: object) -> str:
    """A label or category as it is stored: one spelling for each value.

    >>> label_text(True), label_text(3), label_text(3.0), label_text("car")
    ('true', '3', '3', 'car')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def duration(text: str) -> timedelta:
    """Read `90s`, `5m`, `12h`, `30d` or `2w`.

    >>> duration("5m").total_seconds()
    300.0
    """
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a number and s, m, h, d or w, as 30d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
