"""Windows of event time: half-open, UTC, aligned.

Tiles (minute, hour, day) never overlap and leave no gap; looks are sliding and may overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["DAY", "HOUR", "MINUTE", "Window", "closed", "floor", "iso", "look", "parse"]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZES = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (timedelta(seconds=1), "s"))


@dataclass(frozen=True, order=True)
class Window:
    """From `start` (included) to `end` (excluded)."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"{self.start} - {self.end}: windows need a time zone")
        if not self.start < self.end:
            raise ValueError(
                f"{iso(self.start)} - {iso(self.end)}: a window must end after it starts"
            )

    @property
    def length(self) -> timedelta:
        """End minus start."""
        return self.end - self.start

    @property
    def size(self) -> str:
        """Length in the largest unit that divides it: `5m`, `1h`, `1d`."""
        unit, letter = next((u, x) for u, x in _SIZES if not self.length % u or x == "s")
        return f"{self.length // unit}{letter}"

    def query(self, field: str = "@timestamp") -> dict[str, object]:
        """Range query for the window."""
        return {"range": {field: {"gte": iso(self.start), "lt": iso(self.end)}}}


def iso(moment: datetime) -> str:
    """Moment as it is stored: UTC, milliseconds only where there are any.

    >>> iso(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))
    '2026-11-21T08:00:00Z'
    """
    moment = moment.astimezone(UTC)
    text = moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """Read a stored or typed moment; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def floor(moment: datetime, size: timedelta) -> datetime:
    """Start of the tile that holds the moment."""
    return moment - (moment - _EPOCH) % size


def closed(size: timedelta, since: datetime, until: datetime) -> Iterator[Window]:
    """Tiles that ended after `since` and not after `until`, oldest first.

    >>> at = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    >>> [w.size for w in closed(HOUR, at, at + 2 * HOUR)]
    ['1h', '1h']
    """
    start = floor(since, size)
    while start + size <= until:
        yield Window(start, start + size)
        start += size


def look(length: timedelta, now: datetime) -> Window:
    """The last `length` before `now`, on a whole minute."""
    end = floor(now, MINUTE)
    return Window(end - length, end)
