"""`python -m scripts.demo`: one command from a prediction to a page and a mail."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from collectors.connection import EngineError
from scripts.demo import summary
from scripts.demo.live import TAIL_S, live
from scripts.demo.play import Play, Stage
from scripts.demo.processes import ChildError
from scripts.demo.progress import Progress
from scripts.demo.requirements import violations
from scripts.demo.stage import Places, set_up
from scripts.demo.summary import Scene
from scripts.demo.timeline import Timeline
from scripts.supervise import locked, read_pid_file, write_pid_file

__all__ = ["main"]

DIRECTORY = Path("build") / "demo"
LOCK, PID_FILE = "lock", "demo.pid"
EXAMPLES = """\b
Examples:
  make demo                          days in minutes, then live until Ctrl-C
  python -m scripts.demo --once      ends by itself and checks what it measured
"""


def utcnow() -> datetime:
    """The real clock, UTC."""
    return datetime.now(UTC)


@click.command(epilog=EXAMPLES)
@click.option("--once", is_flag=True, help="End by itself; exit 1 when a requirement is not met.")
@click.option(
    "--directory", type=click.Path(path_type=Path), default=DIRECTORY, show_default=True,
    help="Holds everything that the demo makes; emptied at the start.",
)  # fmt: skip
def main(once: bool, directory: Path) -> None:
    """Two models behind HTTP, fourteen days with three faults, and all that is found of them."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _alone(directory):
            sys.exit(_run(Places(directory), once=once))
    except (EngineError, ChildError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        click.echo("\nstopped")


def _fail(text: str) -> None:
    click.echo(text, err=True)
    sys.exit(2)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One demo per directory; the kernel frees the lock when its holder dies."""
    pid_file = directory / PID_FILE
    try:
        with locked(directory / LOCK, wait_s=0.0):
            Places(directory).clear(keep=(LOCK,))
            write_pid_file(pid_file, os.getpid())
            yield
            pid_file.unlink(missing_ok=True)
    except TimeoutError:
        pid = (read_pid_file(pid_file) or {}).get("pid", "unknown")
        _fail(f"a demo already runs in {directory} (pid {pid}); stop it with Ctrl-C or kill {pid}")


def _run(places: Places, *, once: bool) -> int:
    progress, timeline = Progress(), Timeline.ending(utcnow())
    with progress.phase("total"), set_up(places, timeline, progress) as (stage, scene):
        play = Play.on(stage, timeline)
        with progress.phase("play", "fourteen days begin"):
            play.run(utcnow)
        if once:
            live(play, utcnow, seconds=TAIL_S)
        found = _measured(play, stage, scene, places)
        _tell(found, scene)
        if not once:
            live(play, utcnow)
    return _verdict(found)


def _measured(play: Play, stage: Stage, scene: Scene, places: Places) -> dict[str, Any]:
    stage.progress.say("measuring")
    stage.chain.ship()
    found = summary.measure(scene, play.planted, stage.progress)
    found |= {"problems": stage.chain.problems, "timings": stage.progress.timings}
    summary.write(found, places.summary)
    return found


def _tell(found: dict[str, Any], scene: Scene) -> None:
    """What happened, and where to look."""
    for alert in found["alerts"]:
        until = alert["resolved_at"] or "now"
        click.echo(f"  {alert['rule']} of {alert['model']}: {alert['fired_at']} to {until}")
    click.echo(f"board   {scene.board_url}/")
    click.echo(f"mails   {scene.board_url}/mails")
    click.echo(f"engine  {scene.engine_url}")


def _verdict(found: dict[str, Any]) -> int:
    broken = violations(found)
    for line in broken:
        click.echo(line, err=True)
    return 1 if broken else 0


if __name__ == "__main__":
    main()
