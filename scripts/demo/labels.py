"""The truth, which arrives one to three days after the prediction, or never.

Each source delivers as such sources do: all answers of one day at once, two mornings later.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from analyzers.windows import DAY, HOUR, floor, iso
from scripts.demo.models import DIGITS, RISK
from scripts.demo.traffic import Instance

__all__ = ["Label", "LabelQueue"]

COVERAGE = 0.9  # of the predictions get a label
DELIVERY = {RISK: 2 * DAY + 6 * HOUR, DIGITS: 2 * DAY + 3 * HOUR}  # after the day began
SPREAD = timedelta(minutes=10)


@dataclass(frozen=True, order=True)
class Label:
    """A label on its way, ordered by the moment it arrives."""

    at: datetime
    model: str
    prediction: str
    value: str

    def body(self) -> dict[str, str]:
        """The label as it is sent."""
        return {"id": self.prediction, "label": self.value, "at": iso(self.at)}


@dataclass
class LabelQueue:
    """Labels that nobody knows yet."""

    rng: np.random.Generator
    waiting: list[Label] = field(default_factory=list)

    def expect(self, model: str, answered: Iterable[tuple[Instance, str]]) -> None:
        """Predictions were answered; most of them will be labelled."""
        for instance, prediction in answered:
            labelled, share = self.rng.random(2).tolist()
            if labelled < COVERAGE:
                at = floor(instance.at, DAY) + DELIVERY[model] + share * SPREAD
                whole = at.replace(microsecond=at.microsecond // 1000 * 1000)
                heapq.heappush(self.waiting, Label(whole, model, prediction, instance.truth))

    def due(self, now: datetime) -> Iterator[Label]:
        """Labels that arrived before `now`, oldest first; each is given once."""
        while self.waiting and self.waiting[0].at < now:
            yield heapq.heappop(self.waiting)
