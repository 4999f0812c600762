"""The monitoring contract: one YAML file that says what a model is and what may be logged of it.

    load(path) -> Contract        raises ContractError (file, line, key, value, cure)

Masking, mappings, jobs, thresholds and pages are derived from this object; no threshold is
written anywhere else.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from collectors._checks import TEXT_DESCRIPTORS, Checker
from collectors._reading import ContractError, Reader
from collectors._yaml import YamlError, parse
from collectors.sections import (
    Alerts,
    Bound,
    Cost,
    Drift,
    Experiment,
    Fairness,
    Fallback,
    Feature,
    Labels,
    Mask,
    Output,
    Owner,
    Protected,
    Quality,
    Reference,
    Retention,
    Retraining,
    Section,
    Slo,
    Task,
    duration,
    label_text,
)

__all__ = [
    "Contract",
    "ContractError",
    "Feature",
    "Mask",
    "Protected",
    "duration",
    "label_text",
    "load",
    "loads",
]


class Contract(Section, frozen=True):
    """A checked contract. Mappings keep the order of the file; it never changes once read."""

    model: str
    task: Task
    features: dict[str, Feature]
    owner: Owner | None = None
    identifiers: dict[str, Literal["hash", "drop"]] = msgspec.field(default_factory=dict)
    protected: dict[str, Protected] = msgspec.field(default_factory=dict)
    output: Output = Output()
    labels: Labels = Labels()
    rules: dict[str, str] = msgspec.field(default_factory=dict)
    reference: Reference | None = None
    endpoint: str | None = None
    slo: Slo = Slo()
    performance: dict[str, Bound] = msgspec.field(default_factory=dict)
    quality: Quality = Quality()
    drift: Drift = Drift()
    fairness: Fairness = Fairness()
    cost: Cost = Cost()
    experiment: Experiment | None = None
    retraining: Retraining | None = None
    fallback: Fallback | None = None
    retention: Retention = Retention()
    alerts: Alerts = Alerts()

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with any word of the contract."""
        canonical = msgspec.json.encode(self, order="sorted")
        return hashlib.sha256(canonical).hexdigest()[:12]

    @property
    def horizon(self) -> timedelta:
        """How long after a prediction its label may come."""
        return duration(self.labels.horizon)

    @property
    def numeric(self) -> tuple[str, ...]:
        """Names stored under `inference.features.numeric`, text descriptors included."""
        plain = [n for n, f in self.features.items() if f.type == "numeric" and _kept(f)]
        texts = [n for n, f in self.features.items() if f.type == "text" and _kept(f)]
        return (*plain, *(f"{n}_{d}" for n in texts for d in TEXT_DESCRIPTORS))

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names stored under `inference.features.categorical`."""
        return tuple(n for n, f in self.features.items() if f.type == "categorical" and _kept(f))

    @property
    def output_labels(self) -> tuple[str, ...]:
        """Declared output labels, as stored."""
        return tuple(label_text(v) for v in self.output.labels)

    @property
    def positive(self) -> str | None:
        """Label that counts as positive in a binary task, as stored."""
        return None if self.output.positive is None else label_text(self.output.positive)

    @property
    def critical(self) -> str | None:
        """Label whose errors are critical, as stored."""
        return None if self.output.critical is None else label_text(self.output.critical)

    @property
    def reference_period(self) -> tuple[datetime, datetime] | None:
        """Start and end (UTC, half-open) of the reference period."""
        if self.reference is None:
            return None
        return _instant(self.reference.start), _instant(self.reference.end)


_MAPPINGS: dict[str, Any] = {
    "features": Feature,
    "identifiers": Literal["hash", "drop"],
    "protected": Protected,
    "rules": str,
    "performance": Bound,
}


def _kept(feature: Feature) -> bool:
    return feature.mask != "drop"


def _instant(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date; write it as 2026-10-31") from None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def load(path: str | Path) -> Contract:
    """Read and check a contract file."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ContractError(f"{path}: {reason}; `vigie init DATA.csv` drafts a contract") from error
    return loads(text, name=str(path))


def loads(text: str, *, name: str = "<contract>") -> Contract:
    """Read and check a contract from text; `name` stands in messages."""
    try:
        document = parse(text)
    except YamlError as error:
        raise ContractError(f"{name}:{error.line}: {error}") from error
    contract = Reader(name, document).read(Contract, _MAPPINGS)
    Checker(name, document, contract).check()
    return contract
