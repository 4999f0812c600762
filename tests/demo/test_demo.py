"""The demo as a user runs it: one whole run, a second start beside it, Ctrl-C, and kill -9."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.demo.requirements import violations
from scripts.engine import COORDINATE

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "scripts.demo"]
BEGUN = "fourteen days begin"


@dataclass(frozen=True)
class Demo:
    """A started demo and what it prints."""

    process: subprocess.Popen[bytes]
    directory: Path
    log: Path

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, limit_s: float = 120.0) -> None:
        def told() -> bool:
            assert self.process.poll() is None, self.text
            return text in self.text

        wait(told, limit_s, f"{text!r} in:\n{self.text}")

    def children(self) -> list[str]:
        """Processes other than the demo itself that work in its folder."""
        listed = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
        )
        own = f"{self.process.pid} "
        lines = [line.strip() for line in listed.stdout.splitlines()]
        return [x for x in lines if str(self.directory) in x and not x.startswith(own)]


def wait(condition: Callable[[], bool], limit_s: float, what: str) -> float:
    """Seconds until the condition held."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > limit_s:
            pytest.fail(f"after {limit_s:.0f} s: {what}", pytrace=False)
        time.sleep(0.1)
    return time.monotonic() - start


@contextmanager
def demo(directory: Path, *options: str) -> Iterator[Demo]:
    log = directory.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "--directory", str(directory), *options],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        try:
            yield Demo(process, directory, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A demo that ran to its end."""
    with demo(tmp_path_factory.mktemp("demo") / "whole", "--once") as running:
        running.process.wait(900)
    return running


@pytest.fixture(scope="module")
def summary(finished: Demo) -> Any:
    assert finished.process.returncode == 0, finished.text
    return json.loads((finished.directory / "summary.json").read_text())


def test_the_run_meets_every_requirement(summary: Any) -> None:
    assert violations(summary) == []


def test_the_summary_holds_what_was_measured(summary: Any) -> None:
    assert COORDINATE.endswith(f":{summary['engine']['version']}.0")
    assert summary["events"]["indexed"] > summary["predictions"] > 50_000
    assert summary["canaries"]["planted"] == 250
    assert {*summary["drift"]} == {*summary["performance"]} == {"diabetes-risk", "digit-reader"}
    assert {"engine", "play", "send", "ship", "analyze", "watch", "total"} <= {*summary["timings"]}


def test_models_keep_their_contract_where_nothing_drifted(summary: Any) -> None:
    minima = {"diabetes-risk": 0.70, "digit-reader": 0.90}
    for model, minimum in minima.items():
        found, drifted = summary["performance"][model], summary["drift"][model]["injected"]
        days = {day: f1 for day, f1 in found["f1_by_day"].items() if day not in drifted}
        assert len(days) >= 8 and min(days.values()) > minimum
        assert 0.85 < found["coverage"] < 0.95


def test_mails_speak_the_language_of_their_contract(summary: Any) -> None:
    subjects = [(mail["model"], mail["event"], mail["subject"]) for mail in summary["mails"]]
    for model, event, subject in subjects:
        french = "Résolu" if event == "resolved" else "Critique|Avertissement"
        english = "Resolved" if event == "resolved" else "Critical"
        assert re.search(french if model == "diabetes-risk" else english, subject), subject


def test_every_kind_of_page_was_fetched(summary: Any) -> None:
    paths = {page["path"].partition("?")[0] for page in summary["board"]["pages"]}
    assert {"/", "/logs", "/alerts", "/mails", "/models/diabetes-risk"} <= paths


def test_the_end_is_told_and_leaves_no_process(finished: Demo, summary: Any) -> None:
    assert "error burst of digit-reader begins" in finished.text
    assert "drift of diabetes-risk ends" in finished.text
    assert re.search(r"board   http://127\.0\.0\.1:\d+/", finished.text)
    assert not finished.children()


def test_a_second_start_is_refused_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    with demo(tmp_path / "demo") as running:
        running.wait_for(BEGUN)
        second = subprocess.run(
            [*COMMAND, "--directory", str(running.directory)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert second.returncode == 2
        pid = running.process.pid
        assert second.stderr.startswith(f"a demo already runs in {running.directory} (pid {pid});")
        assert second.stderr.count("\n") == 1
        assert len(running.children()) >= 4
        running.process.send_signal(signal.SIGINT)
        wait(lambda: running.process.poll() is not None, 5, f"still running:\n{running.text}")
        assert running.process.returncode == 0, running.text
        assert "Traceback" not in running.text
        assert not running.children()


def test_nothing_survives_kill_9_and_the_next_start_is_clean(tmp_path: Path) -> None:
    for _ in range(2):
        with demo(tmp_path / "demo") as running:
            running.wait_for(BEGUN)
            assert not list((running.directory / "mails").iterdir())
            running.process.kill()
            running.process.wait(5)
            wait(lambda: not running.children(), 5, f"survivors: {running.children()}")
