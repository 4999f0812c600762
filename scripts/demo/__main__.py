"""`python -m scripts.demo`: one command from a prediction to a page and a mail."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from elastic_transport import TransportError

from collectors.connection import EngineError
from scripts.demo import summary
from scripts.demo.client import ServiceError
from scripts.demo.live import TAIL_S, live
from scripts.demo.places import DemoError, Places, alone
from scripts.demo.play import Play
from scripts.demo.processes import ChildError
from scripts.demo.progress import Progress
from scripts.demo.requirements import violations
from scripts.demo.stage import set_up
from scripts.demo.summary import Scene
from scripts.demo.timeline import Timeline

__all__ = ["main"]

DIRECTORY = Path("build") / "demo"
EXAMPLES = """\b
Examples:
  python -m scripts.demo             days in minutes, then live until Ctrl-C
  python -m scripts.demo --once      ends by itself and checks what it measured
"""
FAILURES = (DemoError, EngineError, ChildError, ServiceError, TransportError)
Json = dict[str, Any]


def utcnow() -> datetime:
    """The real clock, UTC."""
    return datetime.now(UTC)


@click.command(epilog=EXAMPLES)
@click.option("--once", is_flag=True, help="End by itself; exit 1 when a requirement is not met.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=DIRECTORY,
    show_default=True,
    help="Holds everything that the demo makes; emptied at the start.",
)
def main(once: bool, directory: Path) -> None:
    """Two models behind HTTP, fourteen days with three faults, and all that is found of them."""
    try:
        with _one_line_errors(), alone(directory) as places:
            broken = _run(places, once=once)
    except KeyboardInterrupt:
        click.echo("\nstopped")
        return
    sys.exit(1 if broken else 0)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """SIGTERM is Ctrl-C, also in the background; what cannot work ends with one line and code 2."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except FAILURES as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"{error.filename or 'the demo'}: {error.strerror or error}", err=True)
        sys.exit(2)


def _run(places: Places, *, once: bool) -> list[str]:
    """Play, measure and tell; returns the requirements that were not met."""
    progress, timeline = Progress(), Timeline.ending(utcnow())
    with set_up(places, timeline, progress) as (stage, scene):
        play = Play.on(stage, timeline)
        with progress.phase("play", "fourteen days begin"):
            play.run(utcnow)
        if once:
            live(play, utcnow, seconds=TAIL_S)
        found = _measured(play, scene, places)
        broken = violations(found)
        _tell(found, broken, scene)
        if not once:
            click.echo("live traffic follows; Ctrl-C ends")
            live(play, utcnow)
    return broken


def _measured(play: Play, scene: Scene, places: Places) -> Json:
    stage = play.stage
    stage.progress.say("measuring")
    stage.chain.ship()
    found = summary.measure(scene, play.planted, stage.progress)
    found |= {"problems": stage.chain.problems, "timings": stage.progress.elapsed}
    summary.write(found, places.summary)
    return found


def _tell(found: Json, broken: list[str], scene: Scene) -> None:
    """What happened, and where to look."""
    click.echo(f"{found['predictions']:,} predictions, {len(found['mails'])} mails; found:")
    for alert in found["alerts"]:
        until = alert["resolved_at"] or "now"
        click.echo(f"  {alert['rule']} of {alert['model']}: {alert['fired_at']} to {until}")
    for line in broken:
        click.echo(f"not as required: {line}", err=True)
    click.echo(f"board   {scene.board_url}/")
    click.echo(f"mails   {scene.board_url}/mails")
    click.echo(f"engine  {scene.engine_url}")


if __name__ == "__main__":
    main()
