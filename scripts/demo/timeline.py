"""When things happen: whole days, faults at known times, steps of a minute or an hour.

Nothing else knows a fault's time; the service is told what to do request by request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from analyzers.windows import DAY, MINUTE, Window, floor
from scripts.demo.models import DIGITS, RISK

__all__ = ["COARSE", "DAYS", "REFERENCE_DAYS", "Fault", "Step", "Timeline"]

DAYS = 14
REFERENCE_DAYS = 4
COARSE = timedelta(hours=1)
Kind = Literal["drift", "errors", "latency"]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with one model, from its start until its end."""

    kind: Kind
    model: str
    window: Window
    share: float = 1.0
    features: tuple[str, ...] = ()

    def touches(self, window: Window) -> bool:
        """Whether any of the window lies inside the fault."""
        return self.window.start < window.end and window.start < self.window.end

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies inside the fault."""
        return self.window.start <= moment < self.window.end


@dataclass(frozen=True)
class Step:
    """What passes at once: a minute where it is dense, else up to an hour."""

    window: Window

    @property
    def dense(self) -> bool:
        """Whether it is a minute."""
        return self.window.length == MINUTE


@dataclass(frozen=True)
class Timeline:
    """Fourteen days from a midnight (UTC), then the present."""

    start: datetime

    @classmethod
    def ending(cls, now: datetime) -> Timeline:
        """The timeline whose fourteen whole days are the last ones before today."""
        return cls(floor(now, DAY) - DAYS * DAY)

    @property
    def reference(self) -> Window:
        """The days that the reference profile is built from."""
        return Window(self.start, self.start + REFERENCE_DAYS * DAY)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The three faults, in the order of their start."""
        errors = self._at(5, hours=14, length=timedelta(minutes=20))
        drift = self._at(6, hours=0, length=4 * DAY)
        latency = self._at(12, hours=9, length=timedelta(minutes=15))
        return (
            Fault("errors", DIGITS, errors, share=0.12),
            Fault("drift", RISK, drift, features=("bmi", "bp")),
            Fault("latency", RISK, latency, share=0.12),
        )

    def _at(self, day: int, *, hours: int, length: timedelta) -> Window:
        start = self.start + day * DAY + timedelta(hours=hours)
        return Window(start, start + length)

    @property
    def dense(self) -> tuple[Window, ...]:
        """Where every minute counts: around the onset and the end of each fault.

        A rule over an hour needs longer to fire and to recover than one over five minutes.
        """
        return tuple(w for fault in self.faults for w in _dense(fault))

    def steps(self, start: datetime, until: datetime) -> Iterator[Step]:
        """Steps without gap or overlap; what is left of an hour passes minute by minute."""
        dense = self.dense
        while start + MINUTE <= until:
            busy = any(w.start <= start < w.end for w in dense)
            borders = (floor(start, COARSE) + COARSE, *(w.start for w in dense if w.start > start))
            end = start + MINUTE if busy or min(borders) > until else min(borders)
            yield Step(Window(start, end))
            start = end


def _dense(fault: Fault) -> tuple[Window, ...]:
    """Minutes around a fault, until its incident is surely over."""
    start, end = fault.window.start, fault.window.end
    if fault.kind != "drift":
        return (Window(start - 15 * MINUTE, end + 25 * MINUTE),)
    onset = Window(start - 40 * MINUTE, start + 90 * MINUTE)
    recovery = Window(end, end + 75 * MINUTE)
    return (onset, recovery)
