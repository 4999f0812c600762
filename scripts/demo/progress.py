"""One line on a terminal that follows the simulated clock; plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from analyzers.windows import Window
from scripts.demo.timeline import Fault

__all__ = ["Progress"]

_NAMES = {"errors": "error burst", "drift": "drift", "latency": "latency rise"}


class Progress:
    """Tells what happens, and remembers how long each phase took (in seconds)."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self._started = time.perf_counter()
        self._line = sys.stdout.isatty()
        self._day = ""
        self._drawn = 0.0

    @property
    def elapsed(self) -> dict[str, float]:
        """Timings so far, and the total."""
        return {**self.timings, "total": round(time.perf_counter() - self._started, 2)}

    @contextmanager
    def phase(self, name: str, saying: str | None = None) -> Iterator[None]:
        """Time a phase."""
        if saying:
            self.say(saying)
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.timings[name] = round(self.timings.get(name, 0.0) + spent, 2)

    def say(self, text: str) -> None:
        """A line that stays."""
        click.echo(f"\r\x1b[K{text}" if self._line else text)

    def step(self, number: int, clock: datetime, predictions: int) -> None:
        """The clock moved; drawn at most ten times a second, and once a day elsewhere."""
        text = f"day {number:2}  {clock:%a %d %b %H:%M}  {predictions:,} predictions"
        if self._line and time.monotonic() - self._drawn > 0.1:
            self._drawn = time.monotonic()
            click.echo(f"\r\x1b[K{text}", nl=False)
        elif not self._line and self._day != f"{clock:%j}":
            self._day = f"{clock:%j}"
            click.echo(text)

    def faults(self, faults: tuple[Fault, ...], window: Window) -> None:
        """Say which faults begin or end in the window."""
        for fault in faults:
            what = f"{_NAMES[fault.kind]} of {fault.model}"
            if window.start <= fault.window.start < window.end:
                details = f" ({', '.join(fault.features)})" if fault.features else ""
                self.say(f"  {fault.window.start:%a %d %b %H:%M}  {what} begins{details}")
            if window.start < fault.window.end <= window.end:
                self.say(f"  {fault.window.end:%a %d %b %H:%M}  {what} ends")
