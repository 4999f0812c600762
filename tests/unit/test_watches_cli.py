"""`vigie watch lint` and `export`: what needs no engine."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from analyzers.cli import main
from tests.unit.watch_world import CONTRACT


@pytest.fixture
def folder(tmp_path):
    text = CONTRACT.format(model="scoring", to="oncall@example.org", language="fr")
    (tmp_path / "scoring.yaml").write_text(text, "utf-8")
    return tmp_path


def vigie(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_lint_lists_the_watches(folder):
    result = vigie("watch", "lint", "--contracts", folder)

    assert result.exit_code == 0
    assert "HighErrorRate:scoring  critical  oncall@example.org" in result.output
    assert "3 watches, no fault found" in result.output


def test_lint_names_a_wrong_address(folder):
    text = CONTRACT.format(model="other", to="nobody", language="en")
    (folder / "other.yaml").write_text(text, "utf-8")
    result = vigie("watch", "lint", "--contracts", folder)

    assert result.exit_code == 2
    assert "other: alerts.to: 'nobody' is not a plain address" in result.output


def test_lint_names_a_wrong_rule(folder):
    rules = folder / "rules.txt"
    rules.write_text("HighErrorRate: {metric: nope}\n")
    result = vigie("watch", "lint", "--contracts", folder, "--rules", rules)

    assert result.exit_code == 2
    assert "rules.txt:1: HighErrorRate: `segment` is missing" in result.output


def test_export_prints_documents(folder):
    result = vigie("watch", "export", "--contracts", folder, "--model", "scoring")

    assert set(json.loads(result.output)) == {
        "HighErrorRate:scoring",
        "HighP99Latency:scoring",
        "DataDriftPSI:scoring",
    }


def test_export_writes_one_file_each(folder, tmp_path):
    result = vigie("watch", "export", "--contracts", folder, "--output", tmp_path / "out")
    document = json.loads((tmp_path / "out" / "HighErrorRate.scoring.json").read_text("utf-8"))

    assert result.exit_code == 0
    assert document["metadata"]["model"] == "scoring"


def test_export_of_an_unknown_model_is_named(folder):
    result = vigie("watch", "export", "--contracts", folder, "--model", "scorring")

    assert result.exit_code == 2
    assert "no watcher document for model 'scorring'; `vigie watch lint` lists" in result.output


def test_a_wrong_pause_is_named(folder):
    result = vigie("watch", "run", "--contracts", folder, "--every", "60")

    assert result.exit_code == 2
    assert "--every '60' is not a duration" in result.output
