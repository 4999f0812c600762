"""What a job is: a pure plan of searches, and a pure reading of their answers.

`plan(subject)` says what is asked; `read(subject, answers)` turns it into figures. The scheduler
sends the searches of all models together, and keeps what one job breaks from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from analyzers.drift.distribution import Profile
from analyzers.metrics import metric
from analyzers.results import ALL, Figure, Segment, Status
from analyzers.store import Search
from analyzers.windows import Window
from collectors.contract import Contract

__all__ = ["Answer", "Job", "Profiles", "Subject", "judge", "live"]

Answer = dict[str, Any]


@dataclass(frozen=True)
class Profiles:
    """Reference profiles of a model: of its features, and of its output."""

    id: str = ""
    features: tuple[Profile, ...] = ()
    outputs: tuple[Profile, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What figures are about: a model's contract, a window, and the model's profiles."""

    contract: Contract
    version: str
    window: Window
    profiles: Profiles = Profiles()

    def figure(
        self,
        name: str,
        value: float | None,
        n: int,
        status: Status,
        *,
        segment: Segment = ALL,
        **more: Any,
    ) -> Figure:
        """A figure about this subject, in the unit that `analyzers.metrics` declares."""
        return Figure(
            metric=name, value=value, n=n, status=status, segment=segment,
            unit=metric(name).unit, window=self.window, model=self.contract.model,
            contract=self.version, **more,
        )  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One row of the timetable.

    Attributes:
        name: what `vigie analyze` calls it.
        kind: tiles close once and are re-stated on late data; looks slide, one each minute.
        lengths: lengths of its windows.
        plan, read: see the module.

    """

    name: str
    kind: Literal["tile", "look"]
    lengths: tuple[timedelta, ...]
    plan: Callable[[Subject], Sequence[Search]]
    read: Callable[[Subject, Sequence[Answer]], Iterable[Figure]]


def live(contract: Contract, window: Window) -> dict[str, Any]:
    """Query for the live predictions of a model in a window."""
    terms = {
        "model.name": contract.model,
        "event.action": "prediction",
        "inference.origin": "live",
    }
    filters = [*({"term": {k: v}} for k, v in terms.items()), window.query()]
    return {"bool": {"filter": filters}}


def judge(
    value: float | None,
    n: int,
    *,
    above: float | None = None,
    below: float | None = None,
    minimum_n: int = 1,
    breach: Status = "critical",
) -> Status:
    """Status of a value against its limits; unknown and too few are statuses of their own.

    >>> judge(0.03, 100, above=0.02), judge(0.03, 5, above=0.02, minimum_n=20), judge(None, 0)
    ('critical', 'insufficient', 'no_data')
    """
    if n == 0 or value is None:
        return "no_data"
    if n < minimum_n:
        return "insufficient"
    high = above is not None and value > above
    low = below is not None and value < below
    return breach if high or low else "ok"
