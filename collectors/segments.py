"""Append-only spool files: one `write(2)` of a whole line inside the log call.

A segment belongs to one process and is never renamed, truncated or appended to by another. A
process start, a fork, a full or an old segment opens the next one, so that a crash can damage
nothing but the last line of its own segment. Where the disk refuses a line, lines wait in memory
(bounded) and are written once it accepts again; what the bound refuses is counted.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from pathlib import Path

__all__ = ["SegmentWriter", "SpoolError", "say"]

SEGMENT_BYTES = 64 * 2**20
SEGMENT_AGE_S = 3600.0
HELD_BYTES = 16 * 2**20
RETRY_S = 1.0
_ORDINALS = itertools.count()
_WRITERS: weakref.WeakSet[SegmentWriter] = weakref.WeakSet()


class SpoolError(OSError):
    """The spool cannot be used; one line with the folder, the reason and the cure."""


class SegmentWriter:
    """Writes lines into segments `<spool>/<service>/<service>-<node>-<n>.jsonl`.

    The node is host, pid, start and the ordinal of the writer in its process.

    Args:
        spool: folder of all services' segments.
        service: name of this service; its own folder below `spool`.
        segment_bytes: size that seals a segment.
        segment_age_s: age in seconds that seals a segment.
        held_bytes: how much may wait in memory while the disk refuses.

    """

    def __init__(
        self,
        spool: str | Path,
        service: str,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_age_s: float = SEGMENT_AGE_S,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self.service = _safe(service)
        self.folder = Path(spool) / self.service
        self.segment_bytes, self.segment_age_s = segment_bytes, segment_age_s
        self.held_bytes = held_bytes
        self.dropped = 0
        self._lock = threading.Lock()
        self._reset()
        self._prove()
        _WRITERS.add(self)

    def _reset(self) -> None:
        self._descriptor = -1
        self._written = 0
        self._opened = 0.0
        self._number = 0
        self._held: deque[bytes] = deque()
        self._held_size = 0
        self._retry_at = 0.0
        self._told = False
        host = _safe(socket.gethostname().split(".")[0])
        started = time.time_ns() // 1_000_000
        self.node = f"{host}-{os.getpid()}-{started}-{next(_ORDINALS)}"

    def _prove(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / f".probe-{os.getpid()}-{threading.get_ident()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            reason = error.strerror or str(error)
            cure = "make it writable, or name another with spool= or VIGIE_SPOOL"
            raise SpoolError(f"spool {self.folder}: {reason}; {cure}") from error

    def write(self, line: bytes) -> bool:
        """Append one line, newline included; False when it had to be dropped. Never raises."""
        with self._lock:
            if self._held:
                return self._after_held(line)
            return self._append(line) or self._hold(line)

    @property
    def waiting(self) -> int:
        """Lines that wait in memory for the disk."""
        return len(self._held)

    def flush(self) -> int:
        """Try once more to write what waits; returns how many lines still do."""
        with self._lock:
            self._retry_at = 0.0
            self._drain()
            return len(self._held)

    def close(self) -> None:
        """Write what waits and close the segment; what cannot be written counts as dropped."""
        self.flush()
        with self._lock:
            self.dropped += len(self._held)
            self._held.clear()
            self._held_size = 0
            self._seal()

    def _after_held(self, line: bytes) -> bool:
        self._drain()
        return self._hold(line) if self._held else (self._append(line) or self._hold(line))

    def _drain(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        while self._held and self._append(self._held[0]):
            self._held_size -= len(self._held.popleft())
        if not self._held and self._told:
            say(f"spool {self.folder} accepts again")
            self._told = False

    def _append(self, line: bytes) -> bool:
        try:
            if self._descriptor < 0 or self._full(len(line)):
                self._open()
            written = os.write(self._descriptor, line)
        except OSError as error:
            return self._refused(error.strerror or str(error))
        self._written += written
        if written == len(line):
            return True
        self._seal()  # its last line is torn: the whole line goes into the next segment
        return self._refused("only part of a line fitted")

    def _full(self, size: int) -> bool:
        old = time.monotonic() - self._opened > self.segment_age_s
        return old or self._written + size > self.segment_bytes

    def _open(self) -> None:
        self._seal()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.service}-{self.node}-{self._number}.jsonl"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o640)
        self._number += 1
        self._written, self._opened = 0, time.monotonic()

    def _seal(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _refused(self, reason: str) -> bool:
        """The disk took no whole line: it waits, and is tried again after a second."""
        self._retry_at = time.monotonic() + RETRY_S
        if not self._told:
            self._told = True
            say(f"spool {self.folder}: {reason}; events wait in memory; free space or fix it")
        return False

    def _hold(self, line: bytes) -> bool:
        if self._held_size + len(line) > self.held_bytes:
            self.dropped += 1
            return False
        self._held.append(line)
        self._held_size += len(line)
        return True

    def _after_fork(self) -> None:
        """In the child: the parent's segment and what waits there stay the parent's."""
        self._lock = threading.Lock()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self.dropped = 0
        self._reset()


def say(message: str) -> None:
    """One line to standard error, past `sys.stderr`: that may be a logger which leads back here."""
    with suppress(OSError):
        os.write(2, f"vigie: {message}\n".encode("utf-8", "replace"))


def _safe(name: str) -> str:
    clean = re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._")
    return clean[:64] or "service"


def _after_fork_in_child() -> None:
    for writer in list(_WRITERS):
        writer._after_fork()  # noqa: SLF001 - same module


os.register_at_fork(after_in_child=_after_fork_in_child)
