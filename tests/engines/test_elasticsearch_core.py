"""The Elasticsearch core starts, is what it says, and dies with the process that started it."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.connection import check, connect
from scripts.supervise import identity
from tests.engines import elasticsearch_core
from tests.engines.elasticsearch_core import ElasticsearchCore, main

ROOT = Path(__file__).parents[2]


@pytest.mark.engine
def test_core_answers_as_elasticsearch_without_licensed_features(tmp_path: Path) -> None:
    with ElasticsearchCore(tmp_path) as core, connect(core.url) as client:
        info = check(client)
        client.index(index="a", id="1", document={"n": 1})
        assert client.get(index="a", id="1")["_source"] == {"n": 1}
        pid = core.pid

    assert info.flavor == "elasticsearch"
    assert info.version.startswith("9.")
    assert not any((info.ilm, info.security, info.watcher))
    assert identity(pid) is None


@pytest.mark.engine
def test_command_hands_the_core_to_pytest_and_returns_its_exit_code(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(
        "import os, urllib.request\n"
        "def test_it():\n"
        "    answer = urllib.request.urlopen(os.environ['ELASTICSEARCH_URL']).read()\n"
        "    assert b'You Know, for Search' in answer\n"
        "    assert False, 'on purpose'\n"
    )

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.engines.elasticsearch_core",
            "pytest",
            test,
            "--rootdir",
            tmp_path,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "on purpose" in done.stdout


@pytest.mark.parametrize(
    ("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64"), ("Windows", "AMD64")]
)
def test_other_machine_is_named_with_the_cure(
    system: str, machine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)

    assert main(["pytest"]) == 3
    assert f"this is {system} {machine}; set ELASTICSEARCH_URL" in capsys.readouterr().err


def test_missing_zstd_is_named_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_name: str) -> None:
        raise OSError

    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(ctypes, "CDLL", refuse)

    assert main(["pytest"]) == 3
    assert "libzstd.so.1, which is missing: apt-get install" in capsys.readouterr().err


def test_other_command_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tests/integration"]) == 2
    assert "usage: python -m tests.engines.elasticsearch_core pytest" in capsys.readouterr().err


def test_sources_are_part_of_the_suite() -> None:
    assert [path.name for path in sorted(elasticsearch_core.SOURCES.rglob("*.java"))] == [
        "CoreNode.java",
        "ClassPathPlugins.java",
        "RootPlugin.java",
    ]
