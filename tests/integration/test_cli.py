"""The `vigie` command as a user types it: what works, and one line for what cannot."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Engine
from tests.sample import CONTRACT, logger

pytestmark = pytest.mark.engine
NOW = datetime.now(UTC)


class Shell:
    """Runs `vigie` in a folder with a contract, against an engine."""

    def __init__(self, folder: Path, model: str, url: str) -> None:
        self.folder, self.model = folder, model
        self.env = {"PATH": "/usr/bin:/bin", "VIGIE_URL": url, "HOME": str(folder)}
        (folder / "contracts").mkdir()
        text = CONTRACT.replace("MODEL", model)
        yesterday, today = NOW - timedelta(days=1), NOW
        text += f"reference: {{from: {yesterday:%Y-%m-%d}, to: {today:%Y-%m-%d}}}\n"
        (folder / "contracts" / "model.yaml").write_text(text)

    def __call__(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "analyzers.cli", *words], cwd=self.folder, timeout=120,
            capture_output=True, text=True, env=self.env | env, check=False,
        )  # fmt: skip


@pytest.fixture
def shell(engine: Engine, namespace: str, tmp_path: Path) -> Iterator[Shell]:
    yield Shell(tmp_path, namespace, engine.url)


def one_line(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("vigie: ")
    for words in said:
        assert words in done.stderr


def test_from_events_to_figures(shell: Shell, engine: Engine) -> None:
    spool = shell.folder / "spool"
    log = logger(spool, shell.model)
    for number in range(200):
        at = NOW.replace(hour=0, minute=0, second=0) - timedelta(minutes=number + 1)
        with log.prediction(version="1", features={"age": 20 + number % 60}, at=at) as p:
            p.output(label="accepted", score=0.5)
    log.close()

    assert shell("provision").returncode == 0
    assert "indexed 200" in shell("ship", "--spool", "spool", "--once").stdout
    engine.client.indices.refresh(index=f"vigie-inference-{shell.model}-*")
    assert "of age" in shell("profile", "build", shell.model).stdout
    assert "age" in shell("profile", "show", shell.model).stdout
    day = f"{NOW - timedelta(days=1):%Y-%m-%d}"
    done = shell(
        "analyze", "drift", "--model", shell.model, "--from", day, "--to", f"{NOW:%Y-%m-%d}"
    )
    assert "1 windows" in done.stdout
    again = shell(
        "analyze", "drift", "--model", shell.model, "--from", day, "--to", f"{NOW:%Y-%m-%d}"
    )
    assert ", 0 figures written" in again.stdout


def test_provision_changes_nothing_the_second_time(shell: Shell) -> None:
    first, again = shell("provision"), shell("provision")

    assert again.returncode == 0
    assert first.stdout.count("\n") == again.stdout.count("\n")


def test_a_broken_contract_is_one_line(shell: Shell) -> None:
    file = shell.folder / "contracts" / "model.yaml"
    file.write_text(file.read_text().replace("type: numeric", "type: number", 1))

    for words in (("provision",), ("check", "contracts/model.yaml"), ("run",)):
        one_line(shell(*words), "model.yaml:5: features.age.type", "did you mean numeric?")


def test_no_contract_is_one_line(shell: Shell) -> None:
    one_line(shell("provision", "--contracts", "nowhere"), "nowhere", "vigie init")


@pytest.mark.parametrize(
    "words", [("provision",), ("run",), ("ship", "--spool", "."), ("watch", "run")]
)
def test_an_unreachable_engine_is_one_line(shell: Shell, words: tuple[str, ...]) -> None:
    one_line(shell(*words, VIGIE_URL="http://127.0.0.1:9"), "http://127.0.0.1:9")


def test_a_port_in_use_is_one_line(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        one_line(shell("board", "--port", port), port)


def test_a_missing_spool_is_one_line(shell: Shell) -> None:
    one_line(shell("ship", "--spool", "nowhere"), "nowhere", "VIGIE_SPOOL")


def test_a_spool_that_takes_no_offsets_is_one_line(shell: Shell) -> None:
    log = logger(shell.folder / "spool", shell.model)
    with log.prediction(features={"age": 41}):
        pass
    log.close()
    (shell.folder / "spool" / ".offsets").write_text("in the way")

    one_line(shell("ship", "--spool", "spool", "--once"), "spool/.offsets", "make it writable")
    one_line(shell("ship", "--spool", "spool"), "spool/.offsets", "make it writable")


def test_an_unknown_model_is_one_line(shell: Shell) -> None:
    one_line(shell("profile", "build", "nobody"), "nobody", shell.model)


def test_init_drafts_a_contract_that_checks(shell: Shell) -> None:
    rows = "\n".join(
        f"{20 + n},{n * 100},car,a{n}@example.org,{'yes' if n % 2 else 'no'}" for n in range(40)
    )
    (shell.folder / "d.csv").write_text(f"age,income,purpose,email,late\n{rows}\n")

    done = shell("init", "d.csv", "--target", "late", "-o", "new.yaml")

    assert done.returncode == 0, done.stderr
    text = (shell.folder / "new.yaml").read_text()
    assert "email: hash" in text
    assert "example.org,\n" not in text
    assert shell("check", "new.yaml").returncode == 0
    one_line(shell("init", "d.csv", "-o", "new.yaml"), "new.yaml exists")
    one_line(shell("init", "nowhere.csv"), "nowhere.csv")
    one_line(shell("init", "d.csv", "--target", "nobody"), "nobody")


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [("run", "numpy", "analyzers"), ("board", "starlette", "analyzers"),
     ("watch", "mstache", "analyzers")],
)  # fmt: skip
def test_a_missing_extra_is_named(tmp_path: Path, command: str, module: str, extra: str) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['vigie', {command!r}, 'lint'];"
        "from analyzers.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    one_line(done, module, f"pip install 'vigie[{extra}]'")
