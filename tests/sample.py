"""A contract and a logger that tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

import collectors

CONTRACT = """\
model: MODEL
task: binary_classification
owner: {team: risk, email: risk@example.org}
features:
  age:      {type: numeric, range: [18, 100]}
  income:   {type: numeric, sensitive: true, mask: {bucket: 1000}}
  purpose:  {type: categorical, values: [car, home, study]}
  referral: {type: categorical}
  code:     {type: categorical, mask: {truncate: 3}}
  secret:   {type: categorical, mask: drop}
  account:  {type: categorical, mask: hash}
  comment:  {type: text}
  note:     {type: text, keep: masked}
identifiers: {customer_id: hash}
protected:
  purpose_group: {feature: purpose}
  age_band: {feature: age, cuts: [30, 50]}
output: {labels: [accepted, refused], positive: accepted, critical: refused, score: probability}
labels: {horizon: 90d, sources: [core-banking, analyst]}
rules: {no_minor: "age >= 18"}
performance: {f1: {min: 0.8}}
alerts: {to: [oncall@example.org], language: en}
"""


def contract(model: str = "credit-scoring", **replaced: str) -> collectors.Contract:
    """The sample contract; `replaced` maps a line's key to its new text."""
    text = CONTRACT.replace("MODEL", model)
    for key, value in replaced.items():
        lines = [f"{key}: {value}" if x.startswith(f"{key}:") else x for x in text.splitlines()]
        if f"{key}: {value}" not in lines:
            lines.append(f"{key}: {value}")
        text = "\n".join(lines) + "\n"
    return collectors.loads(text, name="sample.yaml")


def logger(
    spool: Path, model: str = "credit-scoring", **replaced: str
) -> collectors.InferenceLogger:
    """A logger of the sample contract with a fixed key."""
    return collectors.InferenceLogger(
        contract(model, **replaced), spool=spool, service="scoring-api", hash_key=b"k" * 32
    )


def lines(spool: Path) -> list[bytes]:
    """Every line of a spool, in the order of segments."""
    return [x for p in sorted(spool.glob("*/*.jsonl")) for x in p.read_bytes().splitlines(True)]


def documents(spool: Path) -> list[dict[str, Any]]:
    """Every line, parsed."""
    return [orjson.loads(line) for line in lines(spool)]
