"""The simulated fortnight: one clock for callers, labels, analyzers and watches, strictly in order.

A step sends what happened in it and only then lets the product look, so that nothing ever sees
data of its future.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import numpy as np

from analyzers.windows import DAY, Window, iso
from scripts.demo.canaries import Canary, call
from scripts.demo.chain import Chain
from scripts.demo.client import Clients
from scripts.demo.labels import LabelQueue
from scripts.demo.models import RISK
from scripts.demo.progress import Progress
from scripts.demo.timeline import Step, Timeline
from scripts.demo.traffic import SEED, Call, World, calls

__all__ = ["Play", "Stage"]

LABELS_PER_CALL = 500


@dataclass(frozen=True)
class Stage:
    """What a play needs: callers with their populations, and the product behind the services."""

    worlds: tuple[World, ...]
    clients: Clients
    chain: Chain
    progress: Progress
    canaries: tuple[Canary, ...]


@dataclass
class Play:
    """The fortnight on a stage; `clock` is how far it has come."""

    stage: Stage
    timeline: Timeline
    labels: LabelQueue
    clock: datetime
    predictions: int = 0
    planted: list[Canary] = field(default_factory=list)

    @classmethod
    def on(cls, stage: Stage, timeline: Timeline) -> Play:
        """A play that has not begun."""
        labels = LabelQueue(np.random.default_rng((SEED, 99)))
        return cls(stage, timeline, labels, timeline.start)

    def run(self, now: Callable[[], datetime]) -> None:
        """Play until the simulated clock has caught up with the real one."""
        while step := next(self.timeline.steps(self.clock, now()), None):
            self.step(step)

    def step(self, step: Step) -> None:
        """One step of the clock."""
        progress, end = self.stage.progress, step.window.end
        progress.faults(self.timeline.faults, step.window)
        with progress.phase("send"):
            self.beat(step.window)
            self.send(self._calls(step))
            self.deliver_labels(end)
        self.stage.chain.tick(step.window.start, end)
        self.clock = end
        progress.step((end - self.timeline.start) // DAY + 1, end, self.predictions)

    def beat(self, window: Window) -> None:
        """Each service says that it lives until the end of the window."""
        body = {"at": iso(window.start), "interval_s": window.length.total_seconds()}
        for world in self.stage.worlds:
            self.stage.clients.post(world.spec.name, "/heartbeat", body)

    def send(self, wanted: Sequence[Call]) -> None:
        """Send predictions in the order of time, and expect their labels."""
        answers = self.stage.clients.predict(wanted)
        for sent, ids in zip(wanted, answers, strict=True):
            self.predictions += len(ids)
            self.labels.expect(sent.model, zip(sent.instances, ids, strict=True))

    def deliver_labels(self, now: datetime) -> None:
        """Labels whose time has come, as each source delivers them."""
        due = sorted(self.labels.due(now), key=lambda label: label.model)
        for model, group in groupby(due, key=lambda label: label.model):
            bodies = [label.body() for label in group]
            for start in range(0, len(bodies), LABELS_PER_CALL):
                part = {"labels": bodies[start : start + LABELS_PER_CALL]}
                self.stage.clients.post(model, "/labels", part)

    def _calls(self, step: Step) -> list[Call]:
        timeline = self.timeline
        ordinary = [
            one
            for world in self.stage.worlds
            for one in calls(world, step, timeline.faults, timeline.start)
        ]
        return sorted((*ordinary, *self._canary(step)), key=lambda one: one.instances[0].at)

    def _canary(self, step: Step) -> Iterator[Call]:
        """In each quiet hour one call carries personal data where it does not belong."""
        waiting = self.stage.canaries[len(self.planted) :]
        if step.dense or not waiting:
            return
        world = next(w for w in self.stage.worlds if w.spec.name == RISK)
        rng = np.random.default_rng((SEED, 7, len(self.planted)))
        (instance,) = world.draw([step.window.start], rng)
        self.planted.append(waiting[0])
        yield call(waiting[0], RISK, instance)
