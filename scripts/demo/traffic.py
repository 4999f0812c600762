"""What callers send: instances drawn from held-out rows, with a little measurement noise.

Rows are drawn independently of each other and of time, so that any two windows without a fault
are exchangeable: whatever a drift job flags there is a false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from analyzers.windows import Window, iso
from scripts.demo.models import MODELS, Dataset, Floats, Spec
from scripts.demo.timeline import COARSE, Fault, Step

__all__ = ["SEED", "Call", "Instance", "World", "calls"]

SEED = 3
PER_MINUTE, PER_HOUR = 30, 56
TOGETHER = 14  # instances of one request
NOISE = 0.03  # of a feature's standard deviation
DRIFT_SHIFT = {"bmi": 14.0, "bp": 42.0}
SLEEP_S = (0.9, 1.2)
FAILURES = ("no answer from the feature store", "feature store: connection reset by peer")
REFERRALS = ("general practitioner", "cardiologist", "occupational health", "emergency room")
NOTES = (
    "suivi annuel", "fatigue depuis deux semaines", "contrôle de la tension",
    "premier rendez-vous, antécédents familiaux", "bilan avant opération le 12",
    "traitement modifié, à revoir dans 3 mois",
)  # fmt: skip


@dataclass(frozen=True)
class Instance:
    """One prediction to ask for, with the truth that its label will tell later."""

    at: datetime
    features: dict[str, Any]
    truth: str
    extra: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The instance as it is sent."""
        return {"features": self.features, **self.extra}


@dataclass(frozen=True)
class Call:
    """One HTTP request with one or a few instances."""

    model: str
    instances: tuple[Instance, ...]
    path: str = "/predict"

    @property
    def slow(self) -> bool:
        """Whether the answer is made to wait."""
        return any("sleep_s" in i.extra.get("trouble", {}) for i in self.instances)

    @property
    def header(self) -> str:
        """Times of the instances on the simulated clock."""
        return ",".join(iso(instance.at) for instance in self.instances)


@dataclass(frozen=True)
class World:
    """One model's population."""

    spec: Spec
    data: Dataset

    def draw(self, times: Sequence[datetime], rng: np.random.Generator) -> list[Instance]:
        """One independent instance for each moment."""
        chosen = rng.integers(len(self.data.truth), size=len(times))
        rows = self._measured(chosen, rng)
        subjects = rng.integers(1, 10**9, size=len(times))
        return [
            Instance(at, self._features(i, row, rng), self.data.truth[i], self._subject(subject))
            for at, i, row, subject in zip(times, chosen.tolist(), rows, subjects, strict=True)
        ]

    def _measured(
        self, chosen: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        rows = self.data.rows
        noise: Floats = rng.normal(0.0, NOISE, size=(len(chosen), rows.shape[1])) * rows.std(axis=0)
        measured: Floats = np.clip(rows[chosen] + noise, rows.min(axis=0), rows.max(axis=0))
        return measured.round(2)

    def _features(
        self, i: int, row: npt.NDArray[np.float64], rng: np.random.Generator
    ) -> dict[str, Any]:
        features: dict[str, Any] = dict(zip(self.data.names, row.tolist(), strict=True))
        if self.data.sex:
            features["sex"] = self.data.sex[i]
            features["referral"] = REFERRALS[rng.choice(len(REFERRALS), p=(0.6, 0.2, 0.15, 0.05))]
            features["note"] = NOTES[rng.integers(len(NOTES))]
        return features

    def _subject(self, number: int) -> dict[str, Any]:
        return {"identifiers": {self.spec.identifier: f"{number:09d}"}}


def calls(world: World, step: Step, faults: Sequence[Fault], first: datetime) -> list[Call]:
    """Requests of one step, in the order of time; the same for the same step in every run."""
    rng = _generator(world, step, first)
    size = PER_MINUTE if step.dense else round(PER_HOUR * (step.window.length / COARSE))
    instances = world.draw(_times(step.window, size, rng), rng)
    mine = [f for f in faults if f.model == world.spec.name and f.touches(step.window)]
    broken = [_break(instance, mine, rng) for instance in instances]
    alone = any(fault.kind != "drift" for fault in mine)
    return _grouped(world.spec.name, broken, 1 if alone else TOGETHER)


def _generator(world: World, step: Step, first: datetime) -> np.random.Generator:
    minute = int((step.window.start - first).total_seconds()) // 60
    return np.random.default_rng((SEED, MODELS.index(world.spec), minute))


def _times(window: Window, size: int, rng: np.random.Generator) -> list[datetime]:
    shares = np.sort(rng.random(size))
    return [_milliseconds(window.start + share * window.length) for share in shares.tolist()]


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _break(instance: Instance, faults: Sequence[Fault], rng: np.random.Generator) -> Instance:
    for fault in faults:
        hit = rng.random() < fault.share
        if hit and fault.holds(instance.at):
            instance = _broken(instance, fault, rng)
    return instance


def _broken(instance: Instance, fault: Fault, rng: np.random.Generator) -> Instance:
    if fault.kind == "drift":
        shifted = {n: round(instance.features[n] + DRIFT_SHIFT[n], 2) for n in fault.features}
        return replace(instance, features={**instance.features, **shifted})
    if fault.kind == "latency":
        trouble: dict[str, Any] = {"sleep_s": round(rng.uniform(*SLEEP_S), 3)}
    else:
        trouble = {"error": FAILURES[rng.integers(len(FAILURES))]}
    return replace(instance, extra={**instance.extra, "trouble": trouble})


def _grouped(model: str, instances: Sequence[Instance], size: int) -> list[Call]:
    starts = range(0, len(instances), size)
    return [Call(model, tuple(instances[i : i + size])) for i in starts]
