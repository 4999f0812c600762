"""Documentation says what is so: examples run, commands exist, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import collectors
from analyzers.cli import main
from analyzers.jobs import JOBS
from analyzers.metrics import METRICS
from analyzers.operations import looks
from analyzers.watches import load as load_rules
from collectors.schema import STREAMS
from tests.sample import CONTRACT, documents

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def example(page: str, mark: str) -> str:
    text = (ROOT / page).read_text()
    found = re.search(rf"<!-- example: {mark} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    assert found, f"{page} has no example {mark}"
    return found[1]


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(main, info_name="vigie")
    found: list[tuple[str, click.Command]] = []
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        found.append((f"vigie {name}", command))
        if isinstance(command, click.Group):
            inner = command.commands.items()
            found += [(f"vigie {name} {sub}", c) for sub, c in inner]
    return found


def test_the_readme_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    (tmp_path / "contracts").mkdir()
    text = CONTRACT.replace("MODEL", "risk")
    (tmp_path / "contracts" / "risk.yaml").write_text(text)
    (tmp_path / "key").write_bytes(b"k" * 32)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIGIE_HASH_KEY_FILE", str(tmp_path / "key"))
    before = list(logging.getLogger().handlers)
    exec(example("README.md", "api"), {})  # noqa: S102 - the example is ours
    for handler in set(logging.getLogger().handlers) - set(before):
        logging.getLogger().removeHandler(handler)
        handler.close()

    kinds = [d["event"]["action"] for d in documents(tmp_path / "spool")]
    assert kinds == ["prediction", "label", "rating", "heartbeat"]


def test_the_documented_contract_is_one() -> None:
    found = collectors.loads(example("docs/contract.md", "contract"), name="docs/contract.md")

    assert found.model == "credit-scoring"


def test_every_contract_key_is_documented() -> None:
    text = (ROOT / "docs" / "contract.md").read_text()

    missing = [k for k in collectors.Contract.__struct_fields__ if k not in text]
    assert missing == []


@pytest.mark.parametrize(("name", "command"), commands(), ids=lambda v: str(v)[:30])
def test_every_command_explains_itself(name: str, command: click.Command) -> None:
    assert command.help, name
    if not isinstance(command, click.Group):
        undescribed = [
            p.name
            for p in command.params
            if isinstance(p, click.Option) and not (p.help or p.show_default)
        ]
        assert undescribed == [], name


@pytest.mark.parametrize("name", [n for n, _ in commands()])
def test_help_is_answered(name: str) -> None:
    result = CliRunner().invoke(main, [*name.split()[1:], "--help"])

    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+?)(?:#[\w-]+)?\)", page.read_text())

    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_named_commands_and_files_exist(page: Path) -> None:
    text = page.read_text()
    known = {n.split()[1] for n, _ in commands()}

    named = set(re.findall(r"(?:`|bin/)vigie ([a-z]+)", text))
    paths = re.findall(
        r"`((?:collectors|analyzers|scripts|elasticsearch|docs|tests)/[\w./-]+)`", text
    )
    assert named <= known
    assert [p for p in paths if not (ROOT / p).exists()] == []


def test_every_field_stands_in_the_field_reference() -> None:
    text = (ROOT / "docs" / "fields.md").read_text()

    assert [f.name for s in STREAMS for f in s.fields if f"`{f.name}`" not in text] == []


def test_every_metric_belongs_to_a_job_and_every_rule_to_a_metric() -> None:
    assert {m.job for m in METRICS} == {j.name for j in JOBS}
    assert {r.metric for r in load_rules()} <= set(METRICS)


def test_rules_and_looks_ask_for_the_same_sizes() -> None:
    sizes = {r.metric.name: r.min_n for r in load_rules()}

    assert sizes["error_rate_5m"] == looks.MINIMUM_ERRORS_N
    assert sizes["latency_p99_5m"] == looks.MINIMUM_LATENCY_N
