"""Everything behind the services, one tick at a time: ship, analyze, watch, tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from analyzers.scheduler import Scheduler
from analyzers.watches.runner import Runner
from collectors.shipping import Receipt, Shipper
from scripts.demo.progress import Progress

__all__ = ["Chain"]


@dataclass
class Chain:
    """The product's own parts, called as `vigie run` and `vigie ship` call them."""

    shipper: Shipper
    scheduler: Scheduler
    runner: Runner
    progress: Progress
    shipped: Receipt = field(default_factory=Receipt)
    problems: list[str] = field(default_factory=list)

    def ship(self) -> None:
        """What was logged becomes documents."""
        with self.progress.phase("ship"):
            self.shipped += self.shipper.ship_once()

    def tick(self, since: datetime, now: datetime) -> None:
        """What was logged until `now` becomes documents, figures, incidents and mails."""
        self.ship()
        with self.progress.phase("analyze"):
            self._note(self.scheduler.tick(since, now).errors)
        with self.progress.phase("watch"):
            report, delivery = self.runner.tick(now), self.runner.deliver(now)
        self._note([*report.errors, *report.lost, *filter(None, (delivery.problem,))])

    def _note(self, errors: Sequence[str]) -> None:
        for error in errors:
            self.problems.append(error)
            self.progress.say(f"  problem: {error}")
