"""Both languages say everything, and nothing is said that no page asks for."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import analyzers.board
from analyzers.board.words import WORDS, negotiate, say
from collectors.contract import Task

BOARD = Path(analyzers.board.__file__).parent
TEMPLATES = "\n".join(p.read_text() for p in (BOARD / "templates").glob("*.html"))
CODE = "\n".join(p.read_text() for p in BOARD.glob("*.py") if p.name != "words.py")


def test_the_sentences_that_templates_ask_for_exist() -> None:
    asked = set(re.findall(r"""\b(?:t|visit\.say)\(["'](\w+)["'][,)]""", TEMPLATES))

    assert asked - set(WORDS) == set()


def test_the_sentences_that_code_asks_for_exist() -> None:
    asked = set(re.findall(r"""\bsay\(\s*["'](\w+)["'][,)]""", CODE))

    assert asked - set(WORDS) == set()


def test_no_sentence_is_without_a_reader() -> None:
    spelled = set(re.findall(r"""["'](\w+)["']""", TEMPLATES + CODE))
    derived = {"kind_all", "kind_inference", "kind_feedback", "kind_service", *get_args(Task)}

    assert set(WORDS) - spelled - derived == set()


def test_every_task_of_a_contract_has_words() -> None:
    assert set(get_args(Task)) <= set(WORDS)


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_hold_the_same_values(key: str) -> None:
    english, french = ({name for _, name, _, _ in Formatter().parse(x) if name} for x in WORDS[key])

    assert english == french


@pytest.mark.parametrize(
    ("asked", "header", "found"),
    [
        ("fr", "en", "fr"),
        ("xx", "fr", "fr"),
        (None, "", "en"),
        (None, "fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        (None, "en;q=0.4, fr;q=0.6", "fr"),
        (None, "de", "en"),
        (None, "fr;q=nonsense, en", "en"),
        (None, "fr;q=0", "en"),
    ],
)
def test_the_address_wins_over_the_browser(asked: str | None, header: str, found: str) -> None:
    assert negotiate(asked, header) == found


def test_a_value_with_braces_is_no_template() -> None:
    assert say("not_found_text", "en", {"path": "/{x}"}) == "There is no page /{x}."
