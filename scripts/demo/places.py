"""The demo's folder: its files, the lock that lets one demo in, and cleaning up after a crash."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.demo.models import Spec
from scripts.supervise import locked, read_pid_file, write_pid_file

__all__ = ["DemoError", "Places", "alone"]

LOCK, PID_FILE = "lock", "demo.pid"
ORPHAN_LIMIT_S = 10.0  # an engine of a killed demo is gone long before


class DemoError(RuntimeError):
    """The demo cannot start; one line with the reason and the cure."""


@dataclass(frozen=True)
class Places:
    """Folders and files of one run, all below one directory."""

    directory: Path

    @property
    def engine(self) -> Path:
        """Data and log of the engine."""
        return self.directory / "engine"

    @property
    def spool(self) -> Path:
        """Segments of all services."""
        return self.directory / "spool"

    @property
    def mails(self) -> Path:
        """Caught mails."""
        return self.directory / "mails"

    @property
    def processes(self) -> Path:
        """Logs and ports of the children."""
        return self.directory / "processes"

    @property
    def summary(self) -> Path:
        """What was measured."""
        return self.directory / "summary.json"

    @property
    def pid_file(self) -> Path:
        """Who runs here."""
        return self.directory / PID_FILE

    def contract(self, spec: Spec) -> Path:
        """The contract of a model, with this run's reference period."""
        return self.directory / "contracts" / f"{spec.name}.yaml"

    def model(self, spec: Spec) -> Path:
        """The trained classifier."""
        return self.directory / "models" / f"{spec.name}.joblib"

    def clear(self) -> None:
        """Remove what an earlier run left, once its last child is gone."""
        deadline = time.monotonic() + ORPHAN_LIMIT_S
        while read_pid_file(self.engine / "engine.pid") and time.monotonic() < deadline:
            time.sleep(0.1)
        for path in self.directory.iterdir():
            if path.name != LOCK:
                _remove(path, deadline)
        for folder in (self.spool, self.mails, self.processes):
            folder.mkdir()
        for name in ("contracts", "models"):
            (self.directory / name).mkdir()


def _remove(path: Path, deadline: float) -> None:
    """Remove a file or folder; one that is still being written to is tried again."""
    while True:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def alone(directory: Path) -> Iterator[Places]:
    """The cleared folder, for one demo at a time; the kernel frees it when its holder dies.

    Raises:
        DemoError: Another demo runs in the folder, or it holds something else.

    """
    places = Places(directory)
    _refuse_strangers(directory)
    with _entered(places):
        places.clear()
        write_pid_file(places.pid_file, os.getpid())
        try:
            yield places
        finally:
            places.pid_file.unlink(missing_ok=True)


@contextmanager
def _entered(places: Places) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(places.directory / LOCK, wait_s=0.0))
        except TimeoutError:
            raise DemoError(_taken(places)) from None
        yield


def _taken(places: Places) -> str:
    pid = (read_pid_file(places.pid_file) or {}).get("pid", "unknown")
    cure = f"end it with Ctrl-C or kill {pid}, or give this one another --directory"
    return f"a demo already runs in {places.directory} (pid {pid}); {cure}"


def _refuse_strangers(directory: Path) -> None:
    """Everything in the folder will be removed: it must be empty, or a demo's own."""
    try:
        strange = directory.exists() and any(directory.iterdir())
    except NotADirectoryError:
        raise DemoError(f"{directory} is no folder; choose another --directory") from None
    if strange and not (directory / LOCK).is_file():
        raise DemoError(
            f"{directory} holds files that are not the demo's; choose another --directory"
        )
