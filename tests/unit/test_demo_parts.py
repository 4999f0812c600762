"""The demo's folder, mail catcher and children."""

from __future__ import annotations

import os
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.demo.__main__ import main
from scripts.demo.catcher import Catcher
from scripts.demo.evidence import mail_text, mails
from scripts.demo.places import DemoError, Places, alone
from scripts.demo.processes import Child, ChildError, children


def test_a_caught_mail_is_a_file(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Résolu", "a@example.org", "b@example.org"
    message.set_content("Le taux d'erreur est redescendu.")
    with Catcher(tmp_path / "mails") as catcher:
        assert catcher.url == f"smtp://127.0.0.1:{catcher.port}"
        with smtplib.SMTP("127.0.0.1", catcher.port, timeout=5) as session:
            session.send_message(message)
            session.send_message(message)
    assert [p.name for p in sorted((tmp_path / "mails").iterdir())] == ["0001.eml", "0002.eml"]
    first, _ = mails(tmp_path / "mails")
    assert first["Subject"] == "Résolu"
    assert "redescendu" in mail_text(first).decode()


def test_the_folder_is_cleared_for_each_run(tmp_path: Path) -> None:
    for _ in range(2):
        with alone(tmp_path / "demo") as places:
            assert not list(places.spool.iterdir())
            (places.spool / "left").write_text("over")
            places.summary.write_text("{}")
    assert (tmp_path / "demo" / "summary.json").exists()


def test_a_second_demo_is_refused_with_pid_and_cure(tmp_path: Path) -> None:
    with alone(tmp_path / "demo") as places:
        (places.spool / "kept").touch()
        with pytest.raises(DemoError) as caught, alone(tmp_path / "demo"):
            pass
        assert (places.spool / "kept").exists()
    assert str(caught.value) == (
        f"a demo already runs in {tmp_path / 'demo'} (pid {os.getpid()}); "
        f"end it with Ctrl-C or kill {os.getpid()}, or give this one another --directory"
    )


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    result = CliRunner().invoke(main, ["--directory", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr == (
        f"{tmp_path} holds files that are not the demo's; choose another --directory\n"
    )
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_help_shows_examples() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "python -m scripts.demo --once" in result.stdout


def test_a_child_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    child = Child("broken", "scripts.demo.service", ("--model", "none"), "/health")
    with pytest.raises(ChildError) as caught, children([child], tmp_path, {}):
        pass
    first, *rest = str(caught.value).splitlines()
    assert first == f"broken did not start; its log {tmp_path / 'broken.log'} ends with:"
    assert any("Missing option" in line for line in rest)


def test_paths_lie_below_one_folder(tmp_path: Path) -> None:
    places = Places(tmp_path)
    found = [places.engine, places.spool, places.mails, places.processes, places.summary]
    assert {path.parent for path in found} == {tmp_path}
