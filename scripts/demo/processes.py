"""The demo's children: one service per model and the board; none outlives the demo."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from scripts.probe import last_words
from scripts.supervise import Supervised, supervise

__all__ = ["Child", "ChildError", "children"]

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 60.0
STOP_GRACE_S = 3.0


class ChildError(RuntimeError):
    """A child of the demo died or does not answer; the message ends with its last words."""


@dataclass(frozen=True)
class Child:
    """A child to start: it writes its port into a file, and answers `health` when it is ready."""

    name: str
    module: str
    arguments: tuple[str, ...]
    health: str


@contextmanager
def children(
    wanted: Sequence[Child], directory: Path, env: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Addresses of the running children by name; they are started side by side."""
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        running = {}
        for child in wanted:
            running[child.name] = _start(child, directory, env)
            stack.callback(running[child.name].stop)
        yield {child.name: _address(child, running[child.name], directory) for child in wanted}


def port_file(directory: Path, name: str) -> Path:
    """Where a child writes its port."""
    return directory / f"{name}.port"


def _start(child: Child, directory: Path, env: Mapping[str, str]) -> Supervised:
    arguments = ("--port-file", str(port_file(directory, child.name)), *child.arguments)
    return supervise(
        [sys.executable, "-m", child.module, *arguments],
        log=directory / f"{child.name}.log",
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
        cwd=ROOT,
        stop_grace_s=STOP_GRACE_S,
    )


def _address(child: Child, running: Supervised, directory: Path) -> str:
    """Wait until the child answers."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and running.poll() is None:
        url = _url(port_file(directory, child.name))
        if url and _answers(url + child.health):
            return url
        time.sleep(0.05)
    log = directory / f"{child.name}.log"
    raise ChildError(f"{child.name} did not start; its log {log} ends with:\n{last_words(log)}")


def _url(file: Path) -> str | None:
    try:
        return f"http://127.0.0.1:{int(file.read_text())}"
    except (OSError, ValueError):
        return None


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, retries=False, timeout=5.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False
