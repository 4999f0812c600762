"""After the fortnight: traffic on the real clock, a few predictions a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import numpy as np

from analyzers.windows import MINUTE, Window, floor
from scripts.demo.play import Play
from scripts.demo.traffic import Call

__all__ = ["live"]

PER_SECOND = 2  # and model
TAIL_S = 20.0


def live(play: Play, now: Callable[[], datetime], *, seconds: float | None = None) -> None:
    """Follow the real clock for some seconds, or until interrupted."""
    rng = np.random.default_rng()
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        second = time.monotonic() + 1.0
        _second(play, now(), rng)
        if floor(now(), MINUTE) > play.clock:
            _minute(play, now())
        time.sleep(max(0.0, second - time.monotonic()))


def _second(play: Play, moment: datetime, rng: np.random.Generator) -> None:
    """What callers send now."""
    with play.stage.progress.phase("live"):
        for world in play.stage.worlds:
            instances = world.draw([moment] * PER_SECOND, rng)
            play.send([Call(world.spec.name, (instance,)) for instance in instances])
    day = (moment - play.timeline.start).days + 1
    play.stage.progress.step(day, moment, play.predictions)


def _minute(play: Play, moment: datetime) -> None:
    """A minute is over: the product looks at it."""
    end = floor(moment, MINUTE)
    play.beat(Window(end, end + MINUTE))
    play.deliver_labels(end)
    play.stage.chain.tick(play.clock, end)
    play.clock = end
