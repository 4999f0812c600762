"""The life of a watch, as a pure state machine: (state, reading, now) -> (state, events).

    ok ──rising──> pending ──breach──> firing ──clear──> resolved ──later──> ok
     └──────────────breach──────────────^  │
                                           └─ no_data, error: shown, and the incident stays open

An incident opens when every look breaches, and closes only when every look is clear. Silence and
failures never close one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

__all__ = ["LINGER", "Event", "Incident", "Name", "Reading", "State", "Verdict", "start", "step"]

Verdict = Literal["breach", "rising", "calm", "clear", "no_data", "error"]
Name = Literal["ok", "pending", "firing", "resolved", "no_data", "error"]
Event = Literal["changed", "opened", "worsened", "resolved"]

LINGER = timedelta(minutes=10)  # how long `resolved` is shown before it is `ok`


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the looks of one watch say.

    Attributes:
        verdict: breach = all looks, rising = the newest, calm = neither breaching nor recovered,
            clear = all within the recovery limit, no_data = too few looks, error = no answer.
        value, n: of the newest look.
        worst: of all looks, in the direction that breaches.
        onset: start of the oldest look's window.
        problem: why there is no answer.

    """

    verdict: Verdict
    above: bool
    threshold: float
    value: float | None = None
    n: int | None = None
    worst: float | None = None
    onset: datetime | None = None
    seen: int = 0
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One breach from its first look to its end."""

    id: str
    onset: datetime
    opened: datetime
    peak: float
    resolved: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """What is known of a watch between two ticks.

    Attributes:
        since, at: when the name last changed, and when anything did.
        value, n, threshold, message: what the reading said then.

    """

    watch: str
    name: Name
    since: datetime
    at: datetime
    previous: Name | None = None
    incident: Incident | None = None
    value: float | None = None
    n: int | None = None
    threshold: float | None = None
    message: str = ""

    @property
    def open(self) -> Incident | None:
        """The incident that has not ended."""
        return self.incident if self.incident and self.incident.resolved is None else None


def start(watch: str, now: datetime) -> State:
    """State of a watch that has never run: nothing is known."""
    return State(watch=watch, name="no_data", since=now, at=now)


def step(state: State, reading: Reading, now: datetime) -> tuple[State, tuple[Event, ...]]:
    """The next state and what must be told; a reading older than the state changes nothing."""
    if now < state.at:
        return state, ()
    name = _name(state, reading, now)
    incident, told = _incident(state, reading, name, now)
    changed: tuple[Event, ...] = ("changed",) if name != state.name else ()
    events = (*changed, *told)
    if not events:
        return state, ()
    after = replace(
        state, at=now, incident=incident,
        value=reading.value, n=reading.n, threshold=reading.threshold,
    )  # fmt: skip
    if changed:
        after = replace(after, name=name, previous=state.name, since=now)
    return after, events


def _name(state: State, reading: Reading, now: datetime) -> Name:
    verdict = reading.verdict
    if verdict in ("no_data", "error"):
        return verdict
    if state.open:
        return "resolved" if verdict == "clear" else "firing"
    if verdict == "breach":
        return "firing"
    if verdict == "rising":
        return "pending"
    return "resolved" if state.name == "resolved" and now - state.since < LINGER else "ok"


def _incident(
    state: State, reading: Reading, name: Name, now: datetime
) -> tuple[Incident | None, tuple[Event, ...]]:
    incident = state.open
    if incident is None:
        if name == "firing":
            return _opened(state.watch, reading, now), ("opened",)
        return (state.incident if name == "resolved" else None), ()
    if name == "resolved":
        return replace(incident, resolved=now), ("resolved",)
    worst = _worst(incident.peak, reading)
    if worst == incident.peak:
        return incident, ()
    return replace(incident, peak=worst), ("worsened",)


def _opened(watch: str, reading: Reading, now: datetime) -> Incident:
    """Named after the opening tick, so that two runners open the same one."""
    return Incident(
        id=f"{watch}:{int(now.timestamp())}",
        onset=reading.onset or now,
        opened=now,
        peak=reading.threshold if reading.worst is None else reading.worst,
    )


def _worst(peak: float, reading: Reading) -> float:
    if reading.worst is None:
        return peak
    return max(peak, reading.worst) if reading.above else min(peak, reading.worst)
