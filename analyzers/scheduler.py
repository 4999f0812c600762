"""What is due, and running it. Live and simulated time share this code: `now` is an argument."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from analyzers import health, indices, late, outcomes, profiles
from analyzers.job import Job, Profiles, Subject
from analyzers.jobs import JOBS
from analyzers.performance.jobs import PERFORMANCE
from analyzers.results import Figure
from analyzers.store import Search, Store
from analyzers.windows import DAY, HOUR, Window, closed, floor, iso, look
from collectors.contract import Contract

__all__ = ["Run", "Scheduler", "run_job"]

log = logging.getLogger(__name__)
Wanted = tuple[Job, Subject]


@dataclass
class Run:
    """What one tick did."""

    figures: int = 0
    outcomes: int = 0
    reopened: int = 0
    errors: list[str] = field(default_factory=list)


class Scheduler:
    """Runs the jobs of all models; what breaks in one is recorded and stops no other."""

    def __init__(self, store: Store, contracts: Sequence[Contract]) -> None:
        self.store, self.contracts = store, tuple(contracts)
        self._versions = {c.model: c.version for c in contracts}
        self._profiles: dict[str, Profiles] = {}
        self._newest: dict[str, str | None] = {}

    def tick(self, since: datetime, now: datetime) -> Run:
        """Run everything that became due in (since, now]."""
        run = Run()
        self.store.refresh(*indices.recent(self.contracts, since, now))
        run.figures += self.store.looks(self._figures(self._looks(now), now, run), now)
        if floor(now, HOUR) > floor(since, HOUR):
            self._hourly(since, now, run)
        return run

    def _looks(self, now: datetime) -> list[Wanted]:
        return [
            (job, self._subject(contract, look(length, now), now))
            for job in JOBS
            if job.kind == "look"
            for contract in self.contracts
            for length in job.lengths
        ]

    def _hourly(self, since: datetime, now: datetime, run: Run) -> None:
        """Tiles that closed or were re-opened, of all models in one request; then health."""
        wanted: list[Wanted] = []
        days: dict[str, set[Window]] = {}
        for contract in self.contracts:
            tiles = self._tiles(contract, since, now, run)
            wanted += [(job, self._subject(contract, w, now)) for job, w in tiles]
            today = {_day(now)} if now > floor(now, DAY) else set()
            days[contract.model] = today | {_day(w.start) for _, w in tiles}
        figures = self._figures(wanted, now, run)
        run.figures += self.store.tiles(figures, now)
        self.store.refresh(*{f.index for f in figures})
        for contract in self.contracts:
            with _Recorded(run, self.store, "health", now, contract):
                health.write(self.store, contract, sorted(days[contract.model]))

    def _tiles(
        self, contract: Contract, since: datetime, now: datetime, run: Run
    ) -> list[tuple[Job, Window]]:
        """What is due for one model: closed tiles, and those that late events or labels changed."""
        late_hours: set[Window] = set()
        joined: set[Window] = set()
        with _Recorded(run, self.store, "late", now, contract):
            late_hours = set(late.hours(self.store, contract, now))
        with _Recorded(run, self.store, "outcomes", now, contract):
            joined = self._join(contract, now, run)
        run.reopened += len(late_hours)
        tiles = [j for j in JOBS if j.kind == "tile"]
        return [
            (job, window)
            for job in tiles
            for window in sorted(
                {w for size in job.lengths for w in closed(size, since, now)}
                | _closed_over(joined if job is PERFORMANCE else late_hours, job, now)
            )
        ]

    def _join(self, contract: Contract, now: datetime, run: Run) -> set[Window]:
        """Outcomes of new labels and predictions; returns the hours that they belong to."""
        since = self._newest.get(contract.model)
        joined = outcomes.join_new(self.store, contract, since) if since else set()
        found = outcomes.news(self.store, contract, now)
        run.outcomes += outcomes.join(self.store, contract, found.changed)
        self._newest[contract.model] = found.newest
        return joined | {c.hour for c in found.changed}

    def _figures(self, wanted: Sequence[Wanted], now: datetime, run: Run) -> list[Figure]:
        """All in one request; where that breaks, each alone, so that only the broken is missing."""
        try:
            return _together(self.store, wanted)
        except Exception:
            log.warning("a job broke; running each alone", exc_info=True)
        figures: list[Figure] = []
        for job, subject in wanted:
            with _Recorded(run, self.store, job.name, now, subject.contract):
                figures += _together(self.store, [(job, subject)])
        return figures

    def _subject(self, contract: Contract, window: Window, now: datetime) -> Subject:
        found = profiles.apart(contract, window, self._known_profiles(contract, now))
        return Subject(contract, self._versions[contract.model], window, found)

    def _known_profiles(self, contract: Contract, now: datetime) -> Profiles:
        """Profiles are frozen: once read they are kept; built as soon as their period is over."""
        found = self._profiles.get(contract.model)
        if found is not None:
            return found
        period = contract.reference_period
        if period is None or period[1] > now:
            return Profiles()
        try:
            found = profiles.build(self.store, contract, now)
        except profiles.ProfileError as error:
            log.warning("%s", error)
            return Profiles()
        self._profiles[contract.model] = found
        return found


def run_job(
    store: Store, contract: Contract, job: Job, windows: Sequence[Window], now: datetime
) -> int:
    """Run one job over chosen windows (back-fill, retrospective)."""
    found = profiles.load(store, contract)
    version, apart = contract.version, profiles.apart
    wanted = [(job, Subject(contract, version, w, apart(contract, w, found))) for w in windows]
    figures = _together(store, wanted)
    return store.looks(figures, now) if job.kind == "look" else store.tiles(figures, now)


def _together(store: Store, wanted: Sequence[Wanted]) -> list[Figure]:
    plans = [list(job.plan(subject)) for job, subject in wanted]
    searches: list[Search] = [s for plan in plans for s in plan]
    answers = iter(store.searches(searches))
    return [
        figure
        for (job, subject), plan in zip(wanted, plans, strict=True)
        for figure in job.read(subject, [next(answers) for _ in plan])
    ]


def _closed_over(hours: Iterable[Window], job: Job, now: datetime) -> set[Window]:
    """Closed tiles of a job that hold any of those hours."""
    starts = {(floor(h.start, size), size) for h in hours for size in job.lengths}
    return {Window(start, start + size) for start, size in starts if start + size <= now}


def _day(moment: datetime) -> Window:
    start = floor(moment, DAY)
    return Window(start, start + DAY)


class _Recorded:
    """Runs a block; its failure becomes a document and a log line, and stops nothing else."""

    def __init__(
        self, run: Run, store: Store, job: str, now: datetime, contract: Contract | None = None
    ) -> None:
        self.run, self.store, self.job, self.now = run, store, job, now
        self.model = contract.model if contract else "all"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        message = f"{self.job} of {self.model}: {type(error).__name__}: {error}"
        self.run.errors.append(message)
        log.error("%s", message)
        self._document(error)
        return True

    def _document(self, error: Exception) -> None:
        document = {
            "@timestamp": iso(self.now),
            "event": {"action": "job", "outcome": "failure"},
            "model": {"name": self.model},
            "job": {"name": self.job},
            "error": {"type": type(error).__name__, "message": str(error)[:1024]},
        }
        try:
            identity = f"job:{self.job}:{self.model}:{iso(self.now)}"
            self.store.put(f"vigie-audit-{self.now:%Y.%m}", identity, document)
        except Exception:
            log.exception("the failure of %s could not be recorded", self.job)
