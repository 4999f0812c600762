"""Child processes that cannot outlive their parent, and pid files that tell stale from running.

A watchdog (this file, run as a script) stands between parent and child and holds a pipe to the
parent. When the parent stops, is killed with kill -9 or crashes, the pipe closes and the watchdog
ends the child: SIGTERM, then SIGKILL. On Linux the kernel also kills the child when the watchdog
itself is killed. Only the standard library is used, so that a watchdog starts in 20 ms.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Supervised", "identity", "locked", "read_pid_file", "supervise", "write_pid_file"]

ORPHAN_GRACE_S = 3.0
_LINUX = platform.system() == "Linux"
_POLL_S = 0.25
_ORDERLY = b"stop\n"


@dataclass(frozen=True, slots=True)
class Supervised:
    """A running child; `pid` is its own, not the watchdog's."""

    pid: int
    watchdog: subprocess.Popen[bytes]

    def poll(self) -> int | None:
        """The exit code (128 + signal when killed), or None while it runs."""
        return self.watchdog.poll()

    def stop(self) -> int:
        """End the child, wait until it is gone, and return its exit code."""
        pipe = self.watchdog.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                pipe.write(_ORDERLY)
                pipe.flush()
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        code = self.watchdog.wait()
        if self.watchdog.stdout is not None:
            self.watchdog.stdout.close()
        return code


def supervise(
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stop_grace_s: float = 20.0,
) -> Supervised:
    """Start a child that dies with this process.

    Args:
        argv: The command; its first word is the path of a program.
        log: File that receives what the child prints; an older one is replaced.
        env: Environment of the child; this process's own when absent.
        cwd: Working directory of the child.
        stop_grace_s: How long `stop` lets the child end by itself before it is killed.

    Raises:
        OSError: The program cannot be started.

    """
    guard = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(stop_grace_s)]
    with log.open("wb") as output:
        watchdog = subprocess.Popen(
            [*guard, *map(str, argv)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=env,
            cwd=cwd,
            start_new_session=True,  # Ctrl-C is for the parent, which then stops us in order
        )
    assert watchdog.stdout is not None  # noqa: S101 - for the type checker
    report = watchdog.stdout.readline().decode().strip()
    if not report.isdigit():
        Supervised(0, watchdog).stop()
        raise OSError(f"cannot start {argv[0]}: {report or 'the watchdog died'}")
    return Supervised(int(report), watchdog)


def identity(pid: int) -> str | None:
    """What distinguishes this process from a later one with the same pid; None when it is gone."""
    if _LINUX:
        return _linux_identity(pid)
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = listed.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def _linux_identity(pid: int) -> str | None:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    state, started = after_name[0], after_name[19]  # fields 3 and 22 of proc_pid_stat(5)
    return None if state in "ZX" else f"{boot}/{started}"


def write_pid_file(path: Path, pid: int, **facts: object) -> None:
    """Record a running process, so that `read_pid_file` can tell it from a later namesake."""
    text = json.dumps({"pid": pid, "identity": identity(pid), **facts})
    fresh = path.with_suffix(".new")
    fresh.write_text(text + "\n")
    fresh.replace(path)


def read_pid_file(path: Path) -> dict[str, Any] | None:
    """The recorded facts while that very process runs; None when it is gone or was never there."""
    try:
        facts = json.loads(path.read_text())
        pid, recorded = int(facts["pid"]), facts["identity"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return facts if recorded and recorded == identity(pid) else None


@contextlib.contextmanager
def locked(path: Path, *, wait_s: float = 600.0) -> Iterator[None]:
    """Hold an advisory lock on a file; the kernel frees it when its holder dies.

    Raises TimeoutError when another process holds it for longer than `wait_s`.
    """
    import fcntl  # noqa: PLC0415 - absent on Windows, where this module still imports

    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_s
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError(f"{path} is held by another process") from None
                time.sleep(0.1)
        yield


# The watchdog: what follows runs in a process of its own.


def _die_with_watchdog() -> Callable[[], None] | None:
    """A hook for the child: the kernel shall kill it when the watchdog dies (Linux only)."""
    if not _LINUX:
        return None
    prctl, watchdog = ctypes.CDLL(None).prctl, os.getpid()

    def hook() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != watchdog:
            os._exit(1)

    return hook


def _watch(child: subprocess.Popen[bytes], parent: int, terminated: list[int]) -> str:
    """Wait until the child has "ended", somebody "asked", or we are "orphaned"."""
    while child.poll() is None:
        if terminated:
            return "asked"
        if select.select([0], [], [], _POLL_S)[0]:
            return "asked" if os.read(0, 64) else "orphaned"
        if os.getppid() != parent:  # a forked sibling may hold the pipe open
            return "orphaned"
    return "ended"


def _end(child: subprocess.Popen[bytes], grace_s: float) -> int:
    child.terminate()
    try:
        return child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _watchdog(parent: int, stop_grace_s: float, argv: list[str]) -> int:
    terminated: list[int] = []
    for caught in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIG_IGN would be inherited
        signal.signal(caught, lambda number, _frame: terminated.append(number))
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=2,
            preexec_fn=_die_with_watchdog(),  # noqa: PLW1509 - this process has one thread
        )
    except OSError as error:
        os.write(1, f"{error.strerror}\n".encode())
        return 127
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"{child.pid}\n".encode())
    reason = _watch(child, parent, terminated)
    code = _end(child, stop_grace_s if reason == "asked" else ORPHAN_GRACE_S)
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(_watchdog(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
