"""The period that a page shows, as its address says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.windows import DAY, HOUR, MINUTE, Window, floor, iso, parse

__all__ = ["RANGES", "Span", "read_span"]

RANGES: dict[str, timedelta] = {"24h": DAY, "7d": 7 * DAY, "14d": 14 * DAY, "30d": 30 * DAY}
_LONGEST = 400 * DAY
_STEPS = tuple(
    timedelta(seconds=s)
    for s in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800)
)


@dataclass(frozen=True)
class Span:
    """A half-open period; `name` is one of RANGES, or empty when from and to were given."""

    start: datetime
    end: datetime
    name: str = ""
    fault: bool = False

    @property
    def length(self) -> timedelta:
        """End minus start."""
        return self.end - self.start

    @property
    def tile(self) -> timedelta:
        """Size of the tiles to draw: hours up to 14 days, then days."""
        return HOUR if self.length <= 14 * DAY else DAY

    @property
    def step(self) -> timedelta:
        """Width of a bar of a histogram: about sixty bars in all."""
        return next((s for s in _STEPS if self.length / s <= 75), _STEPS[-1])

    @property
    def address(self) -> dict[str, str]:
        """What to put into an address to see the same period."""
        if self.name:
            return {"range": self.name}
        return {"from": iso(self.start), "to": iso(self.end)}

    def daily(self) -> Span:
        """The whole days of the period, seven at least."""
        start = min(floor(self.start, DAY), floor(self.end, DAY) - 7 * DAY)
        return Span(start, self.end, self.name)

    def grid(self, size: timedelta) -> Iterator[datetime]:
        """Starts of the tiles that lie in the period."""
        at = floor(self.start, size)
        at = at if at == self.start else at + size
        while at < self.end:
            yield at
            at += size

    def window(self) -> Window:
        """The period as a window."""
        return Window(self.start, self.end)


def read_span(query: Mapping[str, str], now: datetime, *, default: str = "7d") -> Span:
    """The period of an address; what cannot be read becomes the default and is said so."""
    if query.get("from") or query.get("to"):
        span = _custom(query, now)
        return span or _named("7d", now, fault=True)
    name = query.get("range") or default
    return _named(name, now) if name in RANGES else _named("7d", now, fault=True)


def _named(name: str, now: datetime, *, fault: bool = False) -> Span:
    end = floor(now, MINUTE) + MINUTE
    return Span(end - RANGES[name], end, name, fault)


def _custom(query: Mapping[str, str], now: datetime) -> Span | None:
    try:
        end = parse(query["to"]) if query.get("to") else floor(now, MINUTE) + MINUTE
        start = parse(query["from"]) if query.get("from") else end - 7 * DAY
    except (ValueError, OverflowError):
        return None
    fits = timedelta(0) < end - start <= _LONGEST and start.year > 1970 and end.year < 9000
    return Span(start, end) if fits else None
